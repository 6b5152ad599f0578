"""Looks whether a host name is in the hands of who claims it: by a TXT record, or by what it answers over HTTP."""

from __future__ import annotations

import http.client
import ipaddress
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import Brand
from panel.core import public_dns

PATH = "/.well-known/panel-host/"
SECONDS = 4.0
MOST_BYTES = 256


@dataclass(frozen=True)
class Found:
    """How a host is proved; without a proof `problem` says what is missing."""

    proof: Brand.Proof | None
    problem: str = ""


def look(host: str, record_name: str, content: str, *, over_http: bool) -> Found:
    """Ask the public DNS for the TXT record, then the host itself when `over_http`: each for a few seconds at most.

    The host is asked at its addresses in the public DNS, which have to be public ones or the panel's own; nothing is
    followed anywhere (RFC 8555 §8.3 works alike).
    """
    if content in public_dns.texts(record_name):
        return Found(Brand.Proof.TXT)
    if not over_http:
        return Found(None, _("The TXT record was not found. For this name nothing else counts."))
    found = public_dns.addresses(host)
    if not found:
        return Found(None, _("Neither the TXT record nor an address of the host name was found in the DNS."))
    usable = [address for address in found if _may_be_asked(address)]
    if not usable:
        return Found(
            None, _("The host name leads to %(addresses)s, which is no public address.") % {"addresses": found[0]}
        )
    token = content.partition("=")[2]
    if any(_answer(address, host, token) == content for address in usable[:2]):
        return Found(Brand.Proof.HTTP)
    words = _("The host name leads to %(addresses)s, where this panel does not answer for it.")
    return Found(None, words % {"addresses": ", ".join(found[:4])})


def _may_be_asked(address: str) -> bool:
    return address in settings.PANEL_ADDRESSES or ipaddress.ip_address(address).is_global


def _answer(address: str, host: str, token: str) -> str:
    """Return what `host` at `address` answers to the question for the token; "" when it says nothing useful."""
    port = int(settings.PANEL_PORT) if settings.PANEL_SCHEME == "http" and settings.PANEL_PORT else 80
    connection = http.client.HTTPConnection(address, port, timeout=SECONDS)
    try:
        connection.request("GET", f"{PATH}{token}", headers={"Host": host, "Connection": "close"})
        answer = connection.getresponse()
        return answer.read(MOST_BYTES).decode("ascii", "replace").strip() if answer.status == 200 else ""
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
