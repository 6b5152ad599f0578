"""Pages that carry out one verb: what it would do can be shown before it is done."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import reverse

from panel.core.web import ActionPage, FormPage, Page
from provisioning.models import Operation
from provisioning.services import previews, verbs


class VerbPage(Page):
    """A change that is one verb of `services/verbs.py`."""

    verb: ClassVar[str]
    shows_first = True

    def order(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the verb's arguments, objects by their ids."""
        raise NotImplementedError

    def after(self, operation: Operation | None) -> str:
        """Return the address of the page to show next; without an operation no server has to follow."""
        raise NotImplementedError

    def carry_out(self, data: dict[str, Any]) -> str:
        """Carry out the verb; returns the address of the page to show next."""
        return self.after(verbs.run(actor=self.actor, verb=self.verb, arguments=self.order(data))[1])

    def show_first(self, data: dict[str, Any]) -> str:
        """Ask for the verb's plan; returns the address of the page that shows it."""
        order = self.order(data)
        preview = previews.request(actor=self.actor, verb=self.verb, arguments=order, origin=self.request.path)
        return reverse("provisioning:preview", args=[preview.pk])


class VerbFormPage(VerbPage, FormPage):
    """A form whose values are a verb's arguments."""

    def act(self, data: dict[str, Any]) -> str:
        """Carry out the verb."""
        return self.carry_out(data)

    def plan(self, data: dict[str, Any]) -> str:
        """Ask for the verb's plan."""
        return self.show_first(data)


class VerbActionPage(VerbPage, ActionPage):
    """A button that carries out a verb."""

    def act(self) -> str:
        """Carry out the verb."""
        return self.carry_out({})

    def plan(self) -> str:
        """Ask for the verb's plan."""
        return self.show_first({})
