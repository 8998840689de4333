"""The OpenAPI document: lawful, and true of every route of the API; test_documentation holds the examples to it."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from concierge.api.models import SCOPES
from concierge.api.v1.description import calls_of, describe, path_of
from concierge.api.v1.wiring import stock
from concierge.config import Config


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    return describe(app, "https://house.example")


def test_the_document_keeps_to_its_standard(document: dict[str, Any]):
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    broken = document | {"paths": {"/x": {"get": {"responses": {"200": {"content": {}}}}}}, "components": {}}
    assert list(OpenAPIV31SpecValidator(broken).iter_errors())  # the control


def test_every_route_stands_in_it_with_its_methods_and_parameters(app: Flask, document: dict[str, Any]):
    routes = {
        (path_of(rule), method.lower(), frozenset(rule.arguments))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and rule.endpoint != "api_v1.openapi"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (path, method, frozenset(each["name"] for each in operation.get("parameters", ())))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert described == routes
    assert len(routes) >= 6


def test_every_error_a_call_may_break_stands_in_it_with_its_status(app: Flask, document: dict[str, Any]):
    for rule, call in calls_of(app):
        for operation in document["paths"][path_of(rule)].values():
            assert {"401", "403", "429", "503"} <= operation["responses"].keys()
            assert operation["tags"] == [call.scope]
            assert call.scope in SCOPES
            for error in call.breaks:
                assert f"{error.__name__}: " in operation["responses"][str(error.status)]["description"]


def test_a_route_that_says_nothing_of_itself_is_noticed(app: Flask):
    app.view_functions["api_v1.stock"] = stock._report
    with pytest.raises(AttributeError):
        describe(app, "")


def test_anybody_may_read_it(client: FlaskClient, config: Config):
    answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.get_json()["servers"]) == (200, [{"url": config.base_url}])
    assert "Set-Cookie" not in answer.headers
