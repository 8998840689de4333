"""Pages of the catalogue: all products, one product with its sizes and stock, the product picker, and the pictures."""

import re
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_security import current_user

from concierge.blobs import BlobMissing
from concierge.catalogue import ledger, queries, stock_views
from concierge.catalogue.cards import card_of, colours_words, labels_of, picture_of
from concierge.catalogue.forms import ProductSearchForm
from concierge.catalogue.models import Product, Variant
from concierge.catalogue.naming import category_name, colour_name, price_text
from concierge.catalogue.sizes import all_systems, kind_of
from concierge.config import LANGUAGES
from concierge.extensions import db, house_blobs
from concierge.web.choices import SelectChoice
from concierge.web.rendering import render
from concierge.web.security import public

bp = Blueprint("catalogue", __name__)

# Products on the page at first, and with each "More"; nobody reads on for ever.
AT_ONCE, MOST = 120, 6000
# What a browser shows as a picture and never as a page.
PICTURE_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "image/avif", "image/gif"})


@dataclass(frozen=True, slots=True)
class Tile:
    """A product in the grid."""

    code: str
    name: str
    designer: str
    colours: str
    price: str
    picture_key: str | None
    sizes_left: int
    sizes: int


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(bp)
    stock_views.init_app(app)


@bp.get("/catalogue")
def index() -> ResponseReturnValue:
    """All products, or those looked for."""
    form = ProductSearchForm(request.args)
    counts = queries.count_categories(db.session)
    form.category.choices = [SelectChoice(each, category_name(each)) for each in counts]
    shown = min(max(request.args.get("shown", type=int, default=AT_ONCE), AT_ONCE), MOST)
    products = queries.search_products(
        db.session,
        (form.q.data or "")[:200],
        category=form.category.data or "",
        designer=form.designer.data or "",
        season=form.season.data or "",
        stock=form.stock.data or "",
        in_stock=bool(form.in_stock.data),
        limit=shown + 1,
    )
    more: dict[str, Any] = {each.name: request.args[each.name] for each in form if each.name in request.args}
    more["shown"] = shown + AT_ONCE
    return render(
        "catalogue/index.html",
        block="tiles",
        form=form,
        tiles=[_tile(product) for product in products[:shown]],
        more=url_for(".index", **more) if len(products) > shown < MOST else None,
        counts=counts,
        names={each: category_name(each) for each in counts},
        designers=queries.list_designers(db.session),
        seasons=queries.list_seasons(db.session),
        waiting=ledger.count_waiting(db.session),
    )


@bp.get("/catalogue/<code>")
def show(code: str) -> ResponseReturnValue:
    """One product: its words in each language, its pictures, its sizes and where they are."""
    product = queries.get_product(db.session, code)
    variants = queries.list_variants(db.session, product)
    locations = sorted({level.location for variant in variants for level in variant.stock})
    return render(
        "catalogue/show.html",
        product=product,
        picture=picture_of(product),
        variants=variants,
        locations=locations,
        stock={each.sku: {level.location: level.on_hand for level in each.stock} for each in variants},
        category=category_name(product.category),
        prices={language: price_text(product.price_cents, product.currency, language) for language in LANGUAGES},
        colours={each.colour: colour_name(each.colour, _page_language()) for each in variants},
        labels=labels_of(product, _page_language()),
        sizes={each.sku: _other_sizes(each) for each in variants},
        events=ledger.list_events_of(db.session, product),
        restocks=ledger.list_restocks_of(db.session, product),
        returns=ledger.list_returns(db.session, variants),
        may_write=any(role in {"merchandiser", "admin"} for role in current_user.roles),
        has_wishes="/wishes/of/<code>" in {rule.rule for rule in current_app.url_map.iter_rules()},
    )


@bp.get("/catalogue/pick")
def pick() -> ResponseReturnValue:
    """The options of the product picker: ?q= what is typed, ?language= the customer's, ?sizes= those that are hers.

    Each option is a button that carries its SKU, for a script, or as `name` (?name=) of the form (?form=) it stands in.
    """
    language = request.args.get("language", "")
    language = language if language in LANGUAGES else _page_language()
    found = queries.search_variants(db.session, request.args.get("q", "")[:200])
    return render(
        "catalogue/pick.html",
        cards=[card_of(variant, language) for variant in found],
        name=request.args.get("name", ""),
        form=request.args.get("form", ""),
        formaction=_own_path(request.args.get("formaction", "")),
    )


@bp.get("/pictures/<key>")
@public
def picture(key: str) -> ResponseReturnValue:
    """A product's picture, for pages and for mails; the key is its content, so it never changes."""
    found = queries.find_picture(db.session, key)
    if found is None or found.content_type not in PICTURE_TYPES:
        raise BlobMissing
    response = Response(b"", mimetype=found.content_type)
    response.set_etag(key)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if request.if_none_match.contains(key):
        response.status_code = 304
    else:
        response.set_data(house_blobs().get(key))
    return response


def _own_path(path: str) -> str:
    """The path when it is one of this house, else nothing."""
    return path if re.fullmatch(r"(/[\w-]+)+", path) else ""


def _page_language() -> str:
    locale = get_locale()
    return locale.language if locale and locale.language in LANGUAGES else "en"


def _other_sizes(variant: Variant) -> str:
    """The size in the systems it is not written in, "UK 3 · US 6"; those that write it alike are left out."""
    systems = all_systems(kind_of(variant.product.category), variant.size, variant.size_system)
    return " · ".join(f"{system} {size}" for system, size in systems.items() if size != variant.size)


def _tile(product: Product) -> Tile:
    language = _page_language()
    shown = picture_of(product)
    return Tile(
        code=product.code,
        name=product.name(language),
        designer=product.designer,
        colours=colours_words(product, language),
        price=price_text(product.price_cents, product.currency, language),
        picture_key=shown.blob_key if shown else None,
        sizes_left=sum(1 for each in product.variants if each.available),
        sizes=len(product.variants),
    )
