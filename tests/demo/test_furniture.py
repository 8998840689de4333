import re
from random import Random

import pytest

from concierge.demo import goods
from concierge.demo.casting import HOW_MANY, cast
from concierge.demo.correspondence import stories
from concierge.demo.drawing import drawings, svg
from concierge.demo.stories import Turn, choose, fill, read_stories
from concierge.templating.check import check
from concierge.templating.rendering import render, render_subject, values_for

PRODUCTS = goods.read("products")["product"]
CUSTOMERS = goods.read("customers")["customers"]
TEMPLATES = goods.read("templates")["template"]
HOUSE = goods.read("house")
CODES = {each["code"] for each in PRODUCTS}


class Words:
    """What a template may know of a product, an editor or a customer."""

    def __init__(self, **facts: str) -> None:
        self.__dict__.update(facts)


def product_in(language: str, sheet: dict) -> Words:
    return Words(
        sku=goods.sku(sheet["code"], "36"),
        name=sheet[language]["name"],
        designer=sheet["designer"],
        colour=sheet["colour"],
        size="36",
        price="€420.00",
        link="https://maison-solenne.example/",
    )


def test_the_house_has_about_forty_products_sixty_customers_and_four_editors():
    assert len(PRODUCTS) == 42
    assert len(CUSTOMERS) == 62  # two of whom sell something themselves
    assert sum(each["lang"] == "it" for each in CUSTOMERS) == 31
    assert [each["key"] for each in HOUSE["editor"]] == ["nadia", "chiara", "omar", "marta"]


def test_every_product_has_two_languages_a_picture_and_lawful_sizes():
    runs, names = goods.read("products")["sizes"], set()
    for each in PRODUCTS:
        assert goods.picture(each["picture"]).startswith(b"\xff\xd8"), each["code"]
        assert set(each["none"] + each["last"]) <= set(runs[each["sizes"]]["run"]), each["code"]
        assert each["en"]["description"] and each["it"]["description"]
        names.add((each["en"]["name"], each["colour"]))
    assert len(CODES) == len(names) == len(PRODUCTS)


def test_every_picture_that_is_planned_is_drawn_and_light_enough_for_a_mail():
    for name, template, values, _size in drawings():
        assert (goods.HERE / "pictures" / f"{name}.jpg").stat().st_size <= 60_000, name
        assert svg(template, values) == svg(template, values), "a drawing must be the same every time"


def test_addresses_are_each_given_once_and_lead_nowhere_real():
    addresses = [address for each in CUSTOMERS for address in (each["address"], *each.get("more", ()))]
    assert len(set(addresses)) == len(addresses)
    assert all(re.search(r"[@.]example(\.|$)", address) for address in addresses)


@pytest.mark.parametrize("sheet", TEMPLATES, ids=lambda sheet: sheet["name"])
@pytest.mark.parametrize("language", ["en", "it"])
def test_a_template_can_be_saved_and_leaves_no_hole_for_anybody(app, sheet, language):
    words = sheet[language]
    with app.test_request_context():
        assert not check(words["subject"], single_line=True)
        assert not check(words["body"].strip())
    editor = HOUSE["editor"][0]
    for customer in [each for each in CUSTOMERS if each["lang"] == language]:
        first = customer["name"].split()[0] if customer["name"] else ""
        values = values_for(
            customer=Words(name=customer["name"], first_name=first),
            size=customer["shoes"],
            editor=Words(name=editor["name"], first_name="Nadia"),
            editor_title=editor["title"],
            sign_off=editor["sign_off"][language],
            brand=HOUSE["brand"],
            address=HOUSE["mailbox"][0]["address"],
            product=product_in(language, PRODUCTS[0]),
        )
        subject, body = render_subject(words["subject"], values), render(words["body"].strip(), values)
        assert subject and "{" not in subject + body
        assert first in body.split("\n")[0], "she is greeted by her name"
        assert not re.search(r" [,.;:!?]|,,|^,|\bNone\b|Dear ,|  ", body, re.MULTILINE), body


def test_every_story_speaks_of_people_and_products_there_are():
    keys = {each["key"] for each in CUSTOMERS}
    editors = {each["key"] for each in HOUSE["editor"]}
    kinds = {each["category"] for each in PRODUCTS} | {"any", "shoes"} | CODES
    for story in stories():
        assert set(story.who) <= keys and set(story.products) <= kinds, story.subject
        assert {entry.by for entry in story.entries} | {story.editor} <= editors | {""}, story.subject
        assert set(re.findall(r"@(\w+)", story.words)) <= editors, story.subject


def test_two_hundred_conversations_are_told_with_every_place_filled():
    tellings = cast(stories(), CUSTOMERS, PRODUCTS, Random(1))
    assert len(tellings) == HOW_MANY == 200
    assert {each.language for each in tellings} == {"en", "it"}
    for each in tellings:
        words = "\n".join((each.subject, *(entry.text for entry in each.entries)))
        assert not re.search(r"[{}|]|\[\[|\]\]", words), words
        assert all(entry.text for entry in each.entries)
        assert 1 <= sum(entry.turn is not Turn.NOTE for entry in each.entries) <= 6


def test_no_two_conversations_begin_with_the_same_mail():
    tellings = cast(stories(), CUSTOMERS, PRODUCTS, Random(1))
    openings = {(each.customer["key"], each.entries[0].text) for each in tellings}
    assert len(openings) == len(tellings)


def test_a_choice_takes_one_of_each_and_an_empty_place_leaves_no_line():
    assert choose("[[a [[b|b]]|a b]]", Random(0)) == "a b"
    assert fill("Thanks,\n{first}", {"first": ""}) == "Thanks,"


def test_a_story_that_does_not_begin_with_her_is_refused():
    with pytest.raises(ValueError, match="Hello"):
        read_stories("=== tags: x\nHello\n<\nOur answer\n", "en")
