"""SMTP that names nobody but the brand: the connection's EHLO is the brand's, its address the one that was checked."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Callable
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

Connect = Callable[..., smtplib.SMTP]


class _Pinned(smtplib.SMTP):
    """Connects to `address`; the host's name is only what the certificate must be for."""

    address = ""

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        return super()._get_socket(self.address or host, port, timeout)  # type: ignore[misc,no-any-return]


class _PinnedTls(smtplib.SMTP_SSL):
    """The same with TLS from the start."""

    address = ""

    def _get_socket(self, host: str, port: int, timeout: Any) -> socket.socket:
        return super()._get_socket(self.address or host, port, timeout)  # type: ignore[misc,no-any-return]


class SmtpBackend(EmailBackend):
    """Django's SMTP with a chosen EHLO name (`helo`) and, when given, a chosen `address` of the host.

    Without `helo` it is Django's own: this machine's name.
    """

    def __init__(self, *args: Any, helo: str = "", address: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.helo = helo
        self.address = address

    @property
    def connection_class(self) -> Connect:
        """Return what opens the connection."""
        base = _PinnedTls if self.use_ssl else _Pinned
        kind = type(base.__name__, (base,), {"address": self.address})

        def connect(host: str, port: int, *, local_hostname: str, **options: Any) -> smtplib.SMTP:
            found: smtplib.SMTP = kind(host, port, local_hostname=self.helo or local_hostname, **options)
            return found

        return connect
