"""What dunning looks like to programs: what is overdue, what was done and comes, what is held back, what waits."""

from __future__ import annotations

from datetime import date
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.api.invoice_serializers import Amount
from billing.models import Hold, Receivable
from billing.selectors import customers, sellers
from billing.selectors import dunning as selectors
from panel.core.api.endpoints import Document
from panel.core.api.fields import Reference, Text
from panel.core.api.serializers import StrictSerializer

STEP = (
    "reminder:N (N days after the due date), overdue, demand, suspend, panel, sites_notice, sites, terminate_notice or "
    "terminate."
)


class TakenStep(Document):
    """A step that was taken."""

    step = serializers.CharField(help_text=STEP)
    at = serializers.DateTimeField(source="done_at")


class ComingStep(Document):
    """A step to come."""

    step = serializers.CharField(source="name", help_text=STEP)
    on = serializers.DateField(help_text="The day on which it comes if nobody pays until then.")


class Held(Document):
    """What a customer does not get while an invoice is unpaid. Servers have the last word: `done` is in force."""

    id = serializers.CharField()
    customer = serializers.CharField(source="customer_id")
    invoice = serializers.CharField(source="invoice_id")
    stage = serializers.ChoiceField(choices=Hold.Stage.choices)
    state = serializers.ChoiceField(choices=Hold.State.choices)
    begun_at = serializers.DateTimeField()
    lifted_at = serializers.DateTimeField(allow_null=True)


class Overdue(Document):
    """An invoice that should have been paid. The context has `seller` and `now`."""

    invoice = serializers.CharField(source="invoice_id")
    number = serializers.CharField(source="invoice.label")
    customer = serializers.CharField(source="customer_id")
    customer_name = serializers.CharField(source="customer.name")
    due_on = serializers.DateField()
    days = serializers.SerializerMethodField(help_text="Days since it was due.")
    open = Amount()
    currency = serializers.CharField()
    last = serializers.SerializerMethodField()
    next = serializers.SerializerMethodField()
    paused_until = serializers.SerializerMethodField(help_text="Nothing follows before this day.")
    holds = serializers.SerializerMethodField(help_text="What its customer does not get now.")

    def get_days(self, row: Receivable) -> int:
        """Count the days."""
        return (sellers.today(self.context["seller"], self.context["now"]) - row.due_on).days

    @extend_schema_field(TakenStep(allow_null=True))
    def get_last(self, row: Receivable) -> Any:
        """Return the newest step that was taken."""
        last = self._outlook(row).last
        return None if last is None else TakenStep(last).data

    @extend_schema_field(ComingStep(allow_null=True))
    def get_next(self, row: Receivable) -> Any:
        """Return the next step."""
        coming = self._outlook(row).next
        return None if coming is None else ComingStep(coming).data

    @extend_schema_field(Held(many=True))
    def get_holds(self, row: Receivable) -> Any:
        """Return what is held back."""
        return Held(selectors.standing(row), many=True).data

    def get_paused_until(self, row: Receivable) -> date | None:
        """Return until when it waits."""
        return self._outlook(row).paused_until

    def _outlook(self, row: Receivable) -> selectors.Outlook:
        found: selectors.Outlook | None = vars(row).get("outlook")
        if found is None:
            found = selectors.outlook(row, self.context["seller"], self.context["now"])
            vars(row)["outlook"] = found
        return found


class OverdueQuery(StrictSerializer):
    """Which to list."""

    customer = serializers.CharField(required=False, max_length=32)


class OutlookOf(Document):
    """What was done because an invoice is not paid, and what comes if nobody pays."""

    taken = TakenStep(many=True)
    ahead = ComingStep(many=True)
    paused_until = serializers.DateField(allow_null=True, help_text="Nothing follows before this day.")
    waits = serializers.BooleanField(
        help_text="Nothing is taken away meanwhile: the buyer is suspended or closed for another reason, or has moved."
    )
    holds = Held(many=True, help_text="What the customer does not get now.")


class Pause(Document):
    """A promise to wait: for one invoice, or for all of a customer's."""

    id = serializers.CharField()
    customer = serializers.CharField(source="customer_id")
    invoice = serializers.CharField(source="invoice_id", allow_null=True)
    until = serializers.DateField(help_text="Nothing follows before this day.")
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()


class PauseCreate(StrictSerializer):
    """Until when to wait with what."""

    customer = Reference(customers.known, "dunning.pause")
    invoice = Text(max_length=32, required=False, help_text="Without it all of the customer's invoices wait.")
    until = serializers.DateField(help_text="After today, at most a year ahead.")
    reason = serializers.CharField(max_length=200)
