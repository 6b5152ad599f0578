"""A preview's plan as a page shows it: changes by account, then by the daemon that reads them. Display only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from provisioning import words

SIGNS = {
    "add": ("+", "plan-add"),
    "change": ("~", "plan-change-sign"),
    "move": ("~", "plan-change-sign"),
    "remove": ("\N{MINUS SIGN}", "plan-remove"),
    "destroy": ("\N{MINUS SIGN}", "plan-remove"),
}
MOST_AT_ONCE = 10
FEW = 5
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
    def first(self) -> list[Change]:
        """Those that are shown at once; all when the rest would not be worth folding away."""
        return self.changes if len(self.changes) <= MOST_AT_ONCE + FEW else self.changes[:MOST_AT_ONCE]

    @property
    def rest(self) -> list[Change]:
        """Those that are folded away."""
        return self.changes[len(self.first) :]

    @property
    def rest_words(self) -> str:
        """How many are folded away, in words."""
        return ngettext("%(count)s more", "%(count)s more", len(self.rest)) % {"count": len(self.rest)}

    @property
    def count_words(self) -> str:
        """How many changes, in words."""
        count = len(self.changes)
        return ngettext("%(count)s change", "%(count)s changes", count) % {"count": count}


@dataclass(frozen=True)
class Part:
    """The changes of one account, or of a server itself, on one server."""

    subject: str
    server: str
    groups: list[Group]


@dataclass(frozen=True)
class Plan:
    """All changes with their sums; `problems` are (subject, reason), `reloads` daemons in words."""

    parts: list[Part]
    added: int
    changed: int
    removed: int
    reloads: list[str]
    problems: list[tuple[str, str]]
    truncated: bool

    @property
    def several(self) -> bool:
        """Whether it is about more than one account or server."""
        return len(self.parts) > 1


def build(servers: Sequence[Mapping[str, Any]]) -> Plan:
    """Arrange the plans of servers: by account and by daemon."""
    counts = {kind: sum(_count(server, kind) for server in servers) for kind in SIGNS}
    return Plan(
        parts=[part for server in servers for part in _parts(server)],
        added=counts["add"],
        changed=counts["change"] + counts["move"],
        removed=counts["remove"] + counts["destroy"],
        reloads=[
            words.service(name)[1] for name in _ordered({name for server in servers for name in server["reloads"]})
        ],
        problems=[
            (problem["subject"], _(problem["message"])) for server in servers for problem in server.get("problems", ())
        ],
        truncated=any(server.get("truncated") for server in servers),
    )


def _count(server: Mapping[str, Any], kind: str) -> int:
    return int(server.get("counts", {}).get(kind, sum(item["change"] == kind for item in server["changes"])))


def _parts(server: Mapping[str, Any]) -> list[Part]:
    reloading = set(server["reloads"])
    by_subject: dict[str, dict[str, list[Change]]] = defaultdict(lambda: defaultdict(list))
    for item in server["changes"]:
        by_subject[str(item.get("subject") or "")][_reader(item)].append(_change(item))
    return [
        Part(
            subject,
            server["server"],
            [Group(*words.service(name), name in reloading, by_service[name]) for name in _ordered(by_service)],
        )
        for subject, by_service in by_subject.items()
    ]


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
    kind, _colon, name = item["key"].removeprefix("move:").partition(":")
    sign, sign_class = SIGNS[item["change"]]
    said = {
        "add": _("added"),
        "change": _("changed"),
        "move": _("gets another name"),
        "remove": _("removed"),
        "destroy": _("destroyed with its data"),
    }
    drifted = _("The server differs from what the panel gave it.") if item.get("reason") == "drift" else ""
    note = drifted or item.get("reason") or _("Nothing to show: this has no text of its own.")
    diff = item.get("diff") or ""
    if item["change"] == "move":
        name = " → ".join(line.partition(":")[2] for line in diff.splitlines())
    return Change(sign, sign_class, said[item["change"]], words.kind(kind), name, diff, note)
