"""Whether SendGrid signed what was posted to us: its events, and where that is asked for the mail that came in."""

import base64

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SIGNATURE, TIMESTAMP = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"


def is_signed(body: bytes, signature: str, timestamp: str, public_key: str) -> bool:
    """Whether `public_key`'s owner signed the timestamp and these very bytes (ECDSA, P-256, SHA-256).

    Not by sendgrid's own class, which takes nothing but text: a posted mail is bytes in any charset.
    """
    try:
        key = serialization.load_der_public_key(base64.b64decode(public_key, validate=True))
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return False
        key.verify(base64.b64decode(signature, validate=True), timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature):  # no base64, no key, or not this key's signature
        return False
    return True
