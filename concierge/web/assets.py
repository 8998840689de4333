"""The built styles, scripts, fonts and icons: their addresses with a version, and an icon as markup."""

import json
from functools import lru_cache
from pathlib import Path

from flask import request, url_for
from markupsafe import Markup

STATIC = Path(__file__).parent.parent / "static"


def asset(name: str) -> str:
    """Return the address of a built file, such as ``app.css``; it changes when the file's content does.

    The names are those of ``static/manifest.json``; what isn't in it is taken as a path below ``static/``.
    """
    return _address(name, _changed_at(), request.script_root)


@lru_cache(maxsize=256)
def _address(name: str, changed_at: int, _root: str) -> str:
    path, _, version = _manifest(changed_at).get(name, name).partition("?v=")
    return url_for("static", filename=path, v=version or None)


def icon(name: str, label: str | None = None) -> Markup:
    """Return one of the icons of ``assets/icons.json``; without a label it is decoration and says nothing aloud."""
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"></use></svg>').format(spoken, asset("icons.svg"), name)


def _changed_at() -> int:
    try:
        return (STATIC / "manifest.json").stat().st_mtime_ns
    except FileNotFoundError:
        return 0


@lru_cache(maxsize=1)
def _manifest(changed_at: int) -> dict[str, str]:
    if not changed_at:
        return {}
    names: dict[str, str] = json.loads((STATIC / "manifest.json").read_text())
    return names
