"""Reads where this machine gets its Debian packages from, for use in images; never a mirror of its own choosing.

Formats: sources.list(5), both one-line and deb822 style.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_ONE_LINE = re.compile(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)")
_POCKETS = ("", "-updates", "-security")


class NoMirror(RuntimeError):
    """The machine's apt sources name no Debian mirror that can be used over the network."""


@dataclass(frozen=True)
class Source:
    """One archive: base URI, suite such as `trixie-security`, components."""

    uri: str
    suite: str
    components: tuple[str, ...]

    def line(self) -> str:
        """The source in one-line style, verified by Debian's own keyring."""
        return f"deb [signed-by={KEYRING}] {self.uri} {self.suite} {' '.join(self.components)}"


def host_codename() -> str:
    """The code name of the Debian release that this machine runs, by os-release(5)."""
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    match = re.search(r'^VERSION_CODENAME="?(\w+)"?$', text, re.MULTILINE)
    if not match:
        raise NoMirror("/etc/os-release has no VERSION_CODENAME: this needs a Debian machine")
    return match.group(1)


def _from_one_line(text: str) -> Iterator[Source]:
    for line in text.splitlines():
        match = _ONE_LINE.fullmatch(line.split("#", 1)[0].strip())
        if match:
            yield Source(match.group(1).rstrip("/"), match.group(2), tuple(match.group(3).split()))


def _from_deb822(text: str) -> Iterator[Source]:
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        joined = re.sub(r"\n[ \t]+", " ", "\n".join(lines))
        fields = {}
        for line in joined.splitlines():
            name, colon, value = line.partition(":")
            if colon:
                fields[name.strip().lower()] = value.split()
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        for uri in fields.get("uris", []):
            for suite in fields.get("suites", []):
                yield Source(uri.rstrip("/"), suite, tuple(fields.get("components", [])))


def configured(etc: Path = Path("/etc/apt")) -> list[Source]:
    """Every binary source that apt reads on this machine."""
    found: list[Source] = []
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]:
        if path.is_file():
            found += _from_one_line(path.read_text(encoding="utf-8"))
    for path in sorted((etc / "sources.list.d").glob("*.sources")):
        found += _from_deb822(path.read_text(encoding="utf-8"))
    return found


def for_release(codename: str, etc: Path = Path("/etc/apt"), host: str | None = None) -> list[Source]:
    """The machine's own mirrors turned to the release `codename` (`trixie`, `bookworm`), updates and security included.

    Raises `NoMirror` when no network source of the machine's own release is configured.
    """
    host = host or host_codename()
    result: list[Source] = []
    for source in configured(etc):
        base, _, pocket = source.suite.partition("-")
        known = base == host and (f"-{pocket}" if pocket else "") in _POCKETS
        if not (known and "main" in source.components and source.uri.startswith(("http://", "https://"))):
            continue
        turned = Source(source.uri, source.suite.replace(host, codename, 1), ("main",))
        if turned not in result:
            result.append(turned)
    if not any(source.suite == codename for source in result):
        raise NoMirror(
            f"{etc}/sources.list and sources.list.d name no mirror of Debian {host} over http or https; add one there"
        )
    return sorted(result, key=lambda source: source.suite)
