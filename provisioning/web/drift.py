"""Pages of drift, the provider's alone: what differs on a server, what to do about it, exceptions, history."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from panel.core.lists import ListsPage
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage, Page
from provisioning.models import DriftItem, Pin
from provisioning.selectors import drift as selectors
from provisioning.services import adoptions, drift, drift_checks
from provisioning.web import findings, progress
from provisioning.web.filters import DriftFilter
from provisioning.web.forms import PinForm
from provisioning.web.servers import OfServer
from provisioning.web.tables import DriftCheckTable, DriftItemTable

RESTORED = {
    DriftItem.Kind.MISSING: gettext_lazy("What is missing is made again as the panel made it last."),
    DriftItem.Kind.CHANGED: gettext_lazy("What was changed by hand is put back."),
    DriftItem.Kind.MODE: gettext_lazy("Owner and mode are put back."),
    DriftItem.Kind.EXTRA: gettext_lazy(
        "What is not ours is removed from the server, if it still is what you see here."
    ),
}


class OfServerDrift(OfServer):
    """A page about the drift of one server."""

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*super().breadcrumbs(), (_("Drift"), self.drift_url())]

    def drift_url(self) -> str:
        """Return the address of the page with the findings."""
        return reverse("provisioning:drift", args=[self.object.pk])


class DriftPage(OfServerDrift, ListsPage):
    """What on a server differs from what the panel made so, while it is looked at, too."""

    action = "drift.view"
    flags = ("drift.check", "drift.restore", "drift.adopt", "drift.pin")
    template_name = "provisioning/drift.html"

    def get_title(self) -> str:
        return _("Drift of %(server)s") % {"server": self.object}

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return super().breadcrumbs()[:-1]

    def actions(self) -> list[Action]:
        url = reverse("provisioning:drift_history", args=[self.object.pk])
        return [Action(_("History"), url, "history")]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        no_check = Empty("file-diff", _("No check yet"))
        history = reverse("provisioning:drift_history", args=[self.object.pk])
        newest = selectors.newest_operation(self.object)
        items = list(selectors.open_items(self.object))
        return super().get_context_data(
            server=self.object,
            standing=selectors.standing(self.object),
            groups=findings.groups(items),
            count=len(items),
            moving=selectors.is_moving(self.object),
            progress=progress.of(newest, self.actor) if newest and newest.is_open else None,
            pins=[(pin, *findings.named(pin.key)) for pin in selectors.pins(self.object)],
            pins_export=self._pins(),
            items_export=f"{history}?state={DriftItem.State.OPEN}&export=csv",
            checks=self.table(DriftCheckTable, selectors.checks(self.object), no_check, "checks-", 10),
            **kwargs,
        )

    def _pins(self) -> str:
        header = (_("Kind"), _("What"), _("Note"), _("By"), _("When"), _("Account"))
        lines = (
            (*findings.named(pin.key), pin.note, pin.actor_label, pin.created_at, _account(pin))
            for pin in selectors.pins(self.object)
        )
        return self.sheet("exceptions", header, lines)


class DriftPart(DriftPage):
    """The part of the page that fetches itself again while something runs."""

    template_name = "provisioning/drift_part.html"


class DriftCheckPage(OfServerDrift, ActionPage):
    """Compares a server now."""

    action = "drift.check"
    question = gettext_lazy("Compare everything on the server with what the panel made so?")
    submit_label = gettext_lazy("Check now")

    def consequences(self) -> list[str]:
        return [_("Nothing is changed; you see the differences and decide.")]

    def act(self) -> str:
        drift_checks.request(actor=self.actor, server=self.object)
        return self.drift_url()


class DriftRestorePage(OfServerDrift, ActionPage):
    """Restores several findings of a server (`?item=` each), or all of them."""

    action = "drift.restore"
    submit_label = gettext_lazy("Restore")
    template_name = "provisioning/drift_confirm.html"

    def get_title(self) -> str:
        return _("Restore %(server)s") % {"server": self.object}

    def chosen(self) -> list[DriftItem] | None:
        """Return the findings that were ticked; None for all."""
        wanted = self.request.GET.getlist("item")
        return list(selectors.open_items(self.object).filter(pk__in=wanted)) if wanted else None

    def shown(self) -> list[DriftItem]:
        """Return the findings that would be restored."""
        chosen = self.chosen()
        if chosen is not None:
            return chosen
        return [item for item in selectors.open_items(self.object) if drift.obstacle(item) is None]

    def get_question(self) -> str:
        count = len(self.shown())
        said = ngettext(
            "Put %(count)s difference on %(server)s back?", "Put %(count)s differences on %(server)s back?", count
        )
        return said % {"count": count, "server": self.object}

    def consequences(self) -> list[str]:
        return consequences(self.shown())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(findings=[findings.finding(item) for item in self.shown()], **kwargs)

    def act(self) -> str:
        drift.restore(actor=self.actor, server=self.object, items=self.chosen())
        return self.drift_url()


class DriftHistoryPage(OfServerDrift, ListPage):
    """Everything that was ever found on a server, with what became of it."""

    action = "drift.view"
    table_class = DriftItemTable
    filter_class = DriftFilter
    export_name = "drift"

    def get_title(self) -> str:
        return _("History of drift")

    def list_rows(self) -> QuerySet[DriftItem]:
        return selectors.items().filter(server=self.object)

    def empty(self) -> Empty:
        return Empty("history", _("No drift was ever found here"))


class OfDriftItem(Page):
    """A page about one finding."""

    template_name = "provisioning/drift_confirm.html"

    def rows(self) -> QuerySet[Any] | None:
        return selectors.items()

    def breadcrumbs(self) -> list[tuple[str, str]]:
        server = self.object.server
        return [
            (_("Servers"), reverse("provisioning:server_list")),
            (str(server), reverse("provisioning:server", args=[server.pk])),
            (_("Drift"), self.drift_url()),
        ]

    def drift_url(self) -> str:
        """Return the address of the page with the findings."""
        return reverse("provisioning:drift", args=[self.object.server_id])

    def get_title(self) -> str:
        kind, name = findings.named(self.object.key)
        return f"{kind} {name}"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(findings=[findings.finding(self.object)], **kwargs)


class DriftItemRestorePage(OfDriftItem, ActionPage):
    """Restores one finding."""

    action = "drift.restore"
    question = gettext_lazy("Put this back as the panel made it?")
    submit_label = gettext_lazy("Restore")

    def consequences(self) -> list[str]:
        return consequences([self.object])

    def act(self) -> str:
        drift.restore(actor=self.actor, server=self.object.server, items=[self.object])
        return self.drift_url()


class DriftItemAdoptPage(OfDriftItem, ActionPage):
    """Takes one finding over into the panel."""

    action = "drift.adopt"
    question = gettext_lazy("Take over into the panel what is on the server?")
    submit_label = gettext_lazy("Adopt")

    def consequences(self) -> list[str]:
        known = adoptions.of(self.object)
        if known is None:
            return [_("The panel has no setting that says this: restore it, or make it an exception.")]
        return [str(known.words), _("The same rules and limits hold as for anybody who sets it by hand.")]

    def act(self) -> str:
        operation = drift.adopt(actor=self.actor, item=self.object)
        return reverse("provisioning:operation", args=[operation.pk])


class DriftItemPinPage(OfDriftItem, FormPage):
    """Makes one finding an exception."""

    action = "drift.pin"
    form_class = PinForm
    template_name = "provisioning/drift_pin.html"
    submit_label = gettext_lazy("Make it an exception")
    intro = gettext_lazy(
        "It is left on the server as it is now: no change of the panel touches it, and no check reports it, until it "
        "changes once more. A rebuilt server does not have it."
    )

    def act(self, data: dict[str, Any]) -> str:
        drift.pin(actor=self.actor, item=self.object, note=data["note"])
        return self.drift_url()


class PinRemovePage(ActionPage):
    """Ends an exception."""

    action = "drift.pin"
    question = gettext_lazy("End this exception?")
    submit_label = gettext_lazy("End the exception")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.pins()

    def get_title(self) -> str:
        kind, name = findings.named(self.object.key)
        return f"{kind} {name}"

    def breadcrumbs(self) -> list[tuple[str, str]]:
        server = self.object.slice.server
        return [
            (_("Servers"), reverse("provisioning:server_list")),
            (str(server), reverse("provisioning:server", args=[server.pk])),
            (_("Drift"), reverse("provisioning:drift", args=[server.pk])),
        ]

    def consequences(self) -> list[str]:
        return [_("It counts as drift again, to be restored or adopted. Nothing on the server changes by this.")]

    def act(self) -> str:
        url = self.cancel_url()
        drift.unpin(actor=self.actor, pin=self.object)
        return url


def _account(pin: Pin) -> str:
    return pin.slice.hosting.domain if pin.slice.hosting else ""


def consequences(items: list[DriftItem]) -> list[str]:
    """Return what restoring does, in words."""
    kinds = [kind for kind in RESTORED if any(item.kind == kind for item in items)]
    said = [str(RESTORED[kind]) for kind in kinds]
    return [*said, _("Everything else of the same account on this server is compared and put right, too.")]
