"""The names in a TLS certificate, whoever issued it; whether it is valid is not judged here."""

from __future__ import annotations

import ssl
from typing import Any

from cryptography import x509


def of_socket(sock: Any) -> str:
    """Return subject, issuer and alternative names of the certificate that the other end showed, one a line."""
    shown = sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None
    return text(shown) if shown else ""


def text(der: bytes) -> str:
    """Return the names of a certificate in DER form."""
    certificate = x509.load_der_x509_certificate(der)
    lines = [f"subject {certificate.subject.rfc4514_string()}", f"issuer {certificate.issuer.rfc4514_string()}"]
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        lines += [f"name {name.value}" for name in names]
    except x509.ExtensionNotFound:
        pass
    return "\n".join(lines)


def names_in(text: str) -> tuple[str, ...]:
    """Return the alternative names in what `text` returned: those that clients compare (RFC 9525)."""
    return tuple(line.removeprefix("name ").lower() for line in text.splitlines() if line.startswith("name "))
