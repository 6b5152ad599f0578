"""What becomes of payments by card: told by the payment service, answered to a worker, asked for once more.

What the service tells is believed by its signature, and booked when amount and currency are those of the payment. What
is asked of it carries a key that follows from the payment, so that asking again does nothing twice.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from billing.gateways.base import Event, Refused, Result, Unavailable
from billing.models import Gateway, Payment
from billing.services import gateways, happenings, methods, settlements
from panel.core import audit
from panel.core.actors import Actor
from panel.core.errors import Invalid
from panel.core.queue import ring
from panel.core.scoping import everything

CHARGE = "billing.tasks.charge_card"
LOOK_UP = "billing.tasks.look_up_charge"
FEE = "billing.tasks.note_fee"
SYSTEM = "payment service"
LEFT_BEHIND = timedelta(minutes=2)
"""A worker that has not done what was rung for after so long has not heard it, or got no answer."""
KEY_LASTS = timedelta(hours=23)
"""A payment service knows a key for a day at least; what got no answer until then is not asked for again."""
KEY_GONE = KEY_LASTS + LEFT_BEHIND
"""From then on nobody is still asking by that key, and what became of it is looked up."""
PAGE_LASTS = timedelta(hours=25)
CLOCKS_DIFFER = timedelta(hours=1)
FRESH = timedelta(hours=1)
WITHIN = timedelta(days=3)
"""What a payment service does not say is asked for each minute while it is fresh, then each hour, then not any more."""
AT_ONCE = 200
Status = Payment.Status


def came(gateway: Gateway, event: Event) -> None:
    """Book a payment that the payment service says has come: once, and only as much as was asked for."""
    payment = _told(gateway, event)
    if payment is None:
        return
    with settlements.locked(payment.customer_id) as customer:
        payment = again(payment)
        if payment.status == Status.SUCCEEDED and event.remote not in ("", payment.remote_id):
            payment = _another(payment, event)
        if payment.status != Status.SUCCEEDED:
            if (event.amount, event.currency) != (payment.amount, payment.currency):
                _differs(payment, event)
                return
            payment.status, payment.failure = Status.SUCCEEDED, ""
            payment.remote_id = event.remote or payment.remote_id
            payment.received_on = settlements.day_of(customer)
            payment.save(update_fields=["status", "failure", "remote_id", "received_on"])
            settlements.receive(payment)
            audit.record(Actor.system(SYSTEM), "payment.succeeded", payment)
            happenings.tell("payment.succeeded", payment)
            ring(FEE, payment.pk)
        if event.remote_card and event.remote_customer:
            methods.saved(gateway, customer, event.remote_customer, event.remote_card)


def failed(gateway: Gateway, event: Event) -> None:
    """Note that a payment failed, or that its page ran out."""
    payment = _told(gateway, event)
    if payment is None:
        return
    with settlements.locked(payment.customer_id):
        payment = again(payment)
        if payment.status == Status.PENDING:
            end(payment, Status.EXPIRED if event.kind == "expired" else Status.FAILED, event.reason)


def charge(payment_id: str) -> None:
    """Charge a saved card for a payment that waits. For workers; raises Unavailable to be run again by the same key.

    What the service has taken on is not asked for again, and nothing is once it may have forgotten the key.
    """
    with everything("a payment"):
        rows = Payment.objects.select_related("gateway", "method", "customer")
        rows = rows.filter(status=Status.PENDING, method__isnull=False, remote_id="")
        payment = rows.filter(pk=payment_id, created_at__gt=timezone.now() - KEY_LASTS).first()
    if payment is None or payment.gateway is None or payment.method is None:
        return
    try:
        result = gateways.service(payment.gateway).charge_saved(
            payment=payment.pk,
            key=f"charge:{payment.pk}",
            amount=payment.amount,
            currency=payment.currency,
            remote_customer=payment.method.remote_customer,
            remote_card=payment.method.remote_id,
        )
    except (Refused, Invalid) as error:
        with settlements.locked(payment.customer_id):
            payment = again(payment)
            if payment.status == Status.PENDING:
                end(payment, Status.FAILED, error.message)
        return
    _follow(payment, result)


def look_up(payment_id: str) -> None:
    """Look up at the payment service what became of a charge whose answer was lost, and whose key may be forgotten.

    What never came there has failed, and can be tried again. For workers; raises Unavailable or Refused to be run
    again, when the seller was told.
    """
    with everything("a payment"):
        rows = Payment.objects.select_related("gateway", "method", "customer")
        rows = rows.filter(status=Status.PENDING, method__isnull=False, gateway__isnull=False, remote_id="")
        payment = rows.filter(pk=payment_id, created_at__lte=timezone.now() - KEY_GONE).first()
    if payment is None or payment.gateway is None or payment.method is None:
        return
    try:
        result = gateways.service(payment.gateway).find_charge(
            payment=payment.pk,
            remote_customer=payment.method.remote_customer,
            since=payment.created_at - CLOCKS_DIFFER,
        )
    except (Unavailable, Refused):
        _unanswered(payment)
        raise
    if result is None:
        with settlements.locked(payment.customer_id):
            payment = again(payment)
            if payment.status == Status.PENDING and not payment.remote_id:
                end(payment, Status.FAILED, _("The payment service never got it. Pay again."))
        return
    _follow(payment, result)


def fresh(now: datetime) -> timedelta:
    """Return how old something may be that a payment service is asked for again at `now`."""
    return WITHIN if now.minute == 0 else FRESH


def note_fee(payment_id: str) -> None:
    """Ask what the payment service kept of a payment and book it, once. For workers."""
    with everything("a payment"):
        rows = Payment.objects.select_related("gateway").filter(pk=payment_id, status=Status.SUCCEEDED, fee=0)
        payment = rows.filter(gateway__isnull=False).first()
    if payment is None or payment.gateway is None:
        return
    fee = gateways.service(payment.gateway).fee(payment.remote_id, payment.currency)
    if not fee:
        return
    with settlements.locked(payment.customer_id) as customer:
        Payment.objects.filter(pk=payment.pk).update(fee=fee)
        sides = (settlements.Account.FEES, settlements.Account.CASH)
        settlements.post(customer, f"payment:{payment.pk}:fee", *sides, fee, payment=payment)


def sweep(now: datetime) -> None:
    """Ring again for charges, fees and cards that no worker has finished, and give up pages that have run out.

    What got no answer for so long that the key may be forgotten is looked up, and not asked for again.
    """
    with everything("payments that wait"):
        left = Payment.objects.filter(created_at__lt=now - LEFT_BEHIND, gateway__isnull=False).order_by("id")
        pending = left.filter(status=Status.PENDING)
        charges = pending.filter(method__isnull=False, remote_id="")
        since = now - fresh(now)
        silent = charges.filter(created_at__lte=now - KEY_GONE, created_at__gt=since - KEY_GONE)
        waiting = (
            (CHARGE, charges.filter(created_at__gt=now - KEY_LASTS)),
            (LOOK_UP, silent),
            (FEE, left.filter(status=Status.SUCCEEDED, fee=0, created_at__gt=since)),
            *methods.waiting(now - LEFT_BEHIND, since),
        )
        for task, rows in waiting:
            for pk in rows.values_list("pk", flat=True)[:AT_ONCE]:
                ring(task, pk)
        run_out = pending.filter(method__isnull=True, created_at__lt=now - PAGE_LASTS)
        for payment_id in run_out.values_list("pk", flat=True)[:AT_ONCE]:
            give_up(payment_id)


def give_up(payment_id: str) -> None:
    """End a payment whose page has run out; money that comes all the same is booked."""
    payment = Payment.objects.get(pk=payment_id)
    with settlements.locked(payment.customer_id):
        payment = again(payment)
        if payment.status == Status.PENDING:
            end(payment, Status.EXPIRED, "")


def again(payment: Payment) -> Payment:
    """Read a payment once more and lock it, under its customer's lock."""
    rows = Payment.objects.select_for_update(of=("self",)).select_related("customer__seller", "gateway", "invoice")
    return rows.get(pk=payment.pk)


