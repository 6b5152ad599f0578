"""Findings of drift as a page shows them: by account, and within it by the daemon that reads them. Display only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from provisioning import words
from provisioning.models import DriftItem
from provisioning.services import adoptions, drift

SIGNS = {
    DriftItem.Kind.MISSING: ("\N{MINUS SIGN}", "plan-remove"),
    DriftItem.Kind.CHANGED: ("~", "plan-change-sign"),
    DriftItem.Kind.MODE: ("~", "plan-change-sign"),
    DriftItem.Kind.EXTRA: ("+", "plan-add"),
}


@dataclass(frozen=True)
class Finding:
    """One difference with what can be done about it."""

    item: DriftItem
    sign: str
    sign_class: str
    words: str
    kind: str
    name: str
    restorable: bool
    adoptable: bool
    restoring: bool

    @property
    def note(self) -> str:
        """What is said when there is no text to compare."""
        return _("Nothing to show: this has no text of its own.")


@dataclass(frozen=True)
class Group:
    """The findings of one account, or of the server itself, that one daemon reads."""

    subject: str
    subject_url: str
    icon: str
    label: str
    findings: list[Finding] = field(default_factory=list)

    @property
    def count_words(self) -> str:
        """How many findings, in words."""
        count = len(self.findings)
        return ngettext("%(count)s difference", "%(count)s differences", count) % {"count": count}


def finding(item: DriftItem) -> Finding:
    """Return one finding in words."""
    kind, name = named(item.key)
    sign, sign_class = SIGNS[DriftItem.Kind(item.kind)]
    return Finding(
        item=item,
        sign=sign,
        sign_class=sign_class,
        words=item.get_kind_display(),
        kind=kind,
        name=name,
        restorable=drift.obstacle(item) is None,
        adoptable=adoptions.of(item) is not None,
        restoring=item.operation is not None and item.operation.status not in ("rejected", "cancelled"),
    )


def named(key: str) -> tuple[str, str]:
    """Return the kind of thing a key is about, in words, and its name."""
    kind, _colon, name = key.partition(":")
    if kind == "slice":
        return _("what the server remembers"), name
    if kind == "row":
        name = name.partition(":")[2]
    return words.kind(kind), name


def groups(items: Iterable[DriftItem]) -> list[Group]:
    """Group findings in their order: accounts by domain, each by daemon."""
    found: dict[tuple[str, str], Group] = {}
    for item in items:
        hosting = item.slice.hosting if item.slice else None
        reader = "mail" if item.key.startswith("row:") else item.service
        place = (hosting.id if hosting else "", reader)
        if place not in found:
            subject = hosting.domain if hosting else _("The server itself")
            url = reverse("provisioning:account", args=[hosting.pk]) if hosting else ""
            found[place] = Group(subject, url, *words.service(reader))
        found[place].findings.append(finding(item))
    return sorted(found.values(), key=lambda group: (not group.subject_url, group.subject, group.label))
