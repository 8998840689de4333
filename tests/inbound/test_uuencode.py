"""Files within the text: taken out where they are whole, left alone where they are not (T08)."""

import binascii

import pytest

from concierge.inbound.parsed import ParsedMail
from concierge.inbound.parsing import parse_mail
from concierge.inbound.uuencode import MOST_FILES, take_files
from tests.inbound.arriving import letter

PHOTO = bytes(range(256)) * 3


def uu(name: str, data: bytes) -> str:
    """A file as uuencode writes it."""
    lines = [binascii.b2a_uu(data[at : at + 45], backtick=True).decode().rstrip() for at in range(0, len(data), 45)]
    return "\r\n".join([f"begin 644 {name}", *lines, "`", "end", ""])


def test_a_file_in_the_text_is_a_file_and_the_words_around_it_stay():
    text = f"Dear house,\r\nthe photo:\r\n\r\n{uu('my photo.jpg', PHOTO)}\r\nIs it that one?\r\n{uu('b.txt', b'b')}"
    mail = parse_mail(letter(text=text))
    assert isinstance(mail, ParsedMail)
    assert [(each.filename, each.data) for each in mail.attachments] == [("my photo.jpg", PHOTO), ("b.txt", b"b")]
    assert "begin" not in mail.text
    assert mail.text.split() == "Dear house, the photo: Is it that one?".split()


def test_a_last_line_filled_up_beyond_what_it_announces_is_no_fault():
    filled = uu("a.txt", b"Is it blue or green?").replace("\r\n`", "$]_T\r\n`")
    assert take_files(filled.encode())[1] == [(b"a.txt", b"Is it blue or green?")]


@pytest.mark.parametrize(
    "text",
    [
        "I begin 644 times\r\nand end",
        "begin 644 a.txt\r\nWe begin here, and\r\nend",
        uu("a.txt", PHOTO).replace("end", "fin"),
        "begin 644 a.txt\r\n#!!~~\r\n`\r\nend\r\n",
        "begin 644 a.txt\r\n`\r\nend\r\n",
    ],
)
def test_what_is_no_whole_file_stays_in_the_words(text: str):
    assert take_files(text.encode()) == (text.encode(), [])


def test_very_many_are_not_all_taken_and_take_no_time():
    left, files = take_files(uu("a", b"a").encode() * 20_000)
    assert len(files) == MOST_FILES
    assert left.count(b"begin") == 20_000 - MOST_FILES
    assert take_files(b"begin 644 a\r\n" * 200_000)[1] == []
    for endless in (b"!" + b" " * 2_000_000, b"!  \r\n" * 500_000, b"`\r\n" * 500_000):
        assert take_files(b"begin 644 a\r\n#86)C\r\n" + endless + b"x")[1] == []
