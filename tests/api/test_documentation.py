"""Every example of docs/api.md, sent as it stands there, answered as it says, and both as the OpenAPI document says."""

import json
import re
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from sqlalchemy.orm import Session

from concierge.api.commands import make_key
from tests.catalogue.builders import make_product, put_on_shelf
from tests.factories import DAY, NOW, make_mailbox

PAGE = Path(__file__).parent.parent.parent / "docs" / "api.md"
EXAMPLE = re.compile(r"```http\n(GET|POST|PUT) (\S+)\n(.*?)\n?\n(\d{3})\n(.*?)\n```", re.DOTALL)


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
    put_on_shelf(session, next(each for each in product.variants if each.size == "37"), 1, location="Milano")
    for variant in product.variants:
        for level in variant.stock:
            level.as_of = NOW - DAY
    _key, text = make_key(session, name="Shop", scopes=("products", "stock", "orders", "wishes"), by=None, now=NOW)
    session.commit()
    examples = EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
    assert len(examples) >= 10
    document = client.get("/api/v1/openapi.json").get_json()
    for method, path, sent, status, said in examples:
        answer = client.open(path, method=method, data=sent, headers={"Authorization": f"Bearer {text}"})
        assert (answer.status_code, answer.get_json()) and _alike(json.loads(said), answer.get_json()), (
            path, sent, answer.status_code, answer.get_json(),
        )  # fmt: skip
        assert answer.status_code == int(status)
        assert _broken_promises(document, f"{method} {path}", sent, answer.status_code, answer.get_json()) == []


def _broken_promises(document: dict[str, Any], call: str, sent: str, status: int, answered: object) -> list[str]:
    """Where an exchange is not as the OpenAPI document says; what is refused as misshapen must be so by its schema."""
    method, path = call.split()
    operation = next(
        operations[method.lower()]
        for template, operations in document["paths"].items()
        if re.fullmatch(re.sub(r"\{\w+\}", ".+", template), path)
    )
    broken = _faults(document, operation["responses"][str(status)], answered)
    if sent and (status == 422) != bool(_faults(document, operation["requestBody"], json.loads(sent))):
        broken.append(f"{path}: the document thinks otherwise of {sent}")
    return broken


def _faults(document: dict[str, Any], said: dict[str, Any], value: object) -> list[str]:
    schema = said["content"]["application/json"]["schema"] | {"components": document["components"]}
    checker = Draft202012Validator.FORMAT_CHECKER
    return [fault.message for fault in Draft202012Validator(schema, format_checker=checker).iter_errors(value)]


def test_an_exchange_that_breaks_a_promise_is_noticed(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").get_json()
    report = '{"id": "1", "sku": "A", "units": 1, "as_of": "2026-05-12T08:00:00Z"}'
    answer = {"id": "1", "sku": "A", "state": "applied", "on_hand": 1, "available": 1}
    call = "POST /api/v1/stock"
    assert _broken_promises(document, call, report, 200, answer) == []
    assert _broken_promises(document, call, report, 200, answer | {"more": 1})
    assert _broken_promises(document, call, report.replace("units", "pieces"), 200, answer)
    assert _broken_promises(document, call, report, 422, {"error": {"name": "Misshapen", "what": "", "faults": []}})


def test_the_comparison_can_fail() -> None:
    assert not _alike({"a": [1, "…"]}, {"a": [2, 3]})
    assert not _alike({"a": 1}, {"a": 1, "b": 2})
