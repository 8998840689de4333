"""What `python -m benchmarks` leaves behind."""

import re
from contextlib import nullcontext

from click.testing import CliRunner

from benchmarks import __main__ as bench


def test_figures_are_written_in_the_docs_only_when_told_to(tmp_path, monkeypatch):
    page = tmp_path / "benchmarks.md"
    page.write_text(f"Ours.\n\n{bench.LAST}\n")
    monkeypatch.setattr(bench, "PAGE", page)
    monkeypatch.setattr(bench, "places", lambda *_, **__: nullcontext([]))  # in no house at all, so at once
    assert CliRunner().invoke(bench.main, ["reading"], catch_exceptions=False).exit_code == 0
    assert page.read_text() == f"Ours.\n\n{bench.LAST}\n"
    assert CliRunner().invoke(bench.main, ["reading", "--write"], catch_exceptions=False).exit_code == 0
    assert "figures of reading: written by make bench" in page.read_text()


def test_what_is_said_of_follow_ups_is_in_their_table():
    """Who measures anew reads the words again: they once spoke of a table that was there before."""
    page = bench.PAGE.read_text()
    table = page[page.index("<!-- figures of following") : page.index("<!-- end of following -->")]
    [words] = re.findall(r"^- \*\*Follow-ups claimed and queued\*\*.*?(?=^- )", page, re.DOTALL | re.MULTILINE)
    figures = re.findall(r"\d[\d,.]*\d(?= ms|,? | a second)", words)
    shown = set(re.findall(r"\| (\d[\d,.]*) ", table))
    assert figures
    assert [each for each in figures if each not in shown | {"99", "100"}] == []
