"""Casts the stories: who tells which, about what, until there are two hundred conversations and no two alike."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from concierge.demo.stories import Entry, Story, Turn, choose, fill

HOW_MANY = 200
_KINDS = {"shoes": ("sandals", "shoes", "boots")}
_ARTICLES = {
    "Sandali": "i", "Mules": "le", "Décolleté": "le", "Slingback": "le", "Ballerine": "le", "Mocassini": "i",
    "Stivaletti": "gli", "Stivali": "gli", "Borsa": "la", "Secchiello": "il", "Clutch": "la", "Cesta": "la",
    "Abito": "l’", "Cappotto": "il", "Blazer": "il", "Maglione": "il", "Cardigan": "il", "Gonna": "la",
    "Camicia": "la", "Carré": "il", "Stola": "la", "Cerchi": "i", "Orecchini": "gli", "Collana": "la",
    "Bracciale": "il", "Anello": "l’", "Cintura": "la",
}  # fmt: skip

Sheet = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Telling:
    """One story, told: to whom it happened, about what, in which words, and how it stands now."""

    customer: Sheet
    product: Sheet
    language: str
    subject: str
    entries: tuple[Entry, ...]
    tags: tuple[str, ...]
    end: str
    editor: str
    photo: str


def cast(
    stories: Sequence[Story], customers: Sequence[Sheet], products: Sequence[Sheet], chance: Random
) -> list[Telling]:
    """HOW_MANY tellings: every story that is told once, and the others in turn, each time by somebody else."""
    told: Counter[str] = Counter()
    tellings = [_tell(story, customers, products, chance, told) for story in stories if story.once]
    rounds = _rounds([story for story in stories if not story.once], chance)
    openings: set[str] = set()
    while len(tellings) < HOW_MANY:
        telling = _tell(next(rounds), customers, products, chance, told)
        if telling.entries[0].text not in openings:
            openings.add(telling.entries[0].text)
            tellings.append(telling)
    return tellings


def _rounds(stories: list[Story], chance: Random) -> Iterator[Story]:
    """The stories again and again, English and Italian in turn, each round in another order."""
    by_language = [[story for story in stories if story.language == language] for language in ("en", "it")]
    queues: list[list[Story]] = [[], []]
    while True:
        for queue, all_of_it in zip(queues, by_language, strict=True):
            if not queue:
                queue.extend(chance.sample(all_of_it, len(all_of_it)))
            yield queue.pop()


def _tell(
    story: Story, customers: Sequence[Sheet], products: Sequence[Sheet], chance: Random, told: Counter[str]
) -> Telling:
    about = [product for product in products if _is_about(product, story)]
    able = [customer for customer in customers if _may_tell(customer, story)]
    pairs = [(c, p) for c in able for p in about if _fits(c, p, story)]
    least = min(told[customer["key"]] for customer, _product in pairs)
    customer, product = chance.choice([(c, p) for c, p in pairs if told[c["key"]] == least])
    told[customer["key"]] += 1
    values = _values(customer, product, story.language, chance)
    entries = story.entries if story.once or chance.random() > 0.17 else story.entries[:1]
    return Telling(
        customer=customer,
        product=product,
        language=story.language,
        subject=fill(choose(story.subject, chance), values),
        entries=tuple(
            Entry(each.turn, fill(choose(each.text, chance), values), each.by, each.has_photo) for each in entries
        ),
        tags=story.tags,
        end=story.end or _end(entries, chance),
        editor=story.editor or chance.choice(_EDITORS[story.language]),
        photo=story.photo or product["picture"],
    )


_EDITORS = {"en": ("nadia", "nadia", "nadia", "chiara"), "it": ("chiara", "chiara", "chiara", "nadia")}


def _may_tell(customer: Sheet, story: Story) -> bool:
    if story.who:
        return customer["key"] in story.who
    has_a_part = customer["key"] in {"barbara", "imogen", "priya"} or not customer["name"]
    return customer["lang"] == story.language and not has_a_part and bool(customer["shoes"])


def _fits(customer: Sheet, product: Sheet, story: Story) -> bool:
    """What she finds sold out in her size really is."""
    return story.once or "sold out" not in story.tags or customer["shoes"] in product["none"]


def _is_about(product: Sheet, story: Story) -> bool:
    if "any" in story.products:
        return True
    kinds = {kind for name in story.products for kind in _KINDS.get(name, (name,))}
    return product["category"] in kinds or product["code"] in kinds


def _values(customer: Sheet, product: Sheet, language: str, chance: Random) -> dict[str, str]:
    first = customer["name"].split()[0] if customer["name"] else ""
    name = product[language]["name"]
    model = name[0].lower() + name[1:]
    article = _ARTICLES.get(name.split()[0], "")
    greeting = {"en": ("Dear", "Good morning,"), "it": ("Gentile", "Buongiorno,")}[language]
    return {
        "first": first,
        "address": (customer.get("more") or [customer["address"]])[0],
        "dear": f"{greeting[0]} {first}," if first else greeting[1],
        "size": customer["shoes"],
        "dress": customer["dress"],
        "product": name,
        "model": model,
        "the": f"the {name}" if language == "en" else f"{article} {model}".replace("’ ", "’"),
        "colour": product["colour"].lower(),
        "order": f"S-{chance.randrange(41_000, 58_000)}",
    }


def _end(entries: Sequence[Entry], chance: Random) -> str:
    """How an exchange like this stands: nobody answers a thank-you, and most of what is answered is closed."""
    people = [entry for entry in entries if entry.turn in (Turn.HERS, Turn.OURS)]
    if len(people) == 1:
        return "waiting"
    if people[-1].turn is Turn.HERS:
        return chance.choices(("closed", "waiting"), (90, 10))[0]
    return chance.choices(("closed", "answered", "snoozed"), (66, 26, 8))[0]
