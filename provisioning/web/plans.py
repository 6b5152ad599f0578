"""A preview's plan as a page shows it: changes grouped by the daemon that reads them. Display only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from provisioning import words

SIGNS = {
    "add": ("+", "plan-add"),
    "change": ("~", "plan-change-sign"),
    "remove": ("\N{MINUS SIGN}", "plan-remove"),
    "destroy": ("\N{MINUS SIGN}", "plan-remove"),
}
ORDER = ["nginx", "apache2", "apache", "php-fpm", "named", "mariadb", "postfix", "dovecot", "mail", ""]


@dataclass(frozen=True)
class Change:
    """One resource that would be added, changed, removed or destroyed."""

    sign: str
    sign_class: str
    words: str
    kind: str
    name: str
    diff: str
    note: str


@dataclass(frozen=True)
class Group:
    """The changes that one daemon reads; `reload` says that it is reloaded once for all of them."""

    icon: str
    label: str
    reload: bool
    changes: list[Change] = field(default_factory=list)

    @property
    def count_words(self) -> str:
        """How many changes, in words."""
        count = len(self.changes)
        return ngettext("%(count)s change", "%(count)s changes", count) % {"count": count}


@dataclass(frozen=True)
class Plan:
    """All changes with their sums."""

    groups: list[Group]
    added: int
    changed: int
    removed: int


def build(changes: Iterable[Mapping[str, Any]], reloads: Iterable[str]) -> Plan:
    """Group the changes of docs/protocol.md's `plan` report by daemon; `reloads` names the daemons that reload."""
    reloading = set(reloads)
    by_service: dict[str, list[Change]] = defaultdict(list)
    counts = dict.fromkeys(SIGNS, 0)
    for item in changes:
        counts[item["change"]] += 1
        by_service[_reader(item)].append(_change(item))
    groups = [Group(*words.service(name), name in reloading, by_service[name]) for name in _ordered(by_service)]
    return Plan(groups, counts["add"], counts["change"], counts["remove"] + counts["destroy"])


def _ordered(names: Iterable[str]) -> list[str]:
    def place(name: str) -> tuple[int, str]:
        base = "php-fpm" if name.startswith("php") else name
        return (ORDER.index(base) if base in ORDER else len(ORDER), name)

    return sorted(names, key=place)


def _reader(item: Mapping[str, Any]) -> str:
    """The daemon that reads a change; rows of the mail database are read by both mail daemons."""
    reader = "mail" if item["key"].startswith("row:") else item.get("service")
    return str(reader or "")


def _change(item: Mapping[str, Any]) -> Change:
    kind, _colon, name = item["key"].partition(":")
    sign, sign_class = SIGNS[item["change"]]
    said = {"add": _("added"), "change": _("changed"), "remove": _("removed"), "destroy": _("destroyed with its data")}
    note = item.get("reason") or _("Nothing to show: this has no text of its own.")
    return Change(sign, sign_class, said[item["change"]], words.kind(kind), name, item.get("diff") or "", note)
