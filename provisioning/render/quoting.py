"""One quoting filter per configuration language: what a language cannot hold is refused, not dropped. Not for HTML."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import dns.name
import dns.rdata
import dns.rdatatype

from provisioning.planning.resources import SERIAL

Value = str | int

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_PLAIN = re.compile(r"[A-Za-z0-9_./:-]+")
_PATH = re.compile(r"/[A-Za-z0-9_./-]+")
_WORD = re.compile(r"[A-Za-z0-9_./:@+=-]+")
_SECTION = re.compile(r"[a-z0-9.-]+")


class Unrepresentable(ValueError):
    """A value that its language cannot hold as plain data; names language and rule, never the value."""

    def __init__(self, language: str, rule: str) -> None:
        super().__init__(f"a value for {language} {rule}")
        self.language = language
        self.rule = rule


class Quoted(str):
    """Text that passed a quoting filter: the only thing that an expression of a template may yield."""

    __slots__ = ()


def _text(language: str, value: Value) -> str:
    """The value as text of one line; TypeError for anything but str and int, Unrepresentable for control characters."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{language} cannot quote {type(value).__name__}")
    text = str(value)
    if any(unicodedata.category(character) in _HIDDEN for character in text):
        raise Unrepresentable(language, "has control or invisible characters")
    return text


def _refuse(language: str, text: str, pieces: tuple[str, ...], meaning: str) -> None:
    if any(piece in text for piece in pieces):
        raise Unrepresentable(language, f"has characters that {meaning}")


def _double_quoted(text: str) -> Quoted:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return Quoted(f'"{escaped}"')


def nginx(value: Value) -> Quoted:
    """One parameter of an nginx directive.

    `$` begins a variable even within quotes and has no escape; a leading `~`, `*` or `.` turns a name into a pattern.
    """
    text = _text("nginx", value)
    _refuse("nginx", text, ("$",), "begin a variable")
    _refuse("nginx", text, ("\\",), "escape the next one")
    if text.startswith(("~", "*", ".")):
        raise Unrepresentable("nginx", "begins like a pattern")
    return Quoted(text) if _PLAIN.fullmatch(text) else _double_quoted(text)


def apache(value: Value) -> Quoted:
    """One argument of an Apache directive.

    `${` and `%{` expand (core, ap_expr), and `*?[` make a pattern of a section's path or an alias; none has an escape.
    """
    text = _text("apache", value)
    _refuse("apache", text, ("${", "%{"), "expand to something else")
    _refuse("apache", text, ("*", "?", "["), "make a pattern")
    if text.startswith("~"):
        raise Unrepresentable("apache", "begins like a pattern")
    return Quoted(text) if _PLAIN.fullmatch(text) else _double_quoted(text)


def address(value: str) -> Quoted:
    """An IP address before a port in nginx or Apache; IPv6 in brackets. `*` is every address."""
    if value == "*":
        return Quoted(value)
    ip = ipaddress.ip_address(value)
    return Quoted(f"[{ip}]" if ip.version == 6 else str(ip))


def ini(value: Value) -> Quoted:
    """A value of a PHP-FPM pool, in quotes unless it is a plain path (words such as `on` and `none` have a meaning).

    `$` expands to the environment or the pool's name, and FPM's parser has no reliable escape for quotes.
    """
    text = _text("ini", value)
    _refuse("ini", text, ("$", '"', "\\", "'"), "end or expand a quoted value")
    return Quoted(text) if _PATH.fullmatch(text) else Quoted(f'"{text}"')


def ini_section(value: Value) -> Quoted:
    """The name of a PHP-FPM pool, within its brackets."""
    text = _text("ini", value)
    if not _SECTION.fullmatch(text):
        raise Unrepresentable("ini", "is no plain name of a section")
    return Quoted(text)


def dovecot(value: Value) -> Quoted:
    """A value of dovecot.conf, in quotes; `%` and `$` expand in either dialect and are refused."""
    text = _text("dovecot", value)
    _refuse("dovecot", text, ("$", "%"), "expand to something else")
    return _double_quoted(text)


def dovecot_word(value: Value) -> Quoted:
    """A word of dovecot.conf that stands without quotes: a path after `<`, an address of a `local` block."""
    text = _text("dovecot", value)
    if not _PLAIN.fullmatch(text):
        raise Unrepresentable("dovecot", "has characters with a meaning outside quotes")
    return Quoted(text)


def postfix(value: Value) -> Quoted:
    """One word of main.cf or master.cf: postconf(5) has no quoting, so only plain characters pass."""
    text = _text("postfix", value)
    if not _WORD.fullmatch(text):
        raise Unrepresentable("postfix", "has characters with a meaning in postconf(5)")
    return Quoted(text)


def systemd(value: Value) -> Quoted:
    """One word of a unit file: only characters without a meaning in systemd.syntax(7) pass."""
    text = _text("systemd", value)
    if not _WORD.fullmatch(text):
        raise Unrepresentable("systemd", "has characters with a meaning in systemd.syntax(7)")
    return Quoted(text)


def zone(value: dns.name.Name | dns.rdata.Rdata | int) -> Quoted:
    """A field of a master file (RFC 1035 §5.1): only parsed names and data pass, so their own writer escapes them.

    Names must be absolute. The place-holder of the serial is broken up by an escape, lest the node fill it in a text.
    """
    if isinstance(value, bool) or not isinstance(value, dns.name.Name | dns.rdata.Rdata | int):
        raise TypeError(f"zone cannot quote {type(value).__name__}")
    if isinstance(value, dns.name.Name) and not value.is_absolute():
        raise Unrepresentable("zone", "is a relative name")
    text = dns.rdatatype.to_text(value) if isinstance(value, dns.rdatatype.RdataType) else str(value)
    return Quoted(text.replace(SERIAL, f"\\{ord(SERIAL[0]):03d}{SERIAL[1:]}"))


FILTERS: dict[str, Callable[[Any], Quoted]] = {
    "nginx": nginx,
    "apache": apache,
    "address": address,
    "ini": ini,
    "ini_section": ini_section,
    "dovecot": dovecot,
    "dovecot_word": dovecot_word,
    "postfix": postfix,
    "systemd": systemd,
    "zone": zone,
}
