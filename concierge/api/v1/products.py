"""The shop tells of its products: what each is called and costs, how it looks, in which sizes and colours it comes."""

import binascii
from base64 import b64decode

from flask import jsonify
from flask.typing import ResponseReturnValue

from concierge import clock
from concierge.api.answers import ProductOut
from concierge.api.shapes import Misshapen, PictureIn, ProductIn, ProductVariantIn, read, sku_taken
from concierge.api.v1.callers import body, bp, for_keys, lock_let_go, source
from concierge.catalogue.goods import Picture, ProductReport, VariantReport, Wording, category_of, is_code
from concierge.catalogue.models import Product, ProductIncomplete
from concierge.catalogue.pictures import NotAPicture, keep_picture
from concierge.catalogue.products import Reported, report_product
from concierge.extensions import db, house_blobs, house_config


@bp.put("/products/<code>")
@for_keys("products", takes=(ProductIn,), gives={200: (ProductOut,)}, breaks=(ProductIncomplete,))
def product(code: str) -> ResponseReturnValue:
    """Make a product, or change it to what is said; what is left out stays as it is."""
    sent = read(ProductIn, body())
    if not is_code(code):
        how = "Use up to 40 characters, no slash among them, and none of the words pick, stock, safety."
        raise Misshapen([{"where": "code", "what": "No product can be called so.", "how": how}])
    variants = sent.variants or []
    _require_distinct(variants)
    pictures = None
    if sent.pictures is not None:
        with lock_let_go():
            pictures = _keep(sent.pictures)
    report = ProductReport(
        code=code,
        designer=sent.designer,
        category=sent.category and category_of(sent.category),
        season=sent.season,
        price_cents=sent.price_cents,
        currency=sent.currency,
        link=sent.link,
        tags=None if sent.tags is None else tuple(sent.tags),
        texts={language: Wording(each.name, each.description) for language, each in sent.texts.items()},
        variants=tuple(VariantReport(each.sku, each.size, each.size_system, each.colour) for each in variants),
        names_all=sent.variants is not None,
        pictures=pictures,
        as_of=sent.as_of,
    )
    reported = report_product(db.session, report, source=source(), now=clock.now(), policy=house_config().policy)
    _refuse_elsewhere(variants, reported)
    return jsonify(code=code, state=reported.state.value, **_shown(reported.product))


def _shown(product: Product) -> dict[str, list[object]]:
    return {
        "variants": [
            {"sku": each.sku, "size": each.size, "size_system": each.size_system, "colour": each.colour}
            for each in sorted(product.variants, key=lambda each: (each.position, each.id))
        ],
        "pictures": [f"{house_config().base_url}/pictures/{each.blob_key}" for each in product.pictures],
    }


def _require_distinct(variants: list[ProductVariantIn]) -> None:
    first: dict[str, int] = {}
    faults = [
        sku_taken(f"variants[{number}].sku", f"variants[{earlier}]")
        for number, each in enumerate(variants)
        if (earlier := first.setdefault(each.sku, number)) != number
    ]
    if faults:
        raise Misshapen(faults[:20])


def _refuse_elsewhere(variants: list[ProductVariantIn], reported: Reported) -> None:
    faults = [
        sku_taken(f"variants[{number}].sku", reported.elsewhere[each.sku])
        for number, each in enumerate(variants)
        if each.sku in reported.elsewhere
    ]
    if faults:
        raise Misshapen(faults[:20])


def _keep(sent: list[PictureIn]) -> tuple[Picture, ...]:
    """Read and keep each picture, as every other that comes from outside; raises Misshapen."""
    kept, faults = [], []
    for number, each in enumerate(sent):
        try:
            kept.append(keep_picture(house_blobs(), b64decode(each.data, validate=True), colour=each.colour))
        except (binascii.Error, ValueError, NotAPicture):
            how = "Send a JPEG, PNG, WebP or GIF of at most 60 megapixels, in base64."
            faults.append({"where": f"pictures[{number}].data", "what": "We can't read this picture.", "how": how})
    if faults:
        raise Misshapen(faults)
    return tuple(kept)
