"""Pure rules for every name and value that reaches a configuration: each function returns the normal form or refuses.

Used by fields, specifications and importers alike; imports no Django and looks nothing up. Input is normalised first,
then matched whole on ASCII, so that look-alikes, line ends and control characters never pass. Host names and addresses
live in `panel.core.hostnames`, DNS records in `panel.core.records`; all are offered here.
"""

import re
import unicodedata

from panel.core.hostnames import NameInvalid, hostname, integer, ip_address, text_of
from panel.core.records import RecordParts, record
from panel.core.reserved import DATABASES, USERNAMES

__all__ = [
    "NameInvalid",
    "RecordParts",
    "color",
    "database_name",
    "database_user",
    "hostname",
    "integer",
    "ip_address",
    "label",
    "local_part",
    "mail_address",
    "person_name",
    "phone",
    "php_version",
    "port",
    "record",
    "relative_path",
    "sentence",
    "ttl",
    "username",
    "web_url",
]

_USERNAME = re.compile(r"[a-z][a-z0-9]{0,15}")
_DATABASE = re.compile(r"[a-z][a-z0-9_]*")
_LOCAL_PART = re.compile(r"[a-z0-9_]([a-z0-9._+=~'-]*[a-z0-9_])?")
_PATH_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_PHP = re.compile(r"(7\.4|8\.[0-9])")
_PHONE = re.compile(r"\+?[0-9(][0-9 ()./-]{3,38}[0-9]")
_COLOR = re.compile(r"#[0-9a-f]{6}")
_URL_REST = re.compile(r"(:[0-9]{1,5})?([/?#][A-Za-z0-9._~/?#@!&()*+,=%:-]*)?")
_FORBIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = {"\u200c", "\u200d"}


def username(value: str) -> str:
    """Return the Unix user name: a lower-case letter, up to 15 such letters and digits, nothing reserved."""
    text = text_of(value, "username", "a user name")
    if not _USERNAME.fullmatch(text):
        raise NameInvalid(
            "username_characters",
            "A user name begins with a letter and has 1 to 16 characters: lower-case ASCII letters and digits.",
        )
    if text in USERNAMES:
        raise NameInvalid("username_reserved", f"The user name {text} is reserved for the system; choose another one.")
    return text


def database_name(value: str) -> str:
    """Return the database name: lower-case ASCII letters, digits, underscores; 1 to 64 characters (MariaDB's limit)."""
    return _database(value, 64)


def database_user(value: str) -> str:
    """Return the database user's name: as a database name, but at most 32 characters, which every MySQL accepts."""
    return _database(value, 32)


def _database(value: str, longest: int) -> str:
    text = text_of(value, "database", "a database name")
    if not _DATABASE.fullmatch(text):
        raise NameInvalid(
            "database_characters", "Use lower-case ASCII letters, digits and underscores, beginning with a letter."
        )
    if len(text) > longest:
        raise NameInvalid("database_length", f"At most {longest} characters are possible here.")
    if text in DATABASES:
        raise NameInvalid("database_reserved", f"The name {text} belongs to the database server; choose another one.")
    return text


def local_part(value: str) -> str:
    """Return a mail address's part before the @, in lower case: at most 64 characters of a plain RFC 5321 dot-atom."""
    text = text_of(value, "local_part", "the part of a mail address before the @").lower()
    if len(text) > 64:
        raise NameInvalid("local_part_length", "The part before the @ has at most 64 characters.")
    if not text.isascii() or not _LOCAL_PART.fullmatch(text) or ".." in text:
        raise NameInvalid(
            "local_part_characters",
            "The part before the @ has ASCII letters, digits and . _ + = ~ ' -, begins and ends with a letter or digit "
            "and has no two dots in a row.",
        )
    return text


def mail_address(value: str) -> str:
    """Return the mail address: lower-case local part, @, the domain's A-labels; at most 254 characters (RFC 5321)."""
    text = text_of(value, "mail_address", "a mail address such as anna@example.org")
    local, at, domain = text.rpartition("@")
    if not at:
        raise NameInvalid("mail_address", "Give a full mail address such as anna@example.org.")
    address = f"{local_part(local)}@{hostname(domain)}"
    if domain.endswith("."):
        raise NameInvalid("mail_address", "A mail address does not end with a dot.")
    if len(address) > 254:
        raise NameInvalid("mail_address_length", "A mail address has at most 254 characters.")
    return address


