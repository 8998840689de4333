"""Our signature on a mail (DKIM, RFC 6376; Ed25519 by RFC 8463): relaxed/relaxed, over what steers a mail program.

Signed here and not by dkimpy: why, and how it is checked, is in decision 5.
"""

import base64
import hashlib
import re
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from concierge.errors import ConciergeError

# Signed where they are there; the last four once more than they are there, so that none can be added (RFC 6376, 8.15).
_SIGNED = (
    b"reply-to", b"message-id", b"in-reply-to", b"references", b"mime-version", b"content-type",
    b"content-transfer-encoding", b"auto-submitted", b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
_SEALED = (b"from", b"to", b"subject", b"date")
_SPACES = re.compile(rb"[ \t]+")
_AT_LINE_END = re.compile(rb"[ \t]+(?=\r\n)")
_SHORTEST_RSA = 1024  # below that it is no longer a signature for anybody (RFC 8301)


class NoSigningKey(ConciergeError):
    """There is no key for DKIM here."""


class Signer:
    """A private key and the name its public half is published under."""

    def __init__(self, key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey, selector: str) -> None:
        self._key, self._selector = key, selector

    @property
    def record(self) -> str:
        """What the TXT record of the key says."""
        public = self._key.public_key()
        if isinstance(public, rsa.RSAPublicKey):
            der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
            return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"

    def place(self, domain: str) -> str:
        """The name in DNS at which that record is looked for."""
        return f"{self._selector}._domainkey.{domain}"

    def sign(self, raw: bytes, domain: str, *, at: datetime) -> bytes:
        """The mail (CRLF line ends) with a DKIM-Signature of this domain (in ASCII) before it."""
        head, _empty, body = raw.partition(b"\r\n\r\n")
        fields = _fields(head)
        names = [name for name in _SIGNED if name in fields] + [
            name for name in _SEALED for _ in range(2 if name in fields else 1)
        ]
        algorithm = "rsa" if isinstance(self._key, rsa.RSAPrivateKey) else "ed25519"
        listed = ":\r\n  ".join(_in_lines(names))
        digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
        value = (
            f"v=1; a={algorithm}-sha256; c=relaxed/relaxed; d={domain};\r\n"
            f" s={self._selector}; t={int(at.timestamp())};\r\n"
            f" h={listed};\r\n"
            f" bh={digest};\r\n b="
        )
        signed = b"".join(relaxed_field(name, fields[name]) for name in dict.fromkeys(names) if name in fields)
        signed += relaxed_field(b"dkim-signature", value.encode("ascii"))[:-2]  # itself, without its line end
        signature = base64.b64encode(self._sign(signed)).decode()
        pieces = "\r\n  ".join(signature[start : start + 72] for start in range(0, len(signature), 72))
        return f"DKIM-Signature: {value}{pieces}\r\n".encode("ascii") + raw

    def _sign(self, data: bytes) -> bytes:
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self._key.sign(hashlib.sha256(data).digest())  # RFC 8463, 3: the hash is what is signed


def read_signer(path: Path, selector: str) -> Signer:
    """The signer whose private key lies at `path` in PEM; raises NoSigningKey saying what is wrong with it."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise NoSigningKey(f"The DKIM key {path} can't be read ({error.strerror}); see CONCIERGE_DKIM_KEY.") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NoSigningKey(f"{path} holds no private key in PEM without a password; see CONCIERGE_DKIM_KEY.") from error
    if isinstance(key, ed25519.Ed25519PrivateKey) or (
        isinstance(key, rsa.RSAPrivateKey) and key.key_size >= _SHORTEST_RSA
    ):
        return Signer(key, selector)
    raise NoSigningKey(f"The key in {path} is neither RSA with {_SHORTEST_RSA} bits or more nor Ed25519.")


def relaxed_field(name: bytes, value: bytes) -> bytes:
    """A header field in relaxed form (RFC 6376, 3.4.2), with its line end."""
    return name + b":" + _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip(b" \t") + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """A body in relaxed form (RFC 6376, 3.4.4)."""
    lines = _AT_LINE_END.sub(b"", _SPACES.sub(b" ", body)).rstrip(b"\r\n")
    return lines + b"\r\n" if lines else b""


def _fields(head: bytes) -> dict[bytes, bytes]:
    """The header fields by name in lower case; ours writes each once."""
    unfolded = re.split(rb"\r\n(?![ \t])", head)
    return {name.lower(): value for name, _colon, value in (each.partition(b":") for each in unfolded)}


def _in_lines(names: list[bytes]) -> list[str]:
    """The names joined by colons, some to a line."""
    words = [name.decode("ascii") for name in names]
    return [":".join(words[start : start + 5]) for start in range(0, len(words), 5)]
