"""Every route, whoever adds one: who gets in without a sign-in, and what changes without a form token."""

import pytest
from flask import Flask
from werkzeug.routing import Rule

from concierge.app import create_app

# Behind a signed link of a mail: the address is the key, and no cookie is read (T31).
HERS = {
    "public.request_page": "the link of the first mail",
    "public.confirm_request": "its button",
    "public.fresh_request": "asks for a fresh one",
    "public.noted_page": "a wish an editor noted",
    "public.confirm_noted": "its yes",
    "public.decline_noted": "its no",
    "public.fresh": "a fresh link to the address on file",
    "public.her_wishes": "her wishes",
    "public.change": "changes one of hers",
    "public.withdraw": "withdraws one of hers",
    "public.renew": "keeps one of hers",
    "public.wake": "ends the rest of one of hers",
    "public.offer_page": "a piece held for her",
    "public.take": "takes it",
    "public.let_pass": "passes",
    "public.put_off": "not now",
    "public.unsubscribe_page": "no more mails",
    "public.unsubscribe": "one click (RFC 8058)",
    "public.resubscribe": "and back",
    "public.decline_page": "only letters that somebody wrote to her",
    "public.decline": "one click (RFC 8058)",
    "public.accept": "and back",
}
# Open to anybody, each for a reason.
PUBLIC = {
    "static": "styles and scripts",
    "security.static": "Flask-Security's own scripts",
    "accounts.photo": "an editor's face stands under her letters",
    "accounts.change_language": "before sign-in too",
    "security.login": "signing in",
    "security.logout": "signing out twice is fine",
    "security.forgot_password": "a new password by mail",
    "security.reset_password": "a new password by mail",
    "mails.picture": "the frame that shows a mail sends no cookie; the address is signed",
    "catalogue.picture": "pictures stand in mails",
    "inbound_webhooks.sendgrid": "has a secret of its own in the URL",
    "mailing_webhooks.sendgrid_events": "is signed",
    "catalogue_webhooks.shopify": "is signed",
    "catalogue_webhooks.woocommerce": "is signed",
    "api_v1.openapi": "the description of the API, as docs/api.md is",
    "api_v1.product": "has a key",
    "api_v1.stock": "has a key",
    "api_v1.returns": "has a key",
    "api_v1.orders": "has a key",
    "api_v1.variant": "has a key",
    "api_v1.hold": "has a key",
    "api_v1.ask": "has a key",
    "public.script": "the wish form for the shop's pages",
    "public.texts": "its words",
    "public.form": "the same form on a page of ours",
    "public.ask": "whoever wishes for a piece; double opt-in and caps (T29)",
    "public.asked": "says thank you, and knows nothing",
    "breaches.report": "browsers say what our policy kept a page from; counted, and nothing else",
    "machines.healthz": "for machines, and says nothing but that it answers",
    "machines.readyz": "for machines, and says what is wrong of nobody",
    "machines.metrics": "has a token, or is for this machine alone",
    "shop.window": "the demo's pretended shop",
    "shop.piece": "a piece in it",
    "shop.till": "its pretended checkout",
    "shop.buy": "its pretended checkout",
    "shop.sold": "its thank you",
} | HERS
# Unsafe methods without a form token, each for a reason.
WITHOUT_TOKEN = {
    "mailing_webhooks.sendgrid_events": "comes from a machine, signed",
    "catalogue_webhooks.shopify": "comes from a machine, signed",
    "catalogue_webhooks.woocommerce": "comes from a machine, signed",
    "api_v1.product": "comes from a machine, with a key",
    "api_v1.stock": "comes from a machine, with a key",
    "api_v1.returns": "comes from a machine, with a key",
    "api_v1.orders": "comes from a machine, with a key",
    "api_v1.ask": "comes from a machine, with a key",
    "inbound_webhooks.sendgrid": "comes from a machine, with a secret",
    "breaches.report": "comes from a browser, which sends none with a report",
    "public.ask": "comes from the shop's pages; reads no cookie, and asks her by mail before anything counts",
} | HERS


def _url(app: Flask, rule: Rule) -> str:
    values = {name: _value(rule, name) for name in rule.arguments}
    domain_and_path = rule.build(values)
    assert domain_and_path is not None, rule
    return domain_and_path[1]


def _value(rule: Rule, name: str) -> object:
    converter = rule._converters[name]
    if items := getattr(converter, "items", None):
        return sorted(items)[0]
    return 1 if "Integer" in type(converter).__name__ else "x"


def test_a_stranger_sees_no_page_but_the_public_ones(app: Flask):  # T35
    client = app.test_client()
    seen = set()
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods - {"OPTIONS", "HEAD"}):
            answer = client.open(_url(app, rule), method=method)
            if not (answer.status_code in {301, 302} and "/sign-in" in answer.headers["Location"]):
                seen.add(rule.endpoint)
    assert seen <= set(PUBLIC), seen - set(PUBLIC)


def test_nothing_changes_without_a_form_token(config):  # T36
    app = create_app(config)
    client = app.test_client()
    taken = set()
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods - {"OPTIONS", "HEAD", "GET"}):
            if client.open(_url(app, rule), method=method).status_code != 400:
                taken.add(rule.endpoint)
    assert taken <= set(WITHOUT_TOKEN), taken - set(WITHOUT_TOKEN)


@pytest.mark.parametrize(
    "header", ["Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control"]
)
def test_every_page_carries_its_guards(app: Flask, header: str):
    assert app.test_client().get("/sign-in").headers[header]


def test_no_script_or_style_stands_in_a_page(app: Flask):  # T15
    policy = app.test_client().get("/sign-in").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
