"""Pictures as they are kept: read with care, made upright JPEGs on white, without what a camera wrote into them."""

from io import BytesIO
from typing import Final

from PIL import Image, ImageOps

from concierge.blobs import BlobStore
from concierge.catalogue.goods import Picture
from concierge.errors import BadInput

# As wide as a page shows a product on a screen with small pixels.
WIDTH: Final = 1600
CONTENT_TYPE: Final = "image/jpeg"
_PIXELS = 60_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_PAPER = (255, 255, 255)


class NotAPicture(BadInput):
    """This is not a picture we can read; use a JPEG, PNG, WebP or GIF of at most 60 megapixels."""


def keep_picture(store: BlobStore, data: bytes, *, colour: str = "") -> Picture:
    """Keep what a shop sent as a picture: never its own bytes, but what we read in them. Raises NotAPicture."""
    small = shrink(data, WIDTH)
    if small is None:
        raise NotAPicture
    with Image.open(BytesIO(small)) as made:
        width, height = made.size
    return Picture(store.put(small), width, height, colour)


def shrink(data: bytes, width: int, *, square: bool = False) -> bytes | None:
    """A JPEG of at most `width` pixels, upright, on white, without metadata; None for what is no picture."""
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > _PIXELS:  # refused before a single pixel is decoded
                return None
            upright = _on_paper(ImageOps.exif_transpose(picture))
            if square:
                upright = ImageOps.fit(upright, (width, width), Image.Resampling.LANCZOS)
            elif upright.width > width:
                height = max(1, round(upright.height * width / upright.width))
                upright = upright.resize((width, height), Image.Resampling.LANCZOS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    out = BytesIO()
    upright.save(out, "JPEG", quality=84, optimize=True)
    return out.getvalue()


def _on_paper(picture: Image.Image) -> Image.Image:
    if picture.mode in {"RGBA", "LA", "P", "PA"}:
        layered = picture.convert("RGBA")
        sheet = Image.new("RGBA", layered.size, (*_PAPER, 255))
        return Image.alpha_composite(sheet, layered).convert("RGB")
    return picture.convert("RGB")
