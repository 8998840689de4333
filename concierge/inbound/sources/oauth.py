"""Access tokens by OAuth2, for mail servers that take no passwords: fetched over HTTP, kept until they end."""

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import urllib3

from concierge.errors import ConciergeError
from concierge.imap_settings import ImapAccount

_TIMEOUT = urllib3.Timeout(connect=10.0, read=20.0)
_LARGEST_ANSWER = 64 * 1024
# A token is renewed so long before its end.
_EARLY_SECONDS = 5 * 60.0
_SHORTEST_SECONDS = 60.0


class TokenRefused(ConciergeError):
    """The provider gives no token for this mailbox."""


class AccessTokens:
    """One account's access token: renewed before it ends, and when the mail server has refused it."""

    def __init__(self, account: ImapAccount, folder: Path) -> None:
        """Providers that give a new refresh token with each answer (Microsoft) have the newest kept in `folder`."""
        self._account = account
        self._kept = folder / f"imap-{account.name}.token"
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)
        self._guard = threading.Lock()
        self._token, self._until = "", 0.0

    def get(self) -> str:
        """A token that is good for some minutes; raises TokenRefused, or urllib3's HTTPError when nobody answers."""
        with self._guard:
            if time.monotonic() >= self._until:
                self._token, seconds = self._fetch()
                self._until = time.monotonic() + max(seconds - _EARLY_SECONDS, min(seconds, _SHORTEST_SECONDS))
            return self._token

    def forget(self) -> None:
        """The mail server refused it: the next one is fetched anew."""
        with self._guard:
            self._until = 0.0

    def _fetch(self) -> tuple[str, float]:
        newest, given = self._newest_refresh_token(), self._account.refresh_token.get_secret_value()
        said = self._ask(newest)
        if said.get("error") == "invalid_grant" and newest != given:
            said = self._ask(given)
        token = said.get("access_token")
        if not isinstance(token, str) or not token:
            why = " ".join(str(said.get(each) or "") for each in ("error", "error_description")).split()
            words = " ".join(why)[:200] or "an answer without a token"
            raise TokenRefused(
                f"{self._account.token_url} gives no token for {self._account.user}: {words}. Look at "
                f"{self._account.variable('client_id')} and what belongs to it; a refresh token may have ended."
            )
        fresh = said.get("refresh_token")
        if isinstance(fresh, str) and fresh and fresh != newest:
            self._keep(fresh)
        try:
            return token, float(said.get("expires_in") or 3600)
        except (TypeError, ValueError):
            return token, 3600.0

    def _ask(self, refresh_token: str) -> Mapping[str, Any]:
        account = self._account
        fields = {
            "client_id": account.client_id,
            "client_secret": account.client_secret.get_secret_value(),
            "scope": account.scope,
            "grant_type": "refresh_token" if refresh_token else "client_credentials",
            "refresh_token": refresh_token,
        }
        answer = self._pool.request(
            "POST",
            account.token_url,
            fields={name: value for name, value in fields.items() if value},
            encode_multipart=False,
            redirect=False,
            preload_content=False,
        )
        try:
            said = json.loads(answer.read(_LARGEST_ANSWER))
        except ValueError:
            said = None
        finally:
            answer.release_conn()
        return said if isinstance(said, dict) else {"error": f"HTTP {answer.status}"}

    def _newest_refresh_token(self) -> str:
        """The newest we were given in exchange for the configured one; that one itself when there is none."""
        given = self._account.refresh_token.get_secret_value()
        try:
            kept = json.loads(self._kept.read_text(encoding="utf-8"))
            return str(kept["newest"]) if kept["of"] == _mark(given) else given
        except (OSError, ValueError, KeyError, TypeError):
            return given

    def _keep(self, fresh: str) -> None:
        given = self._account.refresh_token.get_secret_value()
        part = self._kept.with_name(f".{self._kept.name}.{secrets.token_hex(8)}")
        part.touch(mode=0o600)
        part.write_text(json.dumps({"of": _mark(given), "newest": fresh}), encoding="utf-8")
        part.replace(self._kept)


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
