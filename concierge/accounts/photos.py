"""An editor's photo: whatever she uploads becomes one small square JPEG without metadata."""

from io import BytesIO

from PIL import Image, ImageOps

from concierge.errors import BadInput

SIDE = 480
_PIXELS = 50_000_000
_FORMATS = ("JPEG", "PNG", "WEBP")


class NotAPhoto(BadInput):
    """This file is not a photo we can read; use a JPEG, PNG or WebP of at most 50 megapixels."""


def square(data: bytes) -> bytes:
    """`data` as a square JPEG of 480 pixels, turned upright, cut from the middle; raises NotAPhoto."""
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as picture:
            if picture.width * picture.height > _PIXELS:  # refused before a single pixel is decoded
                raise NotAPhoto
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            face = ImageOps.fit(upright, (SIDE, SIDE), Image.Resampling.LANCZOS, centering=(0.5, 0.4))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NotAPhoto from error
    out = BytesIO()
    face.save(out, "JPEG", quality=86, optimize=True)
    return out.getvalue()
