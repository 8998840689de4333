"""The OpenAPI 3.1 document of the API, made of its routes, the shapes they take and give, and the errors they raise."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from inspect import getdoc
from typing import Any, Final

from flask import Flask, current_app, jsonify
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule

from concierge.api.answers import ErrorOut
from concierge.api.models import SCOPES, NoKey, OtherScope
from concierge.api.shapes import Misshapen
from concierge.api.v1.callers import bp
from concierge.api.v1.calls import Call, Shapes, said
from concierge.errors import ConciergeError
from concierge.extensions import house_config
from concierge.web.security import public

_REF: Final = "#/components/schemas/{model}"
_KEY: Final = "key"
_DESCRIPTION: Final = (
    "For the shop: its products, what it has of them, what comes back, what it sold; and for its checkout: what may be "
    "sold, and what is held for whom. Whatever you report has a name of yours; the same name again changes nothing and "
    "is answered alike, so after a timeout or a 5xx send the same again."
)
_PARAMETERS: Final = {
    "code": "A product's code.",
    "sku": "A variant's SKU.",
    "token": "The hold token the checkout was opened with.",
}
# What any call may be answered, besides what its own rules say.
_WAIT: Final = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_TOO_MANY: Final = "TooManyRequests: too many calls with this key within a minute."
_BUSY: Final = "Busy: two said the same at once, or too many wrote. Nothing was changed; send the same again."
_TOO_LARGE: Final = "RequestEntityTooLarge: more than 16 MB at once."


@bp.get("/openapi.json")
@public
def openapi() -> ResponseReturnValue:
    """The description of the API, for programs; open to everybody, as docs/api.md is."""
    kept = current_app.extensions
    if "api_description" not in kept:
        kept["api_description"] = describe(current_app, house_config().base_url)
    return jsonify(kept["api_description"])


def describe(app: Flask, base_url: str) -> dict[str, Any]:
    """The whole document."""
    calls = list(calls_of(app))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Concierge", "version": "1", "description": _DESCRIPTION},
        "servers": [{"url": base_url}],
        "security": [{_KEY: []}],
        "tags": [{"name": scope} for scope in SCOPES],
        "paths": _paths(app, calls),
        "components": {
            "securitySchemes": {
                _KEY: {"type": "http", "scheme": "bearer", "description": "A key an admin made: concierge_…"}
            },
            "schemas": _schemas(call for _rule, call in calls),
        },
    }


def calls_of(app: Flask) -> Iterator[tuple[Rule, Call]]:
    """Every route of the API that wants a key, with what its view says of itself; those that say nothing raise."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        if rule.endpoint.startswith(f"{bp.name}.") and rule.endpoint != f"{bp.name}.openapi":
            yield rule, said(app.view_functions[rule.endpoint])


def path_of(rule: Rule) -> str:
    """A route's address as the document writes it: /api/v1/variants/{sku}."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)


def _paths(app: Flask, calls: Iterable[tuple[Rule, Call]]) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for rule, call in calls:
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths[path_of(rule)][method.lower()] = _operation(app, rule, call)
    return dict(paths)


def _operation(app: Flask, rule: Rule, call: Call) -> dict[str, Any]:
    words = getdoc(app.view_functions[rule.endpoint]) or ""
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.rpartition(".")[2],
        "summary": words.split("\n", 1)[0],
        "tags": [call.scope],
        "security": [{_KEY: [call.scope]}],
        "responses": _responses(call),
    }
    if rule.arguments:
        operation["parameters"] = [_parameter(name) for name in sorted(rule.arguments)]
    if call.takes:
        operation["requestBody"] = {"required": True, "content": _content(call.takes)}
    return operation


def _parameter(name: str) -> dict[str, Any]:
    return {
        "name": name, "in": "path", "required": True, "description": _PARAMETERS[name], "schema": {"type": "string"},
    }  # fmt: skip


def _responses(call: Call) -> dict[str, Any]:
    rules: dict[int, list[str]] = defaultdict(list)
    for error in (NoKey, OtherScope, *((Misshapen,) if call.takes else ()), *call.breaks):
        rules[_status(error)].append(f"{error.__name__}: {(error.__doc__ or '').strip()}")
    if call.takes:
        rules[413].append(_TOO_LARGE)
    rules[429].append(_TOO_MANY)
    rules[503].append(_BUSY)
    responses: dict[str, Any] = {}
    for status in sorted({*rules, *call.gives}):
        shapes = (*call.gives.get(status, ()), *((ErrorOut,) if status in rules else ()))
        given = [str(getdoc(shape)) for shape in call.gives.get(status, ())]
        answer = {"description": " ".join([*given, *rules.get(status, ())]), "content": _content(shapes)}
        responses[str(status)] = answer | ({"headers": _WAIT} if status in {429, 503} else {})
    return responses


def _status(error: type[ConciergeError]) -> int:
    return error.status


def _content(shapes: Shapes) -> dict[str, Any]:
    named = [{"$ref": _REF.format(model=shape.__name__)} for shape in shapes]
    return {"application/json": {"schema": named[0] if len(named) == 1 else {"anyOf": named}}}


def _schemas(calls: Iterable[Call]) -> dict[str, Any]:
    """Each shape once, by its name, with those it is made of."""
    wanted: dict[type[BaseModel], JsonSchemaMode] = {ErrorOut: "serialization"}
    for call in calls:
        wanted |= dict.fromkeys(call.takes, "validation")
        wanted |= dict.fromkeys((shape for shapes in call.gives.values() for shape in shapes), "serialization")
    _by_model, schema = models_json_schema(list(wanted.items()), ref_template=_REF)
    return dict(sorted(schema["$defs"].items()))
