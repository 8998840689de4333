"""Outlook's rich text: the examples of its own papers, what it wraps, and what no program writes (T08, T09)."""

import random
import struct

import pytest

from concierge.inbound.rtf import NotRtf, read_rtf, unpack_rtf
from concierge.inbound.tnef import unpack
from tests.inbound.odd_mails.packing import attribute, file_of, properties, winmail

# MS-OXRTFCP, 4.1.1 and 4.1.2
HELLO = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
)
CROSSING = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")


def plainly(rtf: bytes) -> bytes:
    """Packed without being made smaller."""
    return struct.pack("<IIII", len(rtf) + 12, len(rtf), 0x414C454D, 0) + rtf


def test_the_papers_own_examples_are_unpacked():
    assert unpack_rtf(HELLO) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    assert unpack_rtf(CROSSING) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
    assert read_rtf(unpack_rtf(HELLO)) == ("hello world", False)


@pytest.mark.parametrize(
    ("rtf", "words"),
    [
        (rb"{\rtf1\ansi Caff\'e8\par uno, due}", "Caffè\nuno, due"),
        (rb"{\rtf1{\fonttbl{\f0 Arial;}}{\*\generator Riched20;}\f0 Ciao\tab\lquote x\rquote}", "Ciao\t‘x’"),
        (rb"{\rtf1\ansicpg1251 \'cf\'f0\'e8}", "При"),
        (rb"{\rtf1\ansicpg932 \'93\'fa\'96\'7b}", "日本"),
        (rb"{\rtf1\uc1 \u8364?5 {\uc2\u233??}t\'e9}", "€5 été"),
        (rb"{\rtf1 a\{b\}\\c\~d}", "a{b}\\c\xa0d"),
        (rb"{\rtf1 {\pict\wmetafile8 010009}left", "left"),
    ],
)
def test_words_are_read(rtf: bytes, words: str):
    assert read_rtf(rtf) == (words, False)


def test_html_that_was_wrapped_is_html_again():
    rtf = (
        rb"{\rtf1\ansi\ansicpg1252\fromhtml1 {\fonttbl{\f0 x;}}{\*\htmltag18 <html>}{\*\htmltag64 <p>}"
        rb"\htmlrtf {\b \htmlrtf0 Cara Nadia\'e0 {\*\htmltag84 <b>}1 &amp; 2{\*\htmltag92 </b>}"
        rb"\htmlrtf }\htmlrtf0 {\*\htmltag72 </p>}\htmlrtf\par\htmlrtf0}"
    )
    assert read_rtf(rtf) == ("<html><p>Cara Nadiaà <b>1 &amp; 2</b></p>", True)


def test_a_letter_that_stands_in_rich_text_alone_is_read():
    packed = unpack(winmail(attribute(1, 0x69003, properties([(0x1009, 0x102, HELLO)]))))
    assert packed.text == "hello world"
    both = properties([(0x1000, 0x1E, b"in plain\0"), (0x1009, 0x102, HELLO)])
    assert unpack(winmail(attribute(1, 0x69003, both))).text == "in plain"


def test_names_keep_their_own_charset_beside_a_letter_in_another():
    rtf = rb"{\rtf1\ansi\ansicpg1252\fromhtml1 {\*\htmltag64 <p>}\'e0{\*\htmltag72 </p>}}"
    letter = attribute(1, 0x69003, properties([(0x1009, 0x102, plainly(rtf))]))
    packed = unpack(winmail(letter, file_of(properties([(0x3707, 0x1E, b"Gr\xf6\xdfen.txt\0")]), b"36")))
    assert (packed.html.decode(packed.charset), packed.files[0].name) == ("<p>à</p>", "Größen.txt")


def test_bombs_and_broken_ones_end_soon():
    bomb = struct.pack("<IIII", 0, 2**31, 0x75465A4C, 0) + b"\x00" + b"x" * 8 + b"\xff\x0d\xff" * 400_000
    assert len(unpack_rtf(bomb)) <= 1_000_100
    with pytest.raises(NotRtf):
        read_rtf(unpack_rtf(plainly(b"<html>")))
    chance = random.Random(7)
    for _ in range(300):
        broken = bytearray(chance.choice((HELLO, CROSSING)))
        for _change in range(chance.randrange(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            read_rtf(unpack_rtf(bytes(broken[: chance.randrange(len(broken) + 1)])))
        except NotRtf:
            continue
