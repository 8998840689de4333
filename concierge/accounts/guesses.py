"""The sign-in form: a guess at a password costs the same whether the house knows the address or not (T32)."""

import secrets
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from flask_security.forms import LoginForm
from flask_security.utils import verify_password

from concierge.accounts import passwords, queries
from concierge.accounts.models import Editor
from concierge.extensions import db


@dataclass(slots=True)
class Claimed:
    """Whom somebody claims to be: an editor's number and hash, or nobody's number and a hash that nothing fits."""

    editor_id: int | None
    password: str
    is_active: bool

    def verify_and_update_password(self, password: str) -> bool:
        """Whether it is the password; the hash is worked out for nobody too."""
        return verify_password(password, self.password) and self.editor_id is not None

    def track_failed_authn(self, *_how: object) -> None:
        """Failed tries are counted by `signing_in`, by caller."""

    def is_locked(self, *_errors: object) -> bool:
        """Nobody is: see `lockout`."""
        return False


class SignInForm(LoginForm):
    """Flask-Security's form, which looks up no more of an editor than her hash before she has proved who she is.

    Loading all of an editor, and only then hashing, told by half a millisecond whom the house knows.
    """

    def validate(self, **kwargs: Any) -> bool:
        """Whether it is she; `user` is the editor then."""
        if not super(LoginForm, self).validate(**kwargs):  # the fields' own shape, before anybody is looked up
            return False
        claimed = found_or_nobody(queries.find_password(db.session, self.email.data or ""))
        self.ifield, self.user = self.email, cast(Editor, claimed)
        if not super().validate(**kwargs):
            return False
        assert claimed.editor_id is not None
        editor = self.user = queries.get_editor(db.session, claimed.editor_id)
        if editor.password != claimed.password:  # she has chosen another meanwhile
            return False
        if passwords.is_dated(claimed.password):  # once she is in, the time tells nothing
            editor.password = passwords.hash_password(self.password.data or "")
        return True


def found_or_nobody(found: tuple[int, str | None, bool] | None) -> Claimed:
    """What a password is held against; somebody without a password is held against nobody's."""
    number, kept, active = found or (None, None, False)
    return Claimed(number if kept else None, kept or _nobodys(), active)


@cache
def _nobodys() -> str:
    return passwords.hash_password(secrets.token_urlsafe(32))
