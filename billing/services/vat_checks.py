"""Checks of VAT numbers: begun when a number is given, answered by the Union's service in a task, kept as evidence."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import vies
from billing.models import Customer, VatCheck
from billing.selectors import customers, sellers
from billing.tax import numbers
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict
from panel.core.queue import ring
from panel.core.scoping import everything

CHECK = "billing.tasks.check_vat_number"
UNANSWERED_EVERY = timedelta(minutes=15)
SETTLED_EVERY = timedelta(days=30)
BATCH = 50

log = structlog.get_logger(__name__)


def begin(customer: Customer) -> None:
    """Set a customer's VAT number to unchecked, and have it checked once it is saved."""
    has_number = bool(customer.vat_number)
    customer.vat_state = Customer.VatState.UNCHECKED if has_number else Customer.VatState.NONE
    customer.vat_asked_at = None
    if numbers.askable(customer.vat_number):
        ring(CHECK, customer.pk)


def request(*, actor: Actor, customer: Customer) -> Customer:
    """Have a VAT number checked again; what is known of it stays until there is an answer."""
    policy.require(actor, "customer.check_vat", customer)
    if not customer.vat_number:
        raise Conflict(_("There is no VAT number to check."), code="no_number")
    if not numbers.askable(customer.vat_number):
        raise Conflict(_("Only VAT numbers of the European Union can be checked."), code="not_askable")
    with transaction.atomic():
        audit.record(actor, "customer.check_vat", customer)
        ring(CHECK, customer.pk)
    return customer


def check(customer_id: str) -> None:
    """Ask about one customer's number and keep the answer. Without an answer it stays what it was.

    For tasks: it waits for the network. A number that was changed meanwhile gets no answer that is another's.
    """
    with everything("a VAT number is checked"):
        customer = Customer.objects.select_related("seller").filter(pk=customer_id).first()
        if customer is None or not numbers.askable(customer.vat_number):
            return
        number, asker = customer.vat_number, sellers.of(customer.seller).vat_number
        Customer.objects.filter(pk=customer_id).update(vat_asked_at=timezone.now())
        try:
            answer = vies.ask(number, asker)
        except vies.NoAnswer as error:
            log.info("vat_check.no_answer", customer=customer_id, problem=str(error))
            return
        with transaction.atomic():
            _keep(customer_id, number, answer)


def due() -> list[str]:
    """Return the customers whose numbers are to be asked about now: at most a batch, those that wait longest first."""
    now = timezone.now()
    with everything("VAT numbers to check"):
        rows = customers.to_ask(now - UNANSWERED_EVERY, now - SETTLED_EVERY)
        return list(rows.values_list("pk", flat=True)[:BATCH])


def _keep(customer_id: str, number: str, answer: vies.Answer) -> None:
    rows = Customer.objects.select_for_update(of=("self",), no_key=True)
    customer = rows.filter(pk=customer_id, vat_number=number).first()
    if customer is None:
        return
    state = Customer.VatState.VALID if answer.is_valid else Customer.VatState.INVALID
    before, customer.vat_state = customer.vat_state, state
    customer.save(update_fields=["vat_state"])
    VatCheck.objects.create(
        customer=customer,
        vat_number=number,
        is_valid=answer.is_valid,
        request_id=answer.request_id,
        answer=answer.evidence,
        checked_at=timezone.now(),
    )
    if before != state:
        changes = {"vat_state": (before, str(state))}
        audit.record(Actor.system("VAT check"), "customer.vat_answer", customer, changes)
