"""A choice of a field to choose from; named here once, for the stubs of WTForms are older than it."""

from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]

__all__ = ["SelectChoice"]
