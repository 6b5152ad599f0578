"""Pure rules for DNS records as people enter them: owner, type, content in normal form. No zone-wide rules."""

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

import idna

from panel.core.hostnames import NameInvalid, hostname, integer, ip_address, text_of

_OWNER_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]{1,10}")
_HEX = re.compile(r"([0-9a-f]{2})+")
_CAA_TAG = re.compile(r"(issue|issuewild|issuemail|issuevmc|iodef|contactemail|contactphone)")
_CAA_VALUE = re.compile(r"[\x21-\x7e ]*")
LONGEST_TEXT = 4096


class RecordParts(NamedTuple):
    """A record in normal form: `name` relative to the zone (`@` for its apex), upper-case `type`, and `content`.

    Content is the presentation form of RFC 1035 with absolute names (trailing dot), except for TXT: there it is the
    text itself, unquoted and unsplit; the renderer quotes it and splits it at 255 octets.
    """

    type: str
    name: str
    content: str


def record(type: str, name: str, content: str, zone: str) -> RecordParts:
    """Return the record's normal form for `zone` (A-labels, no trailing dot), or raise NameInvalid.

    `name` may be relative (`www`), `@` or empty for the apex, or end with the zone's own name. Host names in the
    content: `@` is the zone, a single label without a trailing dot is relative to the zone, anything else is absolute.
    """
    kind = text_of(type, "record_type", "a record type").upper()
    if kind not in _CONTENT:
        raise NameInvalid("record_type", f"Choose one of the record types {', '.join(_CONTENT)}.")
    zone = hostname(zone)
    content = text_of(content, "record_content", "the record's content", controls="record_content")
    owner = _owner(name, zone, host=kind in ("A", "AAAA", "MX"))
    if kind == "CNAME" and owner == "@":
        raise NameInvalid(
            "record_cname_apex", "A CNAME is not possible at the zone's apex; use A and AAAA records there."
        )
    return RecordParts(kind, owner, _CONTENT[kind](content, zone))


def _owner(name: object, zone: str, *, host: bool) -> str:
    if not isinstance(name, str):
        raise NameInvalid("record_name", "Give the record's name, such as www or @.")
    full = _mapped(name).lower()
    if full in ("", "@", zone, f"{zone}."):
        return "@"
    if full.endswith("."):
        if not full.endswith(f".{zone}."):
            raise NameInvalid("record_outside_zone", f"This name is outside the zone {zone}.")
        full = full.removesuffix(f".{zone}.")
    full = full.removesuffix(f".{zone}")
    labels = full.split(".")
    rest = labels[1:] if labels[0] == "*" else labels
    if not all(_OWNER_LABEL.fullmatch(label) for label in rest):
        raise NameInvalid(
            "record_name",
            "A record's name consists of parts made of letters, digits, underscores and inner hyphens joined by dots; "
            "only the first part may be *.",
        )
    if host and any("_" in label for label in rest):
        raise NameInvalid("record_name", "Address and mail records are not possible at names with an underscore.")
    if len(full) + len(zone) + 1 > 253:
        raise NameInvalid("record_name", "The name has more than 253 characters together with the zone.")
    return full


def _mapped(name: str) -> str:
    """Return `name` in ASCII: each label that is not goes through UTS 46 and IDNA 2008."""
    if name.isascii():
        return name
    try:
        mapped = idna.uts46_remap(unicodedata.normalize("NFC", name), std3_rules=False)
        return ".".join(part if part.isascii() else idna.alabel(part).decode("ascii") for part in mapped.split("."))
    except (idna.IDNAError, UnicodeError) as error:
        raise NameInvalid("record_name", "This is not a valid internationalised name (IDNA 2008).") from error


def _target(text: str, zone: str, *, host: bool = True) -> str:
    if text == "@":
        return f"{zone}."
    name = _mapped(text).lower()
    absolute = name.removesuffix(".") if "." in name else f"{name}.{zone}"
    if host:
        return f"{hostname(absolute)}."
    if len(absolute) > 253 or not all(_OWNER_LABEL.fullmatch(label) for label in absolute.split(".")):
        raise NameInvalid("record_target", "The target is a host name such as www.example.org.")
    return f"{absolute}."


def _a(content: str, zone: str) -> str:
    return _address(content, ipaddress.IPv4Address, "an IPv4 address such as 198.51.100.7")


