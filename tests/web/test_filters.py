"""Times as people say them, and the addresses of what was built."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from concierge.web import assets
from concierge.web.assets import asset, icon
from concierge.web.filters import file_size, waiting_words


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"app.css": "app.css?v=1a2b", "icons.svg": "icons.svg?v=3c4d"}))
    return tmp_path


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-5), "0 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=3, minutes=10), "3 h 10 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=23, minutes=59), "23 h"),
        (timedelta(hours=47), "1 d"),
    ],
)
def test_waiting_is_said_in_two_short_units_at_most(app: Flask, span: timedelta, words: str):
    with app.test_request_context():
        assert waiting_words(span) == words


def test_waiting_is_said_in_the_readers_language(app: Flask):
    with app.test_request_context(headers={"Accept-Language": "it"}):
        assert waiting_words(timedelta(hours=3)).startswith("3 ")


def test_an_assets_address_carries_its_version(app: Flask, built: Path):
    with app.test_request_context():
        assert asset("app.css") == "/static/app.css?v=1a2b"
        (built / "manifest.json").write_text(json.dumps({"app.css": "app.css?v=ffff"}))
        assert asset("app.css") == "/static/app.css?v=ffff"


def test_a_page_can_be_drawn_before_anything_is_built(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(assets, "STATIC", tmp_path / "nowhere")
    with app.test_request_context():
        assert asset("app.css") == "/static/app.css"


def test_an_icon_is_silent_unless_it_is_named_and_its_name_is_data(app: Flask, built: Path):
    with app.test_request_context():
        assert 'aria-hidden="true"' in icon("send")
        named = icon("paperclip", 'two "files" <b>')
        assert 'role="img" aria-label="two &#34;files&#34; &lt;b&gt;"' in named


def test_every_icon_a_template_names_is_in_the_sprite():
    templates = Path(__file__).parents[2] / "templates"
    known = set(json.loads((Path(assets.__file__).parents[1] / "assets" / "icons.json").read_text()))
    named = {
        name
        for path in templates.rglob("*.html")
        for name in re.findall(r"""\bicon\(\s*["']([\w-]+)["']""", path.read_text())
    }
    assert named
    assert named <= known


def test_a_file_is_as_large_as_the_reader_writes_it(app: Flask):
    with app.test_request_context():
        assert [file_size(1), file_size(49), file_size(1_440_000)] == ["1 byte", "49 bytes", "1.4 MB"]
        assert file_size(2048, binary=True) == "2 KiB"
        assert file_size(5e15) == "5,000 TB"
    with app.test_request_context(headers={"Accept-Language": "it"}):
        assert [file_size(49), file_size(1_440_000)] == ["49 byte", "1,4 MB"]
