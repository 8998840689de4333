"""Packs a winmail.dat, by MS-OXTNEF, as Outlook does."""

import struct


def attribute(level: int, name: int, value: bytes) -> bytes:
    """One attribute: of the message (1) or of a file (2)."""
    return struct.pack("<BII", level, name, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def properties(values: list[tuple[int, int, bytes]]) -> bytes:
    """MAPI properties: name, type and bytes of each; a named one and a number stand before them, to be passed over."""
    own = struct.pack("<HH16sII", 0x03, 0x8001, b"G" * 16, 0, 7) + struct.pack("<I", 42)
    words = (
        struct.pack("<HH16sII", 0x0B, 0x8002, b"G" * 16, 1, 6)
        + "abc".encode("utf-16-le")
        + b"\0\0"
        + struct.pack("<I", 1)
    )
    many = struct.pack("<HHI", 0x1003, 0x0E21, 2) + struct.pack("<II", 1, 2)
    packed = own + words + many
    for name, kind, value in values:
        packed += struct.pack("<HHII", kind, name, 1, len(value)) + value + b"\0" * (-len(value) % 4)
    return struct.pack("<I", len(values) + 3) + packed


def file_of(found: bytes, data: bytes, *, title: bytes = b"") -> bytes:
    """The attributes of one file."""
    pieces = [attribute(2, 0x9002, b"\0" * 14)]
    pieces += [attribute(2, 0x8010, title)] if title else []
    pieces += [attribute(2, 0x800F, data)] if data else []
    return b"".join([*pieces, attribute(2, 0x9005, found)] if found else pieces)


def winmail(*attributes: bytes) -> bytes:
    """The whole of it."""
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)
