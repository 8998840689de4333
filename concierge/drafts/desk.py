"""Who sits at the desk in this request, and the house around her: her name, the configuration, the blobs."""

from functools import cache

from concierge.accounts.models import Editor
from concierge.accounts.queries import current_editor
from concierge.blobs import BlobStore
from concierge.config import Config
from concierge.drafts.letter import Faces
from concierge.drafts.pictures import MailPictures
from concierge.drafts.queries import Originals
from concierge.drafts.releasing import House
from concierge.extensions import house_config


def editor() -> Editor:
    """The editor who is signed in."""
    return current_editor()


def house() -> House:
    """What releasing and previewing must know of the house."""
    return house_of(house_config())


def house_of(config: Config) -> House:
    """The same, from a configuration."""
    limit = config.policy.attachment_megabytes * 1024 * 1024
    return House(config.secret, config.policy.zone, limit, config.base_url)


def faces() -> Faces:
    """Pictures in mail size, made when they are first asked for."""
    pictures = mail_pictures(house_config().blobs_url)
    return Faces(card=pictures.card, face=pictures.face, placed=pictures.placed)


def faces_of(config: Config, originals: Originals) -> Faces:
    """These pictures in mail size, made now: a transaction that needs them does not wait for them."""
    pictures = mail_pictures(config.blobs_url)
    return Faces(
        card={key: pictures.card(key) for key in originals.cards}.get,
        face={key: pictures.face(key) for key in originals.faces}.get,
        placed={key: pictures.placed(key) for key in originals.placed}.get,
    )


@cache
def mail_pictures(blobs_url: str) -> MailPictures:
    """The one maker of mail-sized pictures of this process."""
    return MailPictures(BlobStore(blobs_url))