def end(payment: Payment, status: str, reason: str) -> None:
    """End a payment that did not come, and tell so. Belongs under the customer's lock."""
    payment.status, payment.failure = Status(status), reason[:300]
    payment.save(update_fields=["status", "failure"])
    audit.record(Actor.system(SYSTEM), "payment.failed", payment, {"reason": (None, payment.failure)})
    happenings.tell("payment.failed", payment)


def _taken_on(payment: Payment, remote_id: str) -> None:
    """Note that the payment service has taken a charge on, and will tell what becomes of it."""
    with settlements.locked(payment.customer_id):
        payment = again(payment)
        if payment.status == Status.PENDING and not payment.remote_id:
            payment.remote_id = remote_id
            payment.save(update_fields=["remote_id"])


def _unanswered(payment: Payment) -> None:
    """Say, once, that nobody knows of a charge; it may have been done, so that it neither failed nor is tried again."""
    with settlements.locked(payment.customer_id):
        payment = again(payment)
        if payment.status == Status.PENDING and not payment.remote_id and not payment.failure:
            payment.failure = _("The payment service did not answer. See there whether it charged the card.")
            payment.save(update_fields=["failure"])
            audit.record(Actor.system(SYSTEM), "payment.unanswered", payment)


def _follow(payment: Payment, result: Result) -> None:
    """Book what the payment service has answered of a charge."""
    if payment.gateway is None:
        return
    if result.outcome == "pending":
        _taken_on(payment, result.remote_id)
    else:
        follow = came if result.outcome == "done" else failed
        follow(payment.gateway, _as_event(payment, result))


def _as_event(payment: Payment, result: Result) -> Event:
    """Return what a webhook would tell of a charge that was answered."""
    return Event(
        id="",
        name="answer",
        kind="paid" if result.outcome == "done" else "failed",
        at=0,
        payment=payment.pk,
        remote=result.remote_id,
        amount=payment.amount,
        currency=payment.currency,
        reason=result.reason,
    )


def _told(gateway: Gateway, event: Event) -> Payment | None:
    """Return the payment that an event is about, if it is one of this gateway."""
    rows = Payment.objects.filter(gateway=gateway, source=Payment.Source.GATEWAY)
    return rows.filter(pk=event.payment).first() if event.payment else None


def _another(payment: Payment, event: Event) -> Payment:
    """Return a payment of its own for what came a second time for one: it is the customer's money all the same."""
    made, _new = Payment.objects.get_or_create(
        seller=payment.seller,
        key=f"again:{event.remote}",
        defaults={
            "customer": payment.customer,
            "source": Payment.Source.GATEWAY,
            "amount": payment.amount,
            "currency": payment.currency,
            "invoice": payment.invoice,
            "gateway": payment.gateway,
        },
    )
    return made


def _differs(payment: Payment, event: Event) -> None:
    """Say, where the seller sees it, that another amount came than was asked for; nothing is booked."""
    values = {"came": f"{event.amount} {event.currency}", "asked": f"{payment.amount} {payment.currency}"}
    payment.failure = _("The payment service speaks of %(came)s, but %(asked)s was asked for.") % values
    payment.save(update_fields=["failure"])
    audit.record(Actor.system(SYSTEM), "payment.differs", payment, {"amount": (str(payment.amount), str(event.amount))})
