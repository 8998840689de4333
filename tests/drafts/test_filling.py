"""Filling an answer from a template in the composer: which product it speaks of, and what to show beside it."""

import re

from concierge.drafts import body
from concierge.templating.commands import Wording, add_template
from tests.catalogue.builders import make_product
from tests.drafts.people import make_sandals
from tests.drafts.windows import stored
from tests.factories import NOW


def test_a_template_that_speaks_of_a_product_asks_which(window, session, conversation, nadia):
    make_sandals(session)
    body_ = "Hello,\n\nlook:\n\n{{ product.card }}\n\n{{ editor.sign_off }}"
    template = add_template(
        session, name="Look", when_to_use="", wording={"en": Wording("{{ product.name }}", body_)}, by=nadia, now=NOW
    )
    session.commit()
    window.press("/fill", body_text="my own line", template_id=template.id)
    assert "“Look” speaks of a product. Which one?" in window.page
    assert "Calanque sandals" in window.page
    window.press("/fill", template_id=template.id, sku="CAL-TUR-36")
    draft = stored(session, conversation, nadia)
    assert body.to_text(draft.body) == "Hello,\n\nlook:\n\n[product CAL-TUR-36]\n\nWarmly,\nNadia\n\nmy own line"
    assert draft.template_version_id == template.current("en").id


def test_beside_a_piece_that_is_gone_one_that_is_here_in_her_size_is_proposed(window, session, conversation, nadia):
    make_sandals(session)
    for code, category, size in (("GIUDECCA", "sandals", "36"), ("SELVA", "boots", "36"), ("VERANDA", "sandals", "37")):
        make_product(session, code, name=f"{code.title()} shoe", sizes={size: 2}, category=category)
    body_ = (
        "Gone:\n\n{{ product.card }}\n\n{% if alternative.name %}\nHere:\n\n{{ alternative.card }}\n{% endif %}\nBye."
    )
    template = add_template(
        session, name="Gone", when_to_use="", wording={"en": Wording("A thought", body_)}, by=nadia, now=NOW
    )
    session.commit()
    window.press("/fill", template_id=template.id, sku="CAL-TUR-36")
    assert "Beside the Calanque sandals: something that is here?" in window.page
    assert re.findall(r'name="alternative" value="([^"]+)"', window.page) == ["GIUDECCA-36", "-"]
    window.press("/fill", template_id=template.id, sku="CAL-TUR-36", alternative="GIUDECCA-36")
    draft = stored(session, conversation, nadia)
    assert body.to_text(draft.body) == "Gone:\n\n[product CAL-TUR-36]\n\nHere:\n\n[product GIUDECCA-36]\n\nBye."


def test_a_letter_goes_without_one_where_there_is_none_or_none_is_wanted(window, session, conversation, nadia):
    make_sandals(session)
    body_ = (
        "{{ product.card }}\n\n{% if alternative.name %}\n{{ alternative.card }}\n{% else %}\nI will look.\n{% endif %}"
    )
    template = add_template(
        session, name="Gone", when_to_use="", wording={"en": Wording("A thought", body_)}, by=nadia, now=NOW
    )
    session.commit()
    window.press("/fill", template_id=template.id, sku="CAL-TUR-36")
    draft = stored(session, conversation, nadia)
    assert body.to_text(draft.body) == "[product CAL-TUR-36]\n\nI will look."
    make_product(session, "GIUDECCA", sizes={"36": 2})
    session.commit()
    window.press("/fill", template_id=template.id, sku="CAL-TUR-36", alternative="-")
    draft = stored(session, conversation, nadia)
    assert body.to_text(draft.body).startswith("[product CAL-TUR-36]\n\nI will look.")
