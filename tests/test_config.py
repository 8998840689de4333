"""Configuration: every mistake at once, each with its variable and an example."""

import re
import socket
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from concierge.cli import main
from concierge.config import Config, Misconfigured, Policy, read_config
from concierge.starting import NoPlace, require_place


def test_the_default_house_needs_nothing(tmp_path):
    config = read_config(data=tmp_path)
    assert config.is_sqlite
    assert config.base_url == "http://127.0.0.1:8000"
    assert config.outbox == tmp_path / "outbox"


def test_only_a_house_that_stands_alone_is_a_demo_unless_told(tmp_path):
    def is_demo(**settings: object) -> bool:
        return read_config(data=tmp_path, **settings).demo

    assert is_demo()
    assert is_demo(base_url="http://localhost:8000")
    assert not is_demo(host="0.0.0.0")
    assert not is_demo(base_url="https://concierge.example.com")
    assert not is_demo(provider="smtp", smtp_url="smtp://relay.example.com:25")
    assert is_demo(base_url="https://try.example.com", demo=True)
    assert not is_demo(demo=False)


def test_every_mistake_is_reported_at_once(monkeypatch, tmp_path):
    monkeypatch.setenv("CONCIERGE_PORT", "many")
    monkeypatch.setenv("CONCIERGE_PROVIDER", "smtp")
    monkeypatch.setenv("CONCIERGE_BASE_URL", "concierge")
    monkeypatch.setenv("CONCIERGE_POLICY_UNDO_SECONDS", "-1")
    with pytest.raises(Misconfigured) as raised:
        read_config(data=tmp_path)
    lines = str(raised.value).splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "CONCIERGE_POLICY_UNDO_SECONDS",
        "CONCIERGE_PORT",
        "CONCIERGE_BASE_URL",
        "CONCIERGE_SMTP_URL",
    ]
    assert all(", e.g. " in line for line in lines)


def test_every_mistake_in_a_commands_options_is_told_at_once():
    def said(*words: str) -> list[str]:
        return CliRunner().invoke(main, words).output.partition("Error: ")[2].strip().splitlines()

    three = said("run", "--port", "abc", "--smtp-port", "99999", "--prot", "1")
    assert [line[:35] for line in three] == [
        "No such option '--prot'. (Did you m",
        "Invalid value for '--port': 'abc' i",
        "Invalid value for '--smtp-port': 99",
    ]
    two = said("api-key", "add", "--scope", "everything")
    assert [line[:35] for line in two] == ["Missing argument 'NAME'.", "Invalid value for '--scope': 'every"]
    assert said("mailbox", "add", "care@maison-solenne.example") == ["Missing option '--brand'."]
    assert len(said("run", "--port", "8000", "--smtp-port", "8000")) == 1


def test_a_mistake_in_a_value_is_told_by_the_name_of_the_option_it_came_by(tmp_path):
    with pytest.raises(Misconfigured, match=r"^--smtp-port: is the pages' port too"):
        read_config(data=tmp_path, smtp_port=8000)


def test_everything_that_stands_in_the_way_of_opening_is_told_at_once(tmp_path):
    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(NoPlace) as raised:
        require_place(read_config(data=tmp_path / "file" / "data", port=other.getsockname()[1], smtp_host="999.1.1.1"))
    taken, nowhere, folder, _outbox = str(raised.value).splitlines()
    assert "choose another with --port" in taken
    assert "no address 999.1.1.1" in nowhere
    assert "The data folder" in folder


@pytest.mark.parametrize(
    "provider, missing", [("smtp", "CONCIERGE_SMTP_URL"), ("sendgrid", "CONCIERGE_SENDGRID_API_KEY")]
)
def test_a_provider_without_its_key_is_a_mistake(provider: str, missing: str, tmp_path):
    with pytest.raises(Misconfigured, match=missing):
        read_config(data=tmp_path, provider=provider)


