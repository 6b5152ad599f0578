"""A passkey in software (WebAuthn Level 2): registers and signs as a phone would, without attestation."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

from accounts.models import User

FLAGS = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


@dataclass
class SoftKey:
    """A key of one person at one panel host."""

    host: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    identifier: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def register(self, options: dict[str, Any], *, passwordless: bool = True) -> dict[str, Any]:
        """Answer `navigator.credentials.create`."""
        public = ES256.from_cryptography_key(self.key.public_key())  # type: ignore[no-untyped-call]
        credential = AttestedCredentialData.create(b"\0" * 16, self.identifier, public)
        data = AuthenticatorData.create(self._rp(), FLAGS | AuthenticatorData.FLAG.AT, 0, credential)
        attestation = AttestationObject.create("none", data, {})
        response = {
            "clientDataJSON": self._client_data("webauthn.create", options["publicKey"]["challenge"]),
            "attestationObject": websafe_encode(attestation),
        }
        return self._credential(response) | {"clientExtensionResults": {"credProps": {"rk": passwordless}}}

    def sign(self, options: dict[str, Any], user: User) -> dict[str, Any]:
        """Answer `navigator.credentials.get`."""
        client_data = self._client_data("webauthn.get", options["publicKey"]["challenge"])
        data = AuthenticatorData.create(self._rp(), FLAGS, 1)
        text = websafe_decode(client_data)
        signature = self.key.sign(data + hashlib.sha256(text).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signature),
            "userHandle": websafe_encode(user.pk.encode()),
        }
        return self._credential(response) | {"clientExtensionResults": {}}

    def owned_by(self, user: User, name: str = "Phone") -> Authenticator:
        """Store the key as one that `user` has registered."""
        credential = self.register({"publicKey": {"challenge": "AAAA"}})
        kind = Authenticator.Type.WEBAUTHN
        return Authenticator.objects.create(user=user, type=kind, data={"name": name, "credential": credential})

    def _rp(self) -> bytes:
        return hashlib.sha256(self.host.encode()).digest()

    def _client_data(self, kind: str, challenge: str) -> str:
        data = {"type": kind, "challenge": challenge, "origin": f"https://{self.host}", "crossOrigin": False}
        return websafe_encode(json.dumps(data).encode())

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        name = websafe_encode(self.identifier)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}
