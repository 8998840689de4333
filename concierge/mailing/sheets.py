"""Letters sent to many: written once with its blanks, kept as a sheet, and filled in for each reader."""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from json.encoder import encode_basestring as _quoted
from operator import add
from typing import Any

from markupsafe import escape

from concierge.addresses import Address
from concierge.mailing.letters import Letter
from concierge.mailing.mail import Mail, MailFile
from concierge.rows import Encoded

# A blank, while the letter is written: characters nobody types, which no filter and no escaping changes.
_OPENS, _CLOSES = "\ue0f0", "\ue0f1"
_BLANK = re.compile(f"{_OPENS}([a-z0-9_]+){_CLOSES}")
_CARRIED = re.compile(r'src="(cid:[^"]+)"')
_UNTYPED = re.compile(r"[\ue0f0\ue0f1\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# Constant text and names of blanks in turn, beginning and ending with text.
Pieces = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A letter with blanks: its text and HTML in pieces, and the pictures that travel with it."""

    text: Pieces
    html: Pieces
    pictures: tuple[MailFile, ...] = ()

    def to_bytes(self) -> bytes:
        """As a blob keeps it; the same sheet gives the same bytes."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True).encode("utf-8")

    @classmethod
    def from_bytes(cls, data: bytes) -> "Sheet":
        """The sheet that `to_bytes` wrote."""
        kept = json.loads(data)
        pictures = tuple(MailFile(**file) for file in kept["pictures"])
        return cls(tuple(kept["text"]), tuple(kept["html"]), pictures)

    @property
    def blanks(self) -> frozenset[str]:
        """The names of what has to be filled in."""
        return frozenset(self.text[1::2] + self.html[1::2])


def blank(name: str) -> str:
    """Write this where the value `name` will stand; it passes through templates, escaping and translations."""
    return f"{_OPENS}{name}{_CLOSES}"


def cut(letter: Letter, pictures: tuple[MailFile, ...] = ()) -> Sheet:
    """A finished letter in which blanks stand, cut at them."""
    return Sheet(tuple(_BLANK.split(letter.text)), tuple(_BLANK.split(letter.html)), pictures)


def typed(value: str) -> str:
    """A value as it may stand on a sheet: one line without invisible characters."""
    return " ".join(_UNTYPED.sub(" ", value).split())


def typed_lines(text: str) -> str:
    """What somebody typed, line by line as it may stand on a sheet; empty lines between are kept, one at a time."""
    lines = "\n".join(typed(line) for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def self_contained(html: str, pictures: Sequence[MailFile], read_blob: Callable[[str], bytes]) -> str:
    """A mail's HTML with the pictures it carries written into it, to be looked at before it leaves."""
    shown = {f"cid:{each.cid}": each for each in pictures}

    def embed(found: re.Match[str]) -> str:
        picture = shown.get(found[1])
        if picture is None:
            return 'src=""'
        data = base64.b64encode(read_blob(picture.blob_key)).decode()
        return f'src="data:{picture.content_type};base64,{data}"'

    return _CARRIED.sub(embed, html)


def fill_text(sheet: Sheet, values: Mapping[str, str]) -> str:
    """The text part, filled in; raises KeyError for a value that is missing."""
    pieces = list(sheet.text)
    pieces[1::2] = [values[name] for name in sheet.text[1::2]]
    return "".join(pieces)


def fill_html(sheet: Sheet, values: Mapping[str, str]) -> str:
    """The HTML part, filled in, every value escaped; raises KeyError for a value that is missing."""
    escaped = {name: str(escape(values[name])) for name in set(sheet.html[1::2])}
    pieces = list(sheet.html)
    pieces[1::2] = [escaped[name] for name in sheet.html[1::2]]
    return "".join(pieces)


def folded(
    key: str,
    values: Mapping[str, str],
    *,
    sender: Address,
    to: Address,
    reply_to: Address,
    subject: str,
    message_id: str,
    in_reply_to: str | None,
    references: Sequence[str],
    headers: Mapping[str, str],
) -> dict[str, Any]:
    """What a Delivery stores of a mail on a sheet: the sheet's blob, what fills its blanks, and the mail's head."""
    return {
        "sheet": key,
        "values": values,
        "sender": {"name": sender.name, "address": sender.address},
        "to": {"name": to.name, "address": to.address},
        "reply_to": {"name": reply_to.name, "address": reply_to.address},
        "subject": subject,
        "message_id": message_id,
        "in_reply_to": in_reply_to,
        "references": references,
        "headers": headers,
    }


class Folding:
    """Writes what `folded` gives as the JSON a Delivery stores, for all mails on one sheet from one sender.

    What they share is written once, so that each costs but its own words.
    """

    def __init__(self, key: str, names: Sequence[str], sender: Address) -> None:
        """`names` are those of the values, in the order in which they will come."""
        self._begins = f'{{"sheet":{_quoted(key)},"values":{{'
        self._names = [f"{_quoted(name)}:" for name in names]
        self._name = f'{{"name":{_quoted(sender.name)},"address":'
        self._sender = f'}},"sender":{self._name}{_quoted(sender.address)}}},"to":{{"name":'

    def fold(
        self,
        values: Sequence[str],
        *,
        to: Address,
        reply_address: str,
        subject: str,
        message_id: str,
        references: Sequence[str],
        unsubscribe: str,
    ) -> Encoded:
        """One mail; it can be answered to the sender's name at `reply_address`, and its one-click link is given."""
        filled = ",".join(map(add, self._names, map(_quoted, values)))
        kin = ",".join(map(_quoted, references))
        return Encoded(
            f'{self._begins}{filled}{self._sender}{_quoted(to.name)},"address":{_quoted(to.address)}}},'
            f'"reply_to":{self._name}{_quoted(reply_address)}}},"subject":{_quoted(subject)},'
            f'"message_id":{_quoted(message_id)},"in_reply_to":{_quoted(references[-1]) if references else "null"},'
            f'"references":[{kin}],"headers":{{"List-Unsubscribe":{_quoted(f"<{unsubscribe}>")},'
            '"List-Unsubscribe-Post":"List-Unsubscribe=One-Click"}}'
        )


def is_folded(content: Mapping[str, Any]) -> bool:
    """Whether this mail stands on a sheet."""
    return "sheet" in content


def unfold(content: Mapping[str, Any], read_blob: Callable[[str], bytes]) -> Mail:
    """The whole mail that a Delivery stores, on a sheet or not; raises what `read_blob` raises."""
    if not is_folded(content):
        return Mail.from_json(content)
    rest = {name: value for name, value in content.items() if name not in {"sheet", "values"}}
    sheet, values = _sheet(content["sheet"], read_blob), content["values"]
    written = Mail.from_json(rest | {"text": fill_text(sheet, values), "html": fill_html(sheet, values)})
    return replace(written, pictures=sheet.pictures)


@lru_cache(maxsize=128)
def _sheet(key: str, read_blob: Callable[[str], bytes]) -> Sheet:
    return Sheet.from_bytes(read_blob(key))
