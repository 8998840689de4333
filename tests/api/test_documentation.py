"""Every example of docs/api.md, sent as it stands there and answered as it says."""

import json
import re
from pathlib import Path

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from concierge.api.commands import make_key
from tests.catalogue.builders import make_product
from tests.factories import DAY, NOW, make_mailbox

PAGE = Path(__file__).parent.parent.parent / "docs" / "api.md"
EXAMPLE = re.compile(r"```http\n(GET|POST) (\S+)\n(.*?)\n?\n(\d{3})\n(.*?)\n```", re.DOTALL)


def _alike(said: object, answered: object) -> bool:
    """Whether an answer is what the page says; … stands for anything."""
    if said == "…":
        return answered is not None
    if isinstance(said, dict) and isinstance(answered, dict):
        return said.keys() == answered.keys() and all(_alike(said[name], answered[name]) for name in said)
    if isinstance(said, list) and isinstance(answered, list):
        return len(said) == len(answered) and all(map(_alike, said, answered))
    return said == answered


def test_the_examples_are_true(session: Session, client: FlaskClient) -> None:
    make_mailbox(session)
    product = make_product(session)
    for variant in product.variants:
        for level in variant.stock:
            level.as_of = NOW - DAY
    variant = next(each for each in product.variants if each.size == "37")
    from concierge.catalogue import commands

    commands.set_stock(session, variant, location="Milano", on_hand=1, as_of=NOW - DAY)
    _key, text = make_key(session, name="Shop", scopes=("stock", "orders", "wishes"), by=None, now=NOW)
    session.commit()
    examples = EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
    assert len(examples) >= 10
    for method, path, sent, status, said in examples:
        answer = client.open(path, method=method, data=sent, headers={"Authorization": f"Bearer {text}"})
        assert (answer.status_code, answer.get_json()) and _alike(json.loads(said), answer.get_json()), (
            path, sent, answer.status_code, answer.get_json(),
        )  # fmt: skip
        assert answer.status_code == int(status)


def test_the_comparison_can_fail() -> None:
    assert not _alike({"a": [1, "…"]}, {"a": [2, 3]})
    assert not _alike({"a": 1}, {"a": 1, "b": 2})
