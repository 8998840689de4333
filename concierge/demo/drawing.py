"""Draws the demo house's pictures: SVG by hand, developed to JPEG by Chromium; the results are kept in `pictures/`.

Run `python -m concierge.demo.drawing` after changing a drawing (a development machine's Chromium is needed);
the product itself only ever reads the finished files.
"""

from __future__ import annotations

import io
import itertools
import math
import shutil
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

HERE = Path(__file__).parent
DRAWINGS = HERE / "drawings"
PICTURES = HERE / "pictures"
MAX_BYTES = 60_000
_DEEP, _BRIGHT = (30, 16, 20), (255, 250, 242)


def tone(colour: str, amount: float) -> str:
    """Mix `#rrggbb` towards warm white (amount > 0, up to 1) or towards deep brown (amount < 0, down to -1)."""
    channels = tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
    goal, share = (_BRIGHT if amount > 0 else _DEEP), min(abs(amount), 1.0)
    mixed = (round(c + (g - c) * share) for c, g in zip(channels, goal, strict=True))
    return "#" + "".join(f"{m:02x}" for m in mixed)


def svg(template: str, values: dict[str, Any]) -> str:
    """The finished SVG of one drawing; the same values always give the same text."""
    counter = itertools.count(1)
    environment = Environment(loader=FileSystemLoader(DRAWINGS), undefined=StrictUndefined, autoescape=False)  # noqa: S701 our own SVG, no foreign words
    environment.filters["tone"] = tone
    environment.globals.update(uid=lambda: f"u{next(counter)}", turn=math.sin, wave=lambda t: -math.cos(t))
    return environment.get_template(template).render(values)


def drawings() -> Iterator[tuple[str, str, dict[str, Any], tuple[int, int]]]:
    """Every picture of the house: its name, its template, the template's values, its size in pixels."""
    plan = tomllib.loads((DRAWINGS / "plan.toml").read_text(encoding="utf-8"))
    for name, values in (plan["products"] | plan["photographs"]).items():
        yield name, "product.svg", plan["defaults"] | values, (800, 1000)
    for name, values in plan["editors"].items():
        yield name, f"faces/{name}.svg", values, (640, 640)


@contextmanager
def _darkroom(size: tuple[int, int]) -> Iterator[Any]:
    """A Chromium page of `size` CSS pixels, drawn at twice that for smooth edges."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser.new_page(viewport={"width": size[0], "height": size[1]}, device_scale_factor=2)
        browser.close()


def develop(page: Any, text: str, size: tuple[int, int]) -> bytes:
    """One SVG as a JPEG of exactly `size` and at most 60 kB."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.set_content(f"<style>body{{margin:0}}svg{{display:block}}</style>{text}")
    large = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture = large.resize(size, Image.Resampling.LANCZOS)
    for quality in (90, 86, 82, 78, 72, 66):
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
        if out.tell() <= MAX_BYTES:
            break
    return out.getvalue()


def draw(names: Iterable[str] = ()) -> list[Path]:
    """Draw the named pictures, or all of them, into `pictures/`; returns the files written."""
    wanted, written = set(names), []
    with _darkroom((800, 1000)) as page:
        for name, template, values, size in drawings():
            if wanted and name not in wanted and values.get("shape") not in wanted:
                continue
            target = PICTURES / f"{name}.jpg"
            target.write_bytes(develop(page, svg(template, values), size))
            written.append(target)
    return written


if __name__ == "__main__":
    for path in draw(sys.argv[1:]):
        sys.stdout.write(f"{path.name} {path.stat().st_size}\n")
