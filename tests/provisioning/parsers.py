"""Reads configurations back as trees, to compare what a daemon would see with what was meant. For tests only."""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import crossplane

_APACHE_ARGUMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


@dataclass
class Directive:
    """A directive or section with its arguments and what is in it."""

    name: str
    arguments: list[str]
    inside: list[Directive] = field(default_factory=list)

    @property
    def shape(self) -> tuple[Any, ...]:
        """Names, numbers of arguments and nesting, without any value."""
        return (self.name, len(self.arguments), tuple(child.shape for child in self.inside))

    def all(self, name: str) -> list[Directive]:
        """Every directive of this name, at any depth."""
        found = [self] if self.name == name else []
        return found + [directive for child in self.inside for directive in child.all(name)]


def nginx(text: str) -> Directive:
    """The tree of an nginx file, by crossplane; raises ValueError when it does not parse."""
    with NamedTemporaryFile("w", suffix=".conf", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        parsed = crossplane.parse(file.name, single=True, check_ctx=False, check_args=False)
    if parsed["status"] != "ok":
        raise ValueError(str(parsed["errors"]))
    return Directive("", [], _from_crossplane(parsed["config"][0]["parsed"]))


def _from_crossplane(block: Iterable[dict[str, Any]]) -> list[Directive]:
    return [Directive(item["directive"], item["args"], _from_crossplane(item.get("block", []))) for item in block]


def apache(text: str) -> Directive:
    """The tree of an Apache file, by the rules of its manual (*Configuration Files*, syntax)."""
    stack = [Directive("", [])]
    for line in re.sub(r"\\\n", " ", text).splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("</"):
            closed = stack.pop()
            if line != f"</{closed.name}>":
                raise ValueError(f"{line} closes {closed.name}")
        elif line.startswith("<"):
            if not line.endswith(">"):
                raise ValueError(f"{line} has no end")
            name, _, rest = line[1:-1].partition(" ")
            section = Directive(name, _apache_arguments(rest))
            stack[-1].inside.append(section)
            stack.append(section)
        else:
            name, _, rest = line.partition(" ")
            stack[-1].inside.append(Directive(name, _apache_arguments(rest)))
    if len(stack) != 1:
        raise ValueError(f"{stack[-1].name} is not closed")
    return stack[0]


def _apache_arguments(text: str) -> list[str]:
    return [
        re.sub(r'\\(["\\])', r"\1", found[1]) if found[1] is not None else found[2]
        for found in _APACHE_ARGUMENT.finditer(text)
    ]


def ini(text: str) -> dict[str, dict[str, str]]:
    """Sections and values of a PHP-FPM file, without the quotes."""
    parser = configparser.RawConfigParser(strict=True, delimiters=("=",), comment_prefixes=(";",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return {name: {key: _unquoted(value) for key, value in parser[name].items()} for name in parser.sections()}


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] == '"' else value


def words(path: Path) -> list[list[str]]:
    """Lines of words, comments aside."""
    return [shlex.split(line, comments=True) for line in path.read_text().splitlines() if line.strip()]
