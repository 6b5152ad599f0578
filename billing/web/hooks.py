"""Pages of addresses for programs: list, add, what one was told, test, new secret, remove."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from accounts.selectors import organizations
from billing.models import Hook, HookDelivery
from billing.selectors import hooks as selectors
from billing.services import hook_deliveries, hooks
from billing.web import hook_tables as tables
from billing.web.hook_forms import HookChangeForm, HookForm
from billing.words import happening
from panel.core.lists import ListsPage
from panel.core.web import Action, ActionPage, Empty, FormPage, ListPage, Page

SECRET_PAGE = "billing/hook_secret.html"  # noqa: S105 -- a template


class HookListPage(ListPage):
    """Addresses of one's own organization."""

    action = "hook.view"
    title = gettext_lazy("Webhooks")
    table_class = tables.HookTable
    export_name = "webhooks"

    def list_rows(self) -> QuerySet[Hook]:
        return selectors.own(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [(_("Billing settings"), reverse("billing:seller"))]

    def actions(self) -> list[Action]:
        if not self.may("hook.create"):
            return []
        return [Action(_("New address"), reverse("billing:hook_create"), "plus", "primary")]

    def empty(self) -> Empty:
        return Empty(
            "plug",
            _("No program is told yet"),
            _("Bookkeeping, a shop or a chat can be told as soon as an invoice is issued, paid or overdue."),
            reverse("billing:hook_create") if self.may("hook.create") else "",
            _("New address"),
        )


@method_decorator(never_cache, name="dispatch")
class HookCreatePage(FormPage):
    """Adds an address and shows its secret this once."""

    action = "hook.create"
    title = gettext_lazy("New address")
    form_class: ClassVar[type[Form]] = HookForm
    submit_label = gettext_lazy("Add the address")

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return _way_up()

    def done(self, data: dict[str, Any]) -> HttpResponseBase:
        own = organizations.of_actor(self.actor)
        hook, text = hooks.create(actor=self.actor, organization=own, **data)
        self.template_name = SECRET_PAGE
        return self.render_to_response(self.get_context_data(hook=hook, text=text))


class OfHook(Page):
    """A page about one address."""

    def rows(self) -> QuerySet[Any] | None:
        return selectors.own(self.actor)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*_way_up(), (str(self.object), self.url("hook"))]

    def url(self, name: str) -> str:
        """Return the address of a page about it."""
        return reverse(f"billing:{name}", args=[self.object.pk])


class HookPage(OfHook, ListsPage):
    """One address and what it was told."""

    action = "hook.view"
    template_name = "billing/facts_table.html"

    def get_title(self) -> str:
        return str(self.object)

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return _way_up()

    def actions(self) -> list[Action]:
        if not self.may("hook.change"):
            return []
        return [
            Action(_("Remove"), self.url("hook_remove"), "trash"),
            Action(_("New secret"), self.url("hook_rotate"), "key"),
            Action(_("Send a test"), self.url("hook_test"), "plug"),
            Action(_("Change"), self.url("hook_change"), "pencil", "primary"),
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        text = _("As soon as something happens that it is told of, it stands here with the answer.")
        table = self.table(tables.DeliveryTable, selectors.of(self.object), Empty("send", _("Nothing told yet"), text))
        if not self.may("hook.resend"):
            table.exclude = ["manage"]
        kinds = ", ".join(happening(kind) for kind in self.object.kinds) or _("Everything")
        facts = [(_("Told of"), kinds), (_("State"), _("Told") if self.object.is_active else _("Off"))]
        note = _("What is not taken is tried again for three days, each time after twice as long.")
        return super().get_context_data(facts=facts, table=table, table_title=_("Messages"), table_note=note, **kwargs)


class HookChangePage(OfHook, FormPage):
    """Changes where it is and what it is told of."""

    action = "hook.change"
    title = gettext_lazy("Change the address")
    form_class: ClassVar[type[Form]] = HookChangeForm

    def initial(self) -> dict[str, Any]:
        return {"url": self.object.url, "kinds": self.object.kinds, "is_active": self.object.is_active}

    def act(self, data: dict[str, Any]) -> str:
        hooks.change(actor=self.actor, hook=self.object, **data)
        messages.success(self.request, _("Saved."))
        return self.url("hook")


@method_decorator(never_cache, name="dispatch")
class HookRotatePage(OfHook, FormPage):
    """Makes a new secret and shows it this once."""

    action = "hook.rotate"
    title = gettext_lazy("New secret")
    form_class: ClassVar[type[Form]] = Form
    submit_label = gettext_lazy("Make a new secret")
    intro = gettext_lazy(
        "For a day both sign: give the program the new one meanwhile. Then the old one is worth nothing."
    )

    def done(self, data: dict[str, Any]) -> HttpResponseBase:
        hook, text = hooks.rotate(actor=self.actor, hook=self.object)
        self.template_name = SECRET_PAGE
        return self.render_to_response(self.get_context_data(hook=hook, text=text))


class HookTestPage(OfHook, ActionPage):
    """Sends a message that means nothing."""

    action = "hook.test"
    title = gettext_lazy("Send a test")
    question = gettext_lazy("Send this address a message of the kind hook.test?")
    submit_label = gettext_lazy("Send a test")

    def act(self) -> str:
        hook_deliveries.send_test(actor=self.actor, hook=self.object)
        messages.success(self.request, _("It is on its way; load the page anew to see the answer."))
        return self.url("hook")


class HookRemovePage(OfHook, ActionPage):
    """Forgets an address."""

    action = "hook.remove"
    title = gettext_lazy("Remove the address")
    submit_label = gettext_lazy("Remove the address")
    danger = True

    def get_question(self) -> str:
        return _("Tell %(url)s nothing any more?") % {"url": self.object}

    def consequences(self) -> list[str]:
        return [_("Its secret and the list of its messages go with it; what waits is not sent.")]

    def act(self) -> str:
        hooks.remove(actor=self.actor, hook=self.object)
        return reverse("billing:hook_list")


class DeliveryResendPage(ActionPage):
    """Sends a message again."""

    action = "hook.resend"
    title = gettext_lazy("Send again")
    submit_label = gettext_lazy("Send again")

    def rows(self) -> QuerySet[Any] | None:
        return selectors.deliveries(self.actor)

    def get_question(self) -> str:
        delivery: HookDelivery = self.object
        return _("Send %(kind)s to %(url)s again, under the same id?") % {
            "kind": f"“{happening(delivery.kind)}”",
            "url": delivery.hook,
        }

    def breadcrumbs(self) -> list[tuple[str, str]]:
        return [*_way_up(), (str(self.object.hook), reverse("billing:hook", args=[self.object.hook_id]))]

    def act(self) -> str:
        hook_deliveries.resend(actor=self.actor, delivery=self.object)
        return reverse("billing:hook", args=[self.object.hook_id])


def _way_up() -> list[tuple[str, str]]:
    return [(_("Webhooks"), reverse("billing:hook_list"))]
