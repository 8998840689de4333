"""Working hours as an editor types them, one line a day: "09:00-13:00, 14:00-18:00"."""

import re

_SPAN = re.compile(r"\s*(\d{1,2})[:.](\d{2})\s*[-–—]\s*(\d{1,2})[:.](\d{2})\s*")


def read_hours(text: str) -> list[list[str]] | None:
    """The spans in `text` as [["09:00", "13:00"], …], an empty list for a free day; None when it can't be read."""
    spans: list[list[str]] = []
    for piece in text.split(",") if text.strip() else ():
        match = _SPAN.fullmatch(piece)
        if not match:
            return None
        begins, ends = f"{int(match[1]):02}:{match[2]}", f"{int(match[3]):02}:{match[4]}"
        if not (_is_time(begins) and _is_time(ends) and begins < ends and (not spans or spans[-1][1] <= begins)):
            return None
        spans.append([begins, ends])
    return spans


def write_hours(spans: list[list[str]]) -> str:
    """The spans as one line."""
    return ", ".join(f"{begins}-{ends}" for begins, ends in spans)


def _is_time(text: str) -> bool:
    return (int(text[:2]) <= 23 and int(text[3:]) <= 59) or text == "24:00"
