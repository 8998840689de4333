"""What can go wrong, as exceptions named after the broken rule; the docstring is the sentence a person reads."""

from flask_babel import gettext


class ConciergeError(Exception):
    """Something went wrong."""

    status = 500

    def sentence(self) -> str:
        """The sentence a person reads, in her language."""
        return str(gettext((type(self).__doc__ or "").strip()))


class RuleBroken(ConciergeError):
    """This can't be done."""

    status = 409


class NotFound(ConciergeError):
    """We looked everywhere and could not find it."""

    status = 404


class Forbidden(ConciergeError):
    """Your role does not allow this."""

    status = 403


class BadInput(ConciergeError):
    """Something in the form needs another look."""

    status = 422


class BadToken(ConciergeError):
    """This link is not one of ours, or it has expired."""

    status = 403


class Misconfigured(ConciergeError):
    """The configuration has mistakes."""
