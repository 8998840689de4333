"""Files old programs write into the very text of a letter, between `begin 644 photo.jpg` and `end` (POSIX uuencode)."""

import binascii
import re

MOST_FILES = 50
# Each line begins with its length, from ! to M; neither `begin` nor `end` does, so that nothing is looked at twice.
_FILE = re.compile(
    rb"^begin [0-7]{3,4} ([^\r\n]{1,200})\r?\n"
    rb"((?:[!-M][ -`]{0,90}\r?\n)++)"
    rb"(?:[ `]{1,4}\r?\n)?end[ \t]{0,4}\r?(?:\n|\Z)",
    re.MULTILINE,
)


def decode_line(line: bytes) -> bytes:
    """Return the bytes of one line, as many as it announces: some encoders fill up the last. Raises binascii.Error."""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        announced = (((line[0] - 32) & 63) * 4 + 5) // 3 if line else 0
        return binascii.a2b_uu(line[:announced])


def take_files(text: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """A letter without the files in it, and the name and bytes of each; what can't be read stays where it is."""
    files: list[tuple[bytes, bytes]] = []

    def take(found: re.Match[bytes]) -> bytes:
        if len(files) >= MOST_FILES:
            return found[0]
        try:
            data = b"".join(decode_line(line.rstrip(b"\r\n")) for line in found[2].splitlines())
        except binascii.Error:
            return found[0]
        files.append((found[1].strip(), data))
        return b""

    return _FILE.sub(take, text), files
