"""What is said at the door: Flask-Security's messages, in the house's own words."""

from typing import Final

from flask_babel import lazy_gettext as _l

# By the name Flask-Security gives each, without its SECURITY_MSG_; the second word is how a flashed one is shown.
# The others of its messages belong to features the house doesn't use.
_SENTENCES: Final = {
    "GENERIC_AUTHN_FAILED": (_l("That address and that password don’t belong together. Try once more?"), "error"),
    "GENERIC_RECOVERY": (_l("If we know that address, a letter with a link is on its way to it."), "info"),
    "INVALID_RESET_PASSWORD_TOKEN": (_l("That link is not whole, or was used already. Ask for a new one."), "error"),
    "PASSWORD_RESET_EXPIRED": (_l("That link was good for %(within)s only. Ask for a new one."), "error"),
    "PASSWORD_RESET": (_l("Your new password is kept, and you are signed in."), "success"),
    "PASSWORD_RESET_NO_LOGIN": (_l("Your new password is kept. Sign in with it."), "success"),
    "PASSWORD_IS_THE_SAME": (_l("That is the password you have. Choose another."), "error"),
    "PASSWORD_INVALID_LENGTH": (_l("Take at least %(length)s characters."), "error"),
    "PASSWORD_NOT_PROVIDED": (_l("Write your password."), "error"),
    "RETYPE_PASSWORD_MISMATCH": (_l("The two are not the same. Write it once more."), "error"),
    "EMAIL_NOT_PROVIDED": (_l("Write your e-mail address."), "error"),
    "INVALID_EMAIL_ADDRESS": (_l("That is no e-mail address we could write to."), "error"),
    "DISABLED_ACCOUNT": (_l("This account has been closed. Ask whoever runs the house."), "error"),
    "LOGIN": (_l("Sign in first, then the page opens."), "info"),
    "UNAUTHENTICATED": (_l("Sign in first, then the page opens."), "error"),
    "UNAUTHORIZED": (_l("That page is for colleagues with another role."), "error"),
}


def sentences() -> dict[str, tuple[object, str]]:
    """Flask-Security's settings that say them: `SECURITY_MSG_LOGIN` and so on.

    https://flask-security.readthedocs.io/en/stable/customizing.html#localization
    """
    return {f"SECURITY_MSG_{name}": sentence for name, sentence in _SENTENCES.items()}
