"""Gathers every phrase people read into the translations: `python tools/phrases.py` adds new ones and drops old ones.

Gathered are gettext calls in code and templates, and the docstrings of our errors: they are sentences people read.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
TRANSLATIONS = ROOT / "concierge" / "translations"
_ERRORS = {"ConciergeError", "RuleBroken", "NotFound", "Forbidden", "BadInput", "BadToken", "Misconfigured"}
_JINJA = {"encoding": "utf-8", "silent": "false", "trimmed": "true"}
_METHODS = [("concierge/**.py", "python"), ("templates/**.html", "jinja2"), ("emails/**", "jinja2")]
_KEYWORDS = {
    "_": None,
    "N_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


def gather() -> Catalog:
    """Every phrase in the source, in the order of files."""
    catalog = Catalog(project="Concierge", charset="utf-8", fuzzy=False)
    options = {"templates/**.html": _JINJA, "emails/**": _JINJA}
    for folder in ("concierge", "templates", "emails"):
        methods = [(pattern.removeprefix(f"{folder}/"), how) for pattern, how in _METHODS if pattern.startswith(folder)]
        chosen = {pattern.removeprefix(f"{folder}/"): each for pattern, each in options.items()}
        for name, _line, message, comments, context in extract_from_dir(
            str(ROOT / folder), methods, chosen, keywords=_KEYWORDS, comment_tags=("i18n:",)
        ):
            catalog.add(message, locations=[(f"{folder}/{name}", None)], auto_comments=comments, context=context)
    for path in sorted((ROOT / "concierge").rglob("*.py")):
        with path.open("rb") as file:
            for sentence in error_sentences(file):
                catalog.add(sentence, locations=[(str(path.relative_to(ROOT)), None)])
    return catalog


def error_sentences(file: BinaryIO) -> Iterator[str]:
    """The docstrings of the error classes in a module."""
    known = set(_ERRORS)
    for node in ast.parse(file.read()).body:
        if not isinstance(node, ast.ClassDef):
            continue
        bases = {base.id if isinstance(base, ast.Name) else getattr(base, "attr", "") for base in node.bases}
        if (bases & known or node.name in _ERRORS) and (sentence := ast.get_docstring(node, clean=False)):
            known.add(node.name)
            yield sentence.strip()


def update(path: Path, gathered: Catalog) -> int:
    """Bring one language up to date and say how many phrases still want words."""
    with path.open("rb") as file:
        catalog = read_po(file, locale=path.parent.parent.name)
    catalog.update(gathered, no_fuzzy_matching=True, update_creation_date=False)
    catalog.obsolete.clear()
    with path.open("wb") as file:
        write_po(file, catalog, width=120, omit_header=False, sort_output=True, ignore_obsolete=True)
    return sum(1 for message in catalog if message.id and not _is_translated(message.string))


def _is_translated(string: str | tuple[str, ...] | list[str]) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


def main() -> None:
    """Update every language."""
    gathered = gather()
    for path in sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po")):
        missing = update(path, gathered)
        sys.stdout.write(f"{path.parent.parent.name}: {len(gathered)} phrases, {missing} without words\n")


if __name__ == "__main__":
    main()
