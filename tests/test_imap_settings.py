"""The mail accounts that are read over IMAP: every mistake at once, each with its variable and an example."""

import re
from pathlib import Path

import pytest

from concierge.config import Misconfigured, read_config
from concierge.imap_settings import FIELDS, ImapAccount, read_accounts

ROOT = Path(__file__).parent.parent
GIVEN = {"HOST": "imap.example.com", "USER": "care@x.example", "PASSWORD": "hush"}


def read(**fields: str) -> tuple[tuple[ImapAccount, ...], list[str]]:
    return read_accounts({f"CONCIERGE_IMAP_CARE_{name}": value for name, value in (GIVEN | fields).items()})


def test_two_accounts_are_read_each_by_its_name(monkeypatch, tmp_path):
    for name in ("CARE", "PRESS_2"):
        for field, value in GIVEN.items():
            monkeypatch.setenv(f"CONCIERGE_IMAP_{name}_{field}", value)
    monkeypatch.setenv("CONCIERGE_IMAP_PRESS_2_FOLDERS", "INBOX, Junk")
    monkeypatch.setenv("CONCIERGE_IMAP_PRESS_2_TLS", "starttls")
    care, press = read_config(data=tmp_path).imap
    assert (care.name, care.port, care.folders) == ("care", 993, ("INBOX",))
    assert (press.name, press.port, press.folders) == ("press_2", 143, ("INBOX", "Junk"))
    assert "hush" not in repr(care)


@pytest.mark.parametrize(
    "field, value, what",
    [
        ("HOST", "", "is needed"),
        ("USER", "", "is needed"),
        ("PASSWORD", "", "is needed, or a token URL"),
        ("PORT", "many", "integer"),
        ("TLS", "none", "unprotected"),
        ("TLS", "ssl", "'tls', 'starttls' or 'none'"),
        ("TOKEN_URL", "http://login.example.com/token", "must begin with https://"),
        ("MOVE_TO", "INBOX", "read again"),
        ("FOLDERS", "INBOX, INBOX", "twice"),
        ("FLAG", "two words", "one word"),
        ("SINCE", "yesterday", "date"),
        ("POLL_SECONDS", "1", "greater than or equal to 5"),
    ],
)
def test_a_mistake_is_told_with_its_variable_and_an_example(field, value, what):
    _accounts, faults = read(**{field: value})
    fault = next(each for each in faults if each.startswith(f"CONCIERGE_IMAP_CARE_{field}: "))
    assert what in fault
    assert ", e.g. " in fault
    assert "hush" not in "".join(faults)


def test_what_belongs_to_a_token_is_asked_for_all_at_once():
    _accounts, faults = read(PASSWORD="", TOKEN_URL="https://login.example.com/token")
    assert [each.partition(":")[0].removeprefix("CONCIERGE_IMAP_CARE_") for each in faults] == [
        "CLIENT_ID",
        "REFRESH_TOKEN",
    ]
    asked = {"TOKEN_URL": "https://login.example.com/token", "CLIENT_ID": "we", "CLIENT_SECRET": "s", "PASSWORD": ""}
    assert read(**asked)[1] == []


def test_mistakes_of_accounts_are_told_with_all_others(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONCIERGE_PORT", "many")
    monkeypatch.setenv("CONCIERGE_IMAP_CARE_HOST", "imap.example.com")
    monkeypatch.setenv("CONCIERGE_IMAP_CARE_PASWORD", "hush")
    with pytest.raises(Misconfigured) as raised:
        read_config(data=tmp_path)
    lines = str(raised.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "CONCIERGE_IMAP_CARE_PASWORD",
        "CONCIERGE_IMAP_CARE_USER",
        "CONCIERGE_IMAP_CARE_PASSWORD",
        "CONCIERGE_PORT",
    ]
    assert "do you mean CONCIERGE_IMAP_CARE_PASSWORD?" in lines[0]


def test_the_example_and_the_manual_name_every_field_with_its_default():
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#CONCIERGE_IMAP_CARE_(\w+)=", example, re.MULTILINE)) == {each.upper() for each in FIELDS}
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("## Every setting")[2]
    said = dict(re.findall(r"\| `CONCIERGE_IMAP_…_(\w+)` \| (?:`([^`]*)`)? *\| \S.* \|", page))
    defaults = {name: ImapAccount.model_fields[name].get_default() for name in FIELDS}
    plain = {"folders": "INBOX", "port": "993", "host": "", "user": ""}
    for name, value in defaults.items():
        assert said[name.upper()] == plain.get(name, "" if value is None else str(value)), name
    assert len(said) == len(FIELDS)
