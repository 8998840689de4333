"""Signed tokens: links for one purpose each, and the keys that lead an answer, or a mail that came back, home."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from binascii import b2a_base64
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import lru_cache

from itsdangerous import BadData, BadSignature, TimestampSigner, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode, int_to_bytes

from concierge.errors import BadToken

_MAC_BYTES = 16
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_encode = json.JSONEncoder(ensure_ascii=False).encode


def sign(secret: str, purpose: str, payload: str) -> str:
    """A URL-safe token that carries `payload` and is good for `purpose` only."""
    return URLSafeTimedSerializer(secret, salt=f"concierge:{purpose}").dumps(payload)


def sign_many(secret: str, purpose: str, payloads: Iterable[str]) -> list[str]:
    """The tokens `sign` would make in this second, for thousands at a time: what they share is made once."""
    signer = URLSafeTimedSerializer(secret, salt=f"concierge:{purpose}").make_signer()
    assert isinstance(signer, TimestampSigner)
    seal = _Seal(signer.derive_key(), hashlib.sha1)
    stamp = b"." + base64_encode(int_to_bytes(signer.get_timestamp()))
    tokens = []
    for payload in payloads:
        signed = _in_base64(_encode(payload).encode()) + stamp
        tokens.append((signed + b"." + _in_base64(seal.of(signed))).decode("ascii"))
    return tokens


class _Seal:
    """The HMAC of many messages under one key (RFC 2104): what the key makes of it is hashed once."""

    def __init__(self, key: bytes, digest: Callable[[bytes], "hashlib._Hash"]) -> None:
        size = digest(b"").block_size
        padded = (key if len(key) <= size else digest(key).digest()).ljust(size, b"\0")
        self._inner = digest(padded.translate(_INNER))
        self._outer = digest(padded.translate(_OUTER))

    def of(self, message: bytes) -> bytes:
        """The MAC of a message."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


_INNER, _OUTER = (bytes(each ^ pad for each in range(256)) for pad in (0x36, 0x5C))


def _in_base64(data: bytes) -> bytes:
    """What `base64_encode` gives, without what it does for every other caller."""
    return b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=")


def unsign(secret: str, purpose: str, token: str, *, max_age: timedelta | None = None) -> str:
    """The payload of a token made by `sign` for the same purpose; raises BadToken otherwise."""
    seconds = None if max_age is None else int(max_age.total_seconds())
    if not _is_spelt_truly(token):
        raise BadToken
    try:
        payload = URLSafeTimedSerializer(secret, salt=f"concierge:{purpose}").loads(token, max_age=seconds)
    except BadSignature as error:
        raise BadToken from error
    if not isinstance(payload, str):
        raise BadToken
    return payload


def _is_spelt_truly(token: str) -> bool:
    """Whether it is the one spelling of its bytes: base64 has spare bits, and a decoder overlooks what does not fit."""
    try:
        return all(base64_encode(base64_decode(part)).decode("ascii") == part for part in token.split("."))
    except BadData:
        return False


def reply_key(secret: str, conversation_id: int) -> str:
    """The key of a conversation for Reply-To and Message-ID: lower-case base32 of its number and a 128-bit MAC.

    At most 40 characters, so that `mailbox+key` fits a local part (RFC 5321, 4.5.3.1.1). Mail systems may change
    its case.
    """
    return _key(secret, b"concierge:reply:", _in_bytes(conversation_id))


def read_reply_key(secret: str, key: str) -> int | None:
    """The conversation's number in a key made by `reply_key`, in any case; None when it is not one of ours."""
    number = _read_key(secret, b"concierge:reply:", key)
    return None if number is None else int.from_bytes(number, "big")


def stamps(count: int) -> list[str]:
    """What makes that many Message-IDs each one of a kind: the time, so that their index grows at its end, and chance.

    28 hexadecimal digits: the machine's time in milliseconds, as they are made, then 64 random bits.
    """
    made_at, chances = f"{time.time_ns() // 1_000_000:012x}", secrets.token_hex(8 * count)
    return [made_at + chances[at : at + 16] for at in range(0, 16 * count, 16)]


def message_id(stamp: str, key: str, domain: str) -> str:
    """The Message-ID of a mail of ours, without its brackets (RFC 5322, 3.6.4); its key leads answers home."""
    return f"{stamp}.{key}@{domain}"


def keys_in(message_id: str) -> list[str]:
    """What may be the reply key in a Message-ID; in those of earlier days the key came first."""
    return message_id.partition("@")[0].split(".")[:2]


def return_key(secret: str, delivery_id: int, intent: int) -> str:
    """The key of one sending of a delivery for the envelope's sender, as long as a `reply_key` and never equal to one.

    `intent` is the number of the decision to send it; the 255th and those after it count as one.
    """
    return _key(secret, b"concierge:return:", _in_bytes(delivery_id) + bytes([min(intent, 255)]))


def read_return_key(secret: str, key: str) -> tuple[int, int] | None:
    """The delivery's number and the intent in a key made by `return_key`, in any case; None for any other."""
    number = _read_key(secret, b"concierge:return:", key)
    return None if number is None else (int.from_bytes(number[:-1], "big"), number[-1])


def _in_bytes(number: int) -> bytes:
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")


def _key(secret: str, purpose: bytes, number: bytes) -> str:
    return _in_base32(_key_seal(secret).of(purpose + number)[:_MAC_BYTES] + number)


def _read_key(secret: str, purpose: bytes, key: str) -> bytes | None:
    if not 28 <= len(key) <= 40 or not key.isascii():
        return None
    try:
        raw = base64.b32decode(key.upper() + "=" * (-len(key) % 8))
    except ValueError:
        return None
    number = raw[_MAC_BYTES:]
    # Re-made rather than compared piecewise: base32 has spare bits, and only the one true spelling counts.
    return number if hmac.compare_digest(_key(secret, purpose, number), key.lower()) else None


@lru_cache(maxsize=4)
def _key_seal(secret: str) -> _Seal:
    return _Seal(secret.encode(), hashlib.sha256)


def _in_base32(data: bytes) -> str:
    """Lower-case base32 without its padding, two letters at a time."""
    bits = len(data) * 8
    number = int.from_bytes(data, "big") << (-bits % 10)
    pairs = [_PAIRS[number >> shift & 1023] for shift in range(bits + -bits % 10 - 10, -10, -10)]
    return "".join(pairs)[: -(-bits // 5)]


_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]
