"""Promises to wait: no reminder is sent and nothing taken away for an invoice, or a customer, before a day."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils.translation import gettext as _

from billing.models import Customer, DunningPause, Invoice, Receivable
from billing.selectors import sellers
from billing.services import settlements, texts
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid

LONGEST = timedelta(days=366)


def hold_off(
    *, actor: Actor, customer: Customer, until: date, reason: str, invoice: Invoice | None = None
) -> DunningPause:
    """Take no step of dunning before the day `until`, for one invoice or, without one, for all of a customer's.

    What is held back stays held back. A promise that was there is changed. From that day on it goes on as after days
    without a run. Raises Invalid for a day that is not within the year to come, Conflict for what is paid.
    """
    policy.require(actor, "dunning.pause", customer)
    with settlements.locked(customer.pk) as customer:
        _check(customer, until, invoice)
        found = DunningPause.objects.filter(customer=customer, invoice=invoice).first()
        pause = found or DunningPause(customer=customer, invoice=invoice)
        before = {"until": pause.until, "reason": pause.reason}
        pause.until, pause.reason = until, texts.line(reason, "reason")
        clean_or_invalid(pause)
        pause.save()
        after = {"until": pause.until, "reason": pause.reason}
        audit.record(actor, "dunning.pause", pause, audit.difference(before, after))
    return pause


def resume(*, actor: Actor, pause: DunningPause) -> None:
    """Take a promise back: what is due comes with the next run, one step at a time."""
    policy.require(actor, "dunning.resume", pause)
    with settlements.locked(pause.customer_id):
        found = DunningPause.objects.filter(pk=pause.pk).first()
        if found is None:
            raise Conflict(_("This was taken back already."), code="gone")
        audit.record(actor, "dunning.resume", found, {"until": (found.until, "")})
        found.delete()


def _check(customer: Customer, until: date, invoice: Invoice | None) -> None:
    today = sellers.today(sellers.of(customer.seller))
    if not today < until <= today + LONGEST:
        raise Invalid("until", _("Give a day after today, at most a year ahead."), "until")
    if invoice is None:
        return
    if invoice.customer_id != customer.pk:
        raise Invalid("other_customer", _("Give an invoice of this customer."), "invoice")
    if not Receivable.objects.filter(invoice=invoice, settled_at__isnull=True).exists():
        raise Conflict(_("Nothing is open of this invoice."), code="settled")
