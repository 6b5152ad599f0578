"""DKIM (RFC 6376): keys of brands, the records that publish them, and signed messages. Nothing is looked up here."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from email.message import Message
from typing import Any

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.mail import EmailMultiAlternatives

BITS = 2048
# RFC 6376 §5.4.1; the empty second From keeps anybody from adding one.
SIGNED = (b"from", b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"mime-version", b"content-type")


@dataclass(frozen=True)
class Key:
    """What a message is signed with: `private` is a PEM text."""

    domain: str
    selector: str
    private: bytes


class SignedMessage(EmailMultiAlternatives):
    """A message that carries a DKIM signature when it has a key."""

    key: Key | None = None

    def message(self, *args: Any, **kwargs: Any) -> Any:
        """Return the message whole, signed last."""
        made = super().message(*args, **kwargs)
        if self.key is not None and "DKIM-Signature" not in made:
            made["DKIM-Signature"] = signature(made, self.key)
        return made


def signature(message: Message, key: Key) -> str:
    """Return the value of the header that signs `message`."""
    octets = message.as_bytes(linesep="\r\n")  # type: ignore[call-arg]
    header: bytes = dkim.sign(
        octets,
        key.selector.encode(),
        key.domain.encode(),
        key.private,
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=[name for name in SIGNED if name == b"from" or name.decode() in message],
    )
    return " ".join(header.decode().partition(":")[2].split())


def make() -> tuple[bytes, str]:
    """Return a new private key (PEM) and its public half as the `p=` of a DKIM record."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem, base64.b64encode(public).decode()


def record_name(selector: str, domain: str) -> str:
    """Return the name of the TXT record of a key."""
    return f"{selector}._domainkey.{domain}"


def record_text(public: str) -> str:
    """Return what that record says."""
    return f"v=DKIM1; k=rsa; p={public}"


def says(text: str, public: str) -> bool:
    """Tell whether a TXT record publishes the key `public` (RFC 6376 §3.6.1)."""
    tags = dict(part.strip().partition("=")[::2] for part in text.split(";") if "=" in part)
    found = {name.strip(): "".join(value.split()) for name, value in tags.items()}
    return found.get("v", "DKIM1") == "DKIM1" and found.get("k", "rsa") == "rsa" and found.get("p") == public
