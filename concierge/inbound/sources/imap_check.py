"""Tries a mail account that is read over IMAP, for `concierge check`: nothing is fetched, marked or moved."""

from urllib3.exceptions import HTTPError

from concierge.config import Config
from concierge.errors import ConciergeError
from concierge.imap_settings import ImapAccount
from concierge.inbound.sources.imap import CutOff, ImapFolder, Refused
from concierge.inbound.sources.oauth import AccessTokens


class AccountAway(ConciergeError):
    """This mail account can't be read."""


def check_account(config: Config, account: ImapAccount) -> str:
    """Open every folder of an account, and say what is found there; raises what keeps one from being opened."""
    tokens = AccessTokens(account, config.data) if account.token_url else None
    try:
        found = [_look(ImapFolder(account, name, tokens.get if tokens else None), name) for name in account.folders]
    except HTTPError as error:
        raise AccountAway(
            f"{account.token_url} does not answer ({type(error).__name__}); see {account.variable('token_url')}."
        ) from error
    except (Refused, *CutOff) as error:
        words = str(error).splitlines()[0][:200] or type(error).__name__
        raise AccountAway(
            f"{account.host}, port {account.port}, can't be spoken with ({words}); look at {account.variable('host')}, "
            f"{account.variable('port')} and {account.variable('tls')}."
        ) from error
    then = f"moved to {account.move_to}" if account.move_to else f"marked {account.flag}"
    return f"{account.host} opens {', '.join(found)}; each is then {then}."


def _look(folder: ImapFolder, name: str) -> str:
    try:
        folder.open(prepare=False)
        told = "tells of new mail" if folder.idles else "is asked every now and then"
        return f"{name} ({len(folder.list_waiting())} of {folder.exists} mails to fetch, {told})"
    finally:
        folder.close()
