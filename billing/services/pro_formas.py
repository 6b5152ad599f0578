"""Pro-forma invoices of what a customer will be billed next. What a paper is: services.invoices."""

from __future__ import annotations

from billing.models import Charge, Customer, Invoice, Subscription
from billing.services import charges, invoices
from panel.core import policy
from panel.core.actors import Actor
from panel.core.scoping import everything


def next_period(*, actor: Actor, customer: Customer) -> Invoice:
    """Write a pro-forma invoice of what waits for an invoice, and of the next period of each subscription.

    Raises Invalid when there is nothing. Nothing is charged by it.
    """
    policy.require(actor, "invoice.issue", customer)
    with everything("what one customer is billed"):
        found = list(Charge.objects.filter(customer=customer, line=None).order_by("due_on", "id"))
        rows = Subscription.objects.filter(customer=customer).exclude(status=Subscription.Status.ENDED)
        rows = rows.select_related("customer").prefetch_related("components__product", "components__price")
        for subscription in rows.order_by("id"):
            found += charges.due(subscription, subscription.billed_until)
    return invoices.pro_forma(actor=actor, customer=customer, charges=found)
