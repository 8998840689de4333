"""One template file, rendered whole for a visit or by block for htmx."""

from typing import Any

from flask import current_app, render_template, request
from jinja2_fragments.flask import render_block


def wants_block() -> bool:
    """Whether htmx asks for a part of the page; a boosted link and a page of the history need the whole."""
    headers = request.headers
    is_whole = any(headers.get(name) == "true" for name in ("HX-Boosted", "HX-History-Restore-Request"))
    return headers.get("HX-Request") == "true" and not is_whole


def render(template: str, /, *, block: str | None = None, **values: Any) -> str:
    """The page `template`; only its `block` when htmx asks and a block is named."""
    if block and wants_block():
        return str(render_block(current_app.jinja_env.get_template(template).name or template, block, **values))
    return render_template(template, **values)
