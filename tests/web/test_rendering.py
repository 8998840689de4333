import pytest
from flask import Flask

from concierge.web.rendering import wants_block


@pytest.mark.parametrize(
    ("headers", "is_part"),
    [
        ({}, False),
        ({"HX-Request": "true"}, True),
        ({"HX-Request": "true", "HX-Boosted": "true"}, False),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, False),
    ],
)
def test_a_part_of_the_page_is_given_only_to_who_can_place_it(app: Flask, headers: dict[str, str], is_part: bool):
    with app.test_request_context("/", headers=headers):
        assert wants_block() is is_part


def test_the_icon_of_an_empty_place_is_an_icon(app: Flask):
    page = "{% from 'macros/ui.html' import empty %}{{ empty('Nobody waits', '', 'mail') }}"
    with app.test_request_context("/"):
        assert '<span class="empty__mark"><svg class="icon"' in app.jinja_env.from_string(page).render()
