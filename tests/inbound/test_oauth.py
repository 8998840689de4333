"""Access tokens for mail servers that take no passwords: fetched from a double, kept, renewed, never told."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from concierge.imap_settings import ImapAccount
from concierge.inbound.sources.imap import ImapFolder, LoginRefused
from concierge.inbound.sources.oauth import AccessTokens, TokenRefused
from tests.inbound.imap_server import ImapServer


class Provider(ThreadingHTTPServer):
    """Answers for tokens as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.answers: list[dict[str, Any] | bytes] = []
        super().__init__(("127.0.0.1", 0), Asked)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class Asked(BaseHTTPRequestHandler):
    server: Any

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append({name: values[0] for name, values in form.items()})
        answer = self.server.answers[min(len(self.server.asked), len(self.server.answers)) - 1]
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(200 if b"access_token" in body else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    opened = Provider()
    yield opened
    opened.shutdown()
    opened.server_close()


def account(provider: Provider, **values: Any) -> ImapAccount:
    given = {"host": "127.0.0.1", "tls": "none", "user": "care@x.example", "client_id": "we", "refresh_token": "old"}
    url = f"http://127.0.0.1:{provider.server_port}/token"
    return ImapAccount(name="care", token_url=url, **given | values)


def test_a_token_is_fetched_once_kept_and_renewed_before_it_ends(provider: Provider, tmp_path: Path, monkeypatch):
    provider.answers = [{"access_token": "a", "expires_in": 3600}, {"access_token": "b", "expires_in": 3600}]
    tokens = AccessTokens(account(provider), tmp_path)
    assert (tokens.get(), tokens.get()) == ("a", "a")
    later = time.monotonic() + 3600 - 299
    monkeypatch.setattr("concierge.inbound.sources.oauth.time.monotonic", lambda: later)
    assert tokens.get() == "b"
    assert provider.asked == [{"client_id": "we", "grant_type": "refresh_token", "refresh_token": "old"}] * 2


def test_an_app_that_may_read_the_mailbox_itself_needs_no_refresh_token(provider: Provider, tmp_path: Path):
    provider.answers = [{"access_token": "a"}]
    AccessTokens(account(provider, refresh_token="", client_secret="s", scope="all"), tmp_path).get()
    assert provider.asked == [
        {"client_id": "we", "client_secret": "s", "scope": "all", "grant_type": "client_credentials"}
    ]


def test_the_newest_refresh_token_is_kept_for_us_alone_until_another_is_configured(provider: Provider, tmp_path: Path):
    provider.answers = [{"access_token": "a", "refresh_token": "newer"}]
    AccessTokens(account(provider), tmp_path).get()
    assert (tmp_path / "imap-care.token").stat().st_mode & 0o077 == 0
    AccessTokens(account(provider), tmp_path).get()
    AccessTokens(account(provider, refresh_token="by hand"), tmp_path).get()
    assert [each["refresh_token"] for each in provider.asked] == ["old", "newer", "by hand"]
    provider.answers = [*[{}] * 3, {"error": "invalid_grant"}, {"access_token": "b"}]
    assert AccessTokens(account(provider, refresh_token="by hand"), tmp_path).get() == "b"


@pytest.mark.parametrize("answer", [{"error": "invalid_grant", "error_description": "ended"}, b"<html>", b"[]", {}])
def test_a_refusal_is_told_in_words_without_secrets(provider: Provider, tmp_path: Path, answer):  # T38
    provider.answers = [answer]
    with pytest.raises(TokenRefused) as refused:
        AccessTokens(account(provider, refresh_token="very-secret", client_secret="more-secret"), tmp_path).get()
    assert "CONCIERGE_IMAP_CARE_CLIENT_ID" in str(refused.value)
    assert "secret" not in str(refused.value).replace("client_secret", "")


def test_a_mailbox_is_opened_with_the_token(provider: Provider, tmp_path: Path):
    server = ImapServer()
    provider.answers = [{"access_token": "token-1"}, {"access_token": "token-2"}]
    tokens = AccessTokens(account(provider), tmp_path)
    folder = ImapFolder(account(provider, port=server.server_address[1]), "INBOX", tokens.get)
    folder.open()
    folder.close()
    tokens.forget()
    with pytest.raises(LoginRefused):
        folder.open()
    folder.close()
    server.shutdown()
    server.server_close()
