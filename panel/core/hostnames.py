"""The base of the rules for names: refusal, text, numbers, host names, IP addresses. No Django, no look-ups."""

import ipaddress
import re
import unicodedata

import idna

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class NameInvalid(ValueError):
    """A value breaks a rule: `rule` is the rule's stable name, `message` says what would be accepted."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


def text_of(value: object, rule: str, wanted: str, controls: str = "") -> str:
    """Return `value` when it is a text without control characters, else refuse it by `rule` (or `controls`)."""
    if not isinstance(value, str) or not value:
        raise NameInvalid(rule, f"Give {wanted}.")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in value):
        raise NameInvalid(
            controls or f"{rule}_characters", f"Give {wanted}, without line breaks or control characters."
        )
    return value


def integer(value: object, lowest: int, highest: int, rule: str) -> int:
    """Return `value` when it is an int (not a bool) within the bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise NameInvalid(rule, f"Give a whole number from {lowest} to {highest}.")
    return value


def hostname(value: str) -> str:
    """Return the host name as lower-case A-labels without a trailing dot (UTS 46, then IDNA 2008; RFC 1123).

    At least two labels, none longer than 63 octets, at most 253 in all, and the last one not a number.
    """
    return ascii_hostname(text_of(value, "hostname", "a host name such as www.example.org"))


def ascii_hostname(text: str) -> str:
    """Do the work of `hostname` for a text already known to be one."""
    name = unicodedata.normalize("NFC", text).removesuffix(".")
    if not name.isascii() or "xn--" in name.lower():
        try:
            name = idna.encode(name, uts46=True, std3_rules=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise NameInvalid(
                "hostname_idna", "This is not a valid internationalised host name (IDNA 2008)."
            ) from error
    name = name.lower()
    labels = name.split(".")
    if len(name) > 253:
        raise NameInvalid("hostname_length", "A host name has at most 253 characters in its ASCII form.")
    if any(len(label) > 63 for label in labels):
        raise NameInvalid("hostname_label_length", "Each part of a host name has at most 63 ASCII characters.")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise NameInvalid(
            "hostname_characters",
            "A host name consists of parts made of letters, digits and inner hyphens, joined by dots.",
        )
    if any(label[2:4] == "--" and not label.startswith("xn--") for label in labels):
        raise NameInvalid("hostname_idna", "A part of a host name has no hyphens as its third and fourth characters.")
    if len(labels) < 2:
        raise NameInvalid("hostname_single_label", "Give a full host name with at least one dot, such as example.org.")
    if labels[-1].isdecimal():
        raise NameInvalid(
            "hostname_numeric", "The last part of a host name is not a number; this looks like an IP address."
        )
    return name


def ip_address(value: str) -> str:
    """Return an IPv4 or IPv6 address in its canonical text (RFC 5952); no zone, no prefix, not IPv4-mapped."""
    text = text_of(value, "ip_address", "an IP address")
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise NameInvalid("ip_address", "Give an IPv4 or IPv6 address such as 198.51.100.7 or 2001:db8::7.") from error
    if isinstance(address, ipaddress.IPv6Address) and (address.scope_id or address.ipv4_mapped):
        raise NameInvalid("ip_address", "Give the plain address, without a zone and not IPv4-mapped.")
    return str(address)
