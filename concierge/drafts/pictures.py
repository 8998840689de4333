"""Pictures in the size a mail shows them: made once, kept as blobs beside the originals."""

from dataclasses import dataclass
from functools import lru_cache

from concierge.blobs import BlobStore
from concierge.catalogue.pictures import shrink
from concierge.errors import NotFound

# Twice what the letter shows, for screens with small pixels.
CARD_WIDTH = 480
FACE_SIDE = 136
PLACED_WIDTH = 1088
CONTENT_TYPE = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Twin:
    """A picture's mail-sized twin: its blob and how many bytes it has."""

    key: str
    size: int


class MailPictures:
    """Gives a picture's mail-sized twin; asks the store only for what it has not seen before."""

    def __init__(self, store: BlobStore) -> None:
        """`store` holds the originals and receives the twins."""
        self._store = store
        self._made = lru_cache(maxsize=4096)(self._make)

    def card(self, key: str) -> Twin | None:
        """For a product card, 480 pixels wide; None when the picture can't be read."""
        return self._made(key, CARD_WIDTH, False)

    def face(self, key: str) -> Twin | None:
        """For a signature, 136 pixels square."""
        return self._made(key, FACE_SIDE, True)

    def placed(self, key: str) -> Twin | None:
        """For a picture placed in the text, as wide as the letter at most."""
        return self._made(key, PLACED_WIDTH, False)

    def _make(self, key: str, width: int, square: bool) -> Twin | None:
        try:
            data = self._store.get(key)
        except NotFound:
            return None
        small = shrink(data, width, square=square)
        return Twin(self._store.put(small), len(small)) if small else None