@pytest.mark.parametrize(
    "name, value, what",
    [
        ("smtp_url", "smtp://name:password@relay.example.com", "unprotected"),
        ("smtp_url", "relay:25", "must begin with smtp://, smtps:// or smtp+starttls://"),
        ("smtp_url", "http://x", "must begin"),
        ("smtp_url", "smtps://", "name a host"),
        ("smtp_url", "smtps://relay.example.com:many", "port"),
        ("database_url", "mysql://x/y", "names mysql"),
        ("database_url", "nonsense", "can't be read"),
        ("blobs_url", "s4://bucket", "s4"),
        ("base_url", "concierge.example.com", "must begin with https://"),
        ("sendgrid_url", "https://", "name a host"),
        ("smtp_port", "8000", "the pages' port too"),
        ("return_path", "mail.example.com", "an address with a short name"),
        ("return_path", "bounces+x@mail.example.com", "no +"),
    ],
)
def test_what_could_not_work_is_said_before_anything_starts(name, value, what, monkeypatch, tmp_path):
    monkeypatch.setenv(f"CONCIERGE_{name.upper()}", value)
    with pytest.raises(Misconfigured) as raised:
        read_config(data=tmp_path)
    (line,) = str(raised.value).splitlines()
    assert line.startswith(f"CONCIERGE_{name.upper()}: ")
    assert what in line
    assert ", e.g. " in line


@pytest.mark.parametrize(
    "url", ["smtp://name:secret@localhost:25", "smtp://relay", "smtps://a:b@relay.example.com", "smtp+starttls://r:587"]
)
def test_a_relay_we_can_speak_with_is_taken(url, tmp_path):
    assert read_config(data=tmp_path, provider="smtp", smtp_url=url).smtp_url.get_secret_value() == url


def test_a_misspelt_variable_is_named_beside_the_one_it_must_mean(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONCIERGE_PORTT", "9")
    (tmp_path / ".env").write_text("CONCIERGE_POLICY_UNDO_SECOND=3\nSOMETHING_ELSE=1\nCONCIERGE_WEATHER=fair\n")
    with pytest.raises(Misconfigured) as raised:
        read_config(data=tmp_path)
    assert str(raised.value).splitlines() == [
        "CONCIERGE_POLICY_UNDO_SECOND: is no setting of the house; do you mean CONCIERGE_POLICY_UNDO_SECONDS?",
        "CONCIERGE_PORTT: is no setting of the house; do you mean CONCIERGE_PORT?",
        "CONCIERGE_WEATHER: is no setting of the house; .env.example lists them all",
    ]


def test_the_secret_is_made_once_and_ours_alone(tmp_path):
    first = read_config(data=tmp_path).secret
    assert first == read_config(data=tmp_path).secret
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0


def test_postgresql_urls_get_our_driver(tmp_path):
    assert read_config(data=tmp_path, database_url="postgres://a@b/c").database_url == "postgresql+psycopg://a@b/c"


ROOT = Path(__file__).parent.parent
ROW = re.compile(r"\| `(CONCIERGE_\w+)` \| (?:`([^`]*)`)? *\| (\S.*) \|")


def defaults() -> dict[str, str]:
    """Every setting with its default as people write it; "" for those that are worked out or have none."""
    fields = {f"CONCIERGE_{name.upper()}": field for name, field in Config.model_fields.items()}
    del fields["CONCIERGE_POLICY"], fields["CONCIERGE_IMAP"]  # a page of their own, see test_imap_settings
    fields |= {f"CONCIERGE_POLICY_{name.upper()}": field for name, field in Policy.model_fields.items()}
    values = {name: field.get_default(call_default_factory=True) for name, field in fields.items()}
    values["CONCIERGE_DEMO"] = None  # depends on who reaches the house
    return {name: "" if str(value) in {"", "None", "{}"} else _written(value) for name, value in values.items()}


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_the_example_names_every_setting_and_no_other():
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = {line.lstrip("#").partition("=")[0] for line in example.splitlines() if line.startswith("#CONCIERGE_")}
    assert {name for name in named if not name.startswith("CONCIERGE_IMAP_")} == set(defaults())


def test_the_manual_says_of_every_setting_what_it_means_and_its_default():
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("## Every setting")[2]
    said = {name: default for name, default, _means in ROW.findall(page)}
    assert said == defaults()


def test_the_house_is_closed_on_the_days_named_each_year_or_once():
    policy = Policy(closed_days="12-24..01-06, 2026-08-17, 02-29")
    closed = {date(2026, 12, 24), date(2027, 1, 6), date(2030, 1, 1), date(2026, 8, 17), date(2028, 2, 29)}
    opened = {date(2026, 12, 23), date(2027, 1, 7), date(2027, 8, 17), date(2027, 3, 1)}
    assert {day for day in closed | opened if policy.is_closed(day)} == closed
    assert not Policy().is_closed(date(2026, 12, 25))
    for nonsense in ("Christmas", "12-32", "02-30", "24.12.", "2026-08-10..08-20", "12-24...12-26", "2026-13-01"):
        with pytest.raises(ValueError):
            Policy(closed_days=nonsense)