def _aaaa(content: str, zone: str) -> str:
    return _address(content, ipaddress.IPv6Address, "an IPv6 address such as 2001:db8::7")


def _address(content: str, family: type[ipaddress.IPv4Address | ipaddress.IPv6Address], wanted: str) -> str:
    try:
        address = ip_address(content)
    except NameInvalid as error:
        raise NameInvalid("record_content", f"Give {wanted}.") from error
    if not isinstance(ipaddress.ip_address(address), family):
        raise NameInvalid("record_content", f"Give {wanted}.")
    return address


def _cname(content: str, zone: str) -> str:
    return _target(content, zone, host=False)


def _host(content: str, zone: str) -> str:
    return _target(content, zone)


def _mx(content: str, zone: str) -> str:
    preference, target = _words(content, 2, "a preference and a host, such as: 10 mail.example.org")
    return f"{_number(preference, 65535)} {'.' if target == '.' else _target(target, zone)}"


def _srv(content: str, zone: str) -> str:
    wanted = "priority, weight, port and host, such as: 10 5 443 www.example.org"
    priority, weight, port, target = _words(content, 4, wanted)
    numbers = " ".join(str(_number(value, 65535)) for value in (priority, weight, port))
    return f"{numbers} {'.' if target == '.' else _target(target, zone)}"


def _caa(content: str, zone: str) -> str:
    parts = content.split(" ", 2)
    if len(parts) != 3:
        raise NameInvalid("record_content", 'Give flags, tag and value, such as: 0 issue "ca.example.net".')
    flags, tag, value = parts[0], parts[1].lower(), parts[2].strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = value[1:-1]
    if not _CAA_TAG.fullmatch(tag) or not _CAA_VALUE.fullmatch(value) or set(value) & set('"\\') or len(value) > 255:
        raise NameInvalid(
            "record_content",
            'Give flags, tag and value without quotes or backslashes, such as: 0 issue "ca.example.net".',
        )
    return f'{_number(flags, 255)} {tag} "{value}"'


def _txt(content: str, zone: str) -> str:
    text = unicodedata.normalize("NFC", content)
    if len(text.encode()) > LONGEST_TEXT:
        raise NameInvalid("record_content", f"A text has at most {LONGEST_TEXT} bytes.")
    return text


def _tlsa(content: str, zone: str) -> str:
    usage, selector, matching, digest = _words(content, 4, "usage, selector, matching type and hexadecimal data")
    return f"{_number(usage, 3)} {_number(selector, 1)} {_number(matching, 2)} {_hexadecimal(digest)}"


def _sshfp(content: str, zone: str) -> str:
    algorithm, kind, digest = _words(content, 3, "algorithm, fingerprint type and hexadecimal fingerprint")
    return f"{_number(algorithm, 6)} {_number(kind, 2)} {_hexadecimal(digest)}"


def _ds(content: str, zone: str) -> str:
    tag, algorithm, kind, digest = _words(content, 4, "key tag, algorithm, digest type and hexadecimal digest")
    return f"{_number(tag, 65535)} {_number(algorithm, 255)} {_number(kind, 255)} {_hexadecimal(digest)}"


def _words(content: str, count: int, wanted: str) -> list[str]:
    words = content.split()
    if len(words) != count:
        raise NameInvalid("record_content", f"Give {wanted}.")
    return words


def _number(text: str, highest: int) -> int:
    if not _NUMBER.fullmatch(text):
        raise NameInvalid("record_content", f"Give whole numbers from 0 to {highest}, not {text[:20]}.")
    return integer(int(text), 0, highest, "record_content")


def _hexadecimal(text: str) -> str:
    if not _HEX.fullmatch(text.lower()) or len(text) > 512:
        raise NameInvalid("record_content", "The last part is made of pairs of hexadecimal digits.")
    return text.lower()


_CONTENT: dict[str, Callable[[str, str], str]] = {
    "A": _a,
    "AAAA": _aaaa,
    "CNAME": _cname,
    "MX": _mx,
    "TXT": _txt,
    "SRV": _srv,
    "CAA": _caa,
    "NS": _host,
    "TLSA": _tlsa,
    "SSHFP": _sshfp,
    "DS": _ds,
    "PTR": _host,
}
TYPES = tuple(_CONTENT)