def relative_path(value: str) -> str:
    """Return a path below a home directory: parts of ASCII letters, digits, `.`, `_` and `-` joined by single slashes.

    No part is hidden (begins with a dot) or looks like an option (begins with a hyphen); at most 200 characters.
    """
    text = text_of(value, "relative_path", "a path such as public_html")
    if len(text) > 200 or not all(_PATH_PART.fullmatch(part) for part in text.split("/")):
        raise NameInvalid(
            "relative_path",
            "Give a path below the home directory such as public_html/shop: ASCII letters, digits, . _ and - in parts "
            "that begin with a letter, digit or underscore; at most 200 characters, no slash at either end.",
        )
    return text


def php_version(value: str) -> str:
    """Return a PHP version as `major.minor`, 7.4 or 8.x."""
    text = text_of(value, "php_version", "a PHP version")
    if not _PHP.fullmatch(text):
        raise NameInvalid("php_version", "Give a PHP version such as 8.4.")
    return text


def port(value: int) -> int:
    """Return a TCP or UDP port, 1 to 65535."""
    return integer(value, 1, 65535, "port")


def ttl(value: int) -> int:
    """Return a time to live in seconds, 30 to 604800 (a week)."""
    return integer(value, 30, 604_800, "ttl")


def label(value: str) -> str:
    """Return printable free text of one line, 1 to 100 characters, NFC, without control or bidi characters."""
    return _line(value, "a name", 100)


def sentence(value: str) -> str:
    """Return printable free text of one line, 1 to 300 characters; otherwise the rules are those of `label`."""
    return _line(value, "a line of text", 300)


def _line(value: str, wanted: str, longest: int) -> str:
    text = unicodedata.normalize("NFC", text_of(value, "label", wanted, controls="label_characters")).strip()
    if not 1 <= len(text) <= longest:
        raise NameInvalid("label_length", f"Give 1 to {longest} characters.")
    for character in text:
        if unicodedata.category(character) in _FORBIDDEN_CATEGORIES and character not in _JOINERS:
            raise NameInvalid(
                "label_characters", "Line breaks, control and invisible formatting characters are not possible."
            )
    return text


def person_name(value: str) -> str:
    """Return a person's name; the rules are those of `label`."""
    return label(value)


def phone(value: str) -> str:
    """Return a telephone number as people write it: an optional +, 5 to 20 digits (ITU-T E.164 has 15 at most, and an
    extension), with blanks, hyphens, dots, slashes and brackets between them."""
    text = text_of(value, "phone", "a telephone number such as +49 30 1234567").strip()
    if not _PHONE.fullmatch(text) or not 5 <= sum(character.isdecimal() for character in text) <= 20:
        raise NameInvalid("phone", "Give a telephone number such as +49 30 1234567: digits, blanks and + ( ) - . /")
    return text


def color(value: str) -> str:
    """Return a colour as `#rrggbb` in lower case."""
    text = text_of(value, "color", "a colour such as #206bc4").lower()
    if not _COLOR.fullmatch(text):
        raise NameInvalid("color", "Give a colour as # and six hexadecimal digits, such as #206bc4.")
    return text


def web_url(value: str) -> str:
    """Return an absolute http(s) URL without user information, at most 400 characters of a plain subset of RFC 3986."""
    text = text_of(value, "web_url", "a web address such as https://example.org/help")
    scheme, separator, rest = text.partition("://")
    end = min((rest.index(mark) for mark in ":/?#" if mark in rest), default=len(rest))
    if (
        not separator
        or scheme.lower() not in ("http", "https")
        or len(text) > 400
        or not _URL_REST.fullmatch(rest[end:])
    ):
        raise NameInvalid(
            "web_url", "Give a web address such as https://example.org/help, without user name, quotes or line breaks."
        )
    return f"{scheme.lower()}://{hostname(rest[:end])}{rest[end:]}"
