"""Where the panel may connect to when somebody else names the host. Not for servers, which the provider adds."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

from django.utils.translation import gettext as _

from panel.core.errors import Invalid

#: What a translator of this network turns into any IPv4 address (RFC 6052, RFC 8215).
TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


def resolve(host: str, port: int, *, private_allowed: bool = False, field: str = "host") -> Sequence[str]:
    """Look `host` up once and return its addresses, all of them public unless `private_allowed`.

    Connect to what is returned and to nothing else: a second look-up may answer otherwise. Raises Invalid when there is
    no such host, or when any of its addresses is this machine's, a private network's or otherwise not of the Internet.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Invalid("unknown_host", _("There is no host of this name in the DNS."), field) from error
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if not private_allowed and not all(is_public(address) for address in addresses):
        raise Invalid("private_host", _("This host is not on the public Internet; give one that is."), field)
    return addresses


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to a host of the Internet; one that wraps another is what it wraps."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if any(ip in network for network in TRANSLATED):
            return False
        wrapped = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if wrapped is not None:
            return is_public(str(wrapped))
    return ip.is_global and not ip.is_multicast
