"""The commands `concierge editor` and `concierge mailbox`, as a new house types them."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from concierge.accounts import queries
from concierge.cli import main
from concierge.config import Config
from tests.factories import make_editor, sign_in

Type = Callable[..., Result]


@pytest.fixture
def typed(config: Config, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Type a command; what it said, and how it ended.

    The tests' PostgreSQL is quick and may lose what it was told; the commands rightly refuse to work on it.
    """
    if not config.is_sqlite:
        pytest.skip("this PostgreSQL would lose mail")
    for name, value in {"DATA": str(config.data), "DATABASE_URL": config.database_url, "DEMO": "false"}.items():
        monkeypatch.setenv(f"CONCIERGE_{name}", value)
    return lambda *words, answers="": CliRunner().invoke(main, words, input=answers)


def test_a_house_opens_its_mailbox_and_lets_its_first_editor_in(typed, session, client):
    opened = typed("mailbox", "add", "Care@Maison.example", "--brand", "Maison", "--language", "it")
    assert (opened.output, opened.exit_code) == ("Mail to Care@Maison.example is taken in from now on.\n", 0)
    assert queries.find_mailbox(session, "care+key@maison.example") is not None
    session.commit()
    assert typed("mailbox", "list").output == "care@maison.example, Maison, it\n"
    password = "turquoise-sandals"
    added = typed(
        "editor", "add", "Nadia Ferrant", "nadia@maison.example", "--role", "admin", "--title", "Fashion Editor",
        answers=f"{password}\n{password}\n",
    )  # fmt: skip
    assert added.exit_code == 0, added.output
    assert "Nadia Ferrant can sign in now." in added.output
    assert password not in added.output
    assert typed("editor", "list").output == "Nadia Ferrant <nadia@maison.example>, admin\n"
    nadia = queries.find_editor_by_email(session, "nadia@maison.example")
    session.commit()
    sign_in(client, nadia, password)
    assert client.get("/mail-in").status_code == 200


def test_a_new_password_by_command_ends_her_open_sessions(typed, session, client):  # T37
    nadia = make_editor(session)
    session.commit()
    sign_in(client, nadia)
    assert client.get("/mail-in").status_code == 200
    changed = typed("editor", "password", nadia.email, "--password", "a-new-one-of-hers")
    assert (changed.output, changed.exit_code) == ("The new password holds from now on.\n", 0)
    assert client.get("/mail-in").status_code == 302
    sign_in(client, nadia, "a-new-one-of-hers")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("editor", "add", "Nadia", "no address", "--password", "turquoise-sandals"), "no address is not an address"),
        (("editor", "add", "Nadia", "n@x.example", "--password", "short"), "a password has 10 characters or more"),
        (("editor", "add", "Nadia", "n@x.example", "--role", "duchess"), "'duchess' is not one of"),
        (("editor", "add", "Chiara", "chiara@maison-solenne.example", "--password", "turquoise-sandals"), "already"),
        (("editor", "password", "nobody@x.example", "--password", "turquoise-sandals"), "no editor"),
        (("mailbox", "add", "care", "--brand", "Maison"), "care is not an address"),
        (("mailbox", "add", "care@maison.example"), "--brand"),
    ],
)
def test_a_mistake_is_one_sentence_and_changes_nothing(typed, session, words, said):
    make_editor(session, "Chiara Bellini")
    session.commit()
    result = typed(*words)
    assert result.exit_code != 0
    assert said.lower() in result.output.lower(), result.output
    assert "Traceback" not in result.output
    assert len(queries.list_editors(session)) == 1


def test_a_mailbox_is_opened_once(typed):
    words = ("mailbox", "add", "care@maison.example", "--brand", "Maison")
    assert typed(*words).exit_code == 0
    again = typed(*words)
    assert again.exit_code == 1
    assert again.output.startswith("Error: ")
