"""Money that goes back to who paid: from the customer's credit, or by opening again what the payment had paid."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from billing.gateways.base import Event, Outcome, Refused, Unavailable
from billing.models import Customer, Dispute, Gateway, Invoice, Payment, Refund
from billing.pricing import money
from billing.services import card_payments, gateways, happenings, settlements, texts
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid
from panel.core.queue import ring
from panel.core.scoping import everything

SEND = "billing.tasks.send_refund"
LOOK_UP = "billing.tasks.look_up_refund"
SYSTEM = "payment service"
LONGEST_KEY = 100
Account = settlements.Account
Status = Refund.Status


def create(*, actor: Actor, payment: Payment, amount: Decimal, key: str, reason: str = "") -> Refund:
    """Pay back `amount` of a payment: a worker sends it to the card; what came by transfer counts as sent by hand.

    It is taken from the customer's credit first, as a credit note leaves it there; beyond that, invoices that the
    payment paid are open again. The same `key` again returns the refund. Raises Invalid, or Conflict for more than is
    left of the payment.
    """
    policy.require(actor, "receipt.refund", payment)
    reason = texts.line(reason, "reason")
    if amount <= 0 or money.rounded(amount, payment.currency) != amount:
        raise Invalid("amount", _("Give an amount above zero, in whole units of the currency."), "amount")
    with settlements.locked(payment.customer_id) as customer:
        payment = card_payments.again(payment)
        found = Refund.objects.filter(key=_key(payment, key)).first()
        if found is not None:
            return _same(found, amount)
        if amount > left(payment):
            values = {"left": left(payment), "currency": payment.currency}
            text = _("No more than %(left)s %(currency)s of this payment can be paid back.") % values
            raise Conflict(text, field="amount", code="too_much")
        refund = Refund(payment=payment, amount=amount, reason=reason, key=_key(payment, key))
        refund.status = Status.PENDING if payment.gateway_id else Status.DONE
        _take(customer, payment, refund)
        audit.record(actor, "receipt.refund", refund, {"amount": (None, str(amount)), "reason": (None, reason)})
        if payment.gateway_id:
            ring(SEND, refund.pk)
        else:
            happenings.tell("payment.refunded", refund)
    return refund


def keep_as_credit(*, actor: Actor, payment: Payment, invoice: Invoice, amount: Decimal, key: str) -> Decimal:
    """Take `amount` of a payment off an invoice, which is open again, and leave it as the customer's credit.

    For money that was matched to the wrong invoice. Returns the amount; the same `key` again does nothing.
    """
    policy.require(actor, "receipt.refund", payment)
    with settlements.locked(payment.customer_id):
        done = settlements.release(invoice, amount, f"release:{payment.pk}:{key}"[:LONGEST_KEY], payment)
        if done:
            audit.record(actor, "receipt.keep", payment, {"amount": (None, str(done)), "invoice": (str(invoice), None)})
    return done


def left(payment: Payment) -> Decimal:
    """Return how much of a payment can still go back: what came, less what went back and what is or was disputed."""
    if payment.status != Payment.Status.SUCCEEDED:
        return Decimal(0)
    held = Dispute.objects.filter(payment=payment).exclude(status=Dispute.Status.WON)
    free: Decimal = payment.amount - payment.refunded - Decimal(held.aggregate(sum=Sum("amount"))["sum"] or 0)
    return free


def send(refund_id: str) -> None:
    """Send a refund that waits to the card it came from. For workers; raises Unavailable to be run again.

    What the service has taken on, or began itself, is not sent, and nothing is once it may have forgotten the key.
    """
    with everything("a refund"):
        rows = Refund.objects.select_related("payment__gateway").filter(status=Status.PENDING, remote_id="")
        since = timezone.now() - card_payments.KEY_LASTS
        refund = rows.filter(pk=refund_id, created_at__gt=since).first()
    if refund is None or refund.payment.gateway is None:
        return
    try:
        result = gateways.service(refund.payment.gateway).refund(
            refund=refund.pk,
            key=f"refund:{refund.pk}",
            remote_payment=refund.payment.remote_id,
            amount=refund.amount,
            currency=refund.payment.currency,
        )
    except Refused as error:
        _finish(refund, "failed", "", error.message)
        return
    _finish(refund, result.outcome, result.remote_id, result.reason)


def look_up(refund_id: str) -> None:
    """Look up at the payment service what became of a refund whose answer was lost, and whose key may be forgotten.

    What never came there has failed, and can be tried again. For workers; raises Unavailable or Refused to be run
    again, when the seller was told.
    """
    with everything("a refund"):
        rows = Refund.objects.select_related("payment__gateway").filter(status=Status.PENDING, remote_id="")
        refund = rows.filter(pk=refund_id, created_at__lte=timezone.now() - card_payments.KEY_GONE).first()
    if refund is None or refund.payment.gateway is None:
        return
    service = gateways.service(refund.payment.gateway)
    try:
        result = service.find_refund(refund=refund.pk, remote_payment=refund.payment.remote_id)
    except (Unavailable, Refused):
        _unanswered(refund)
        raise
    if result is None:
        _finish(refund, "failed", "", _("The payment service never got it."))
    else:
        _finish(refund, result.outcome, result.remote_id, result.reason)


def told(gateway: Gateway, event: Event) -> None:
    """Note what the payment service says of a refund, also of one that was begun there."""
    rows = Refund.objects.filter(payment__gateway=gateway)
    refund = rows.filter(pk=event.refund).first() if event.refund else None
    refund = refund or rows.filter(remote_id=event.remote).exclude(remote_id="").first()
    if refund is None:
        _begun_there(gateway, event)
    elif (refund.amount, refund.payment.currency) == (event.amount, event.currency):
        _finish(refund, event.outcome, event.remote, event.reason)


def sweep(now: datetime) -> None:
    """Ring again for refunds that no worker has finished; those that got no answer in time are looked up."""
    with everything("refunds that wait"):
        waiting = Refund.objects.filter(status=Status.PENDING, remote_id="").order_by("id")
        late, oldest = now - card_payments.LEFT_BEHIND, now - card_payments.KEY_LASTS
        gone = now - card_payments.KEY_GONE
        silent = waiting.filter(created_at__lte=gone, created_at__gt=gone - card_payments.fresh(now))
        for task, rows in ((SEND, waiting.filter(created_at__lt=late, created_at__gt=oldest)), (LOOK_UP, silent)):
            for pk in rows.values_list("pk", flat=True)[: card_payments.AT_ONCE]:
                ring(task, pk)


def _unanswered(refund: Refund) -> None:
    """Say at the payment that nobody knows whether its refund was made; the money stays taken out."""
    with settlements.locked(refund.payment.customer_id):
        payment = card_payments.again(refund.payment)
        refund = Refund.objects.select_for_update(of=("self",)).get(pk=refund.pk)
        if refund.status == Status.PENDING and not refund.remote_id and not payment.failure:
            values = {"amount": refund.amount, "currency": payment.currency}
            text = _("The payment service did not answer. See there whether it paid back %(amount)s %(currency)s.")
            payment.failure = text % values
            payment.save(update_fields=["failure"])
            audit.record(Actor.system(SYSTEM), "receipt.unanswered", refund, {"amount": (None, str(refund.amount))})


def _begun_there(gateway: Gateway, event: Event) -> None:
    payment = Payment.objects.filter(gateway=gateway, remote_id=event.remote_payment).first()
    if payment is None or event.outcome == "failed":
        return
    with settlements.locked(payment.customer_id) as customer:
        payment = card_payments.again(payment)
        key = _key(payment, event.remote)
        if Refund.objects.filter(key=key).exists():
            return
        actor = Actor.system(SYSTEM)
        if event.currency != payment.currency or event.amount > left(payment):
            _differs(payment, event)
            return
        refund = Refund(payment=payment, amount=event.amount, key=key, remote_id=event.remote, status=Status.PENDING)
        try:
            with transaction.atomic():
                _take(customer, payment, refund)
        except Conflict:
            _differs(payment, event)
            return
        audit.record(actor, "receipt.refund", refund, {"amount": (None, str(event.amount))})
        _finish(refund, event.outcome, event.remote, event.reason)


def _differs(payment: Payment, event: Event) -> None:
    """Say, where the seller sees it, that a refund was begun there which can't be booked: the payment has not so much,
    or its money was used otherwise.
    """
    values = {"amount": event.amount, "currency": event.currency}
    text = _("%(amount)s %(currency)s were paid back at the payment service, which the books here do not show.")
    payment.failure = text % values
    payment.save(update_fields=["failure"])
    changes = {"refunded": (None, f"{event.amount} {event.currency}")}
    audit.record(Actor.system(SYSTEM), "receipt.differs", payment, changes)


def _take(customer: Customer, payment: Payment, refund: Refund) -> None:
    """Keep a refund and take its amount out of the customer's money. Belongs under the customer's lock."""
    if settlements.take_out(payment, refund.amount, f"refund:{refund.pk}") < refund.amount:
        raise Conflict(_("The money of this payment was used otherwise. Credit an invoice first."), field="amount")
    try:
        with transaction.atomic():
            refund.save(force_insert=True)
    except IntegrityError as error:
        raise Conflict(_("This key was used for another refund. Use a new one."), field="key") from error
    payment.refunded += refund.amount
    payment.save(update_fields=["refunded"])
    sides = (Account.CREDIT, Account.CASH)
    settlements.post(customer, f"refund:{refund.pk}", *sides, refund.amount, payment=payment, text=refund.reason)


def _finish(refund: Refund, outcome: Outcome, remote_id: str, reason: str) -> None:
    """Note what became of a refund; the money of one that failed, also late, is the customer's credit again."""
    with settlements.locked(refund.payment.customer_id) as customer:
        payment = card_payments.again(refund.payment)
        refund = Refund.objects.select_for_update(of=("self",)).get(pk=refund.pk)
        refund.remote_id = remote_id or refund.remote_id
        was = refund.status
        if outcome == "done" and was == Status.PENDING:
            refund.status = Status.DONE
        elif outcome == "failed" and was != Status.FAILED:
            refund.status = Status.FAILED
            payment.refunded -= refund.amount
            payment.save(update_fields=["refunded"])
            key, sides = f"refund:{refund.pk}:back", (Account.CASH, Account.CREDIT)
            settlements.post(customer, key, *sides, refund.amount, payment=payment, text=reason)
        refund.save(update_fields=["remote_id", "status"])
        if refund.status != was:
            Payment.objects.filter(pk=payment.pk, status=Payment.Status.SUCCEEDED).update(failure="")
            audit.record(Actor.system(SYSTEM), f"receipt.refund_{refund.status}", refund, {"reason": (None, reason)})
        if refund.status != was and refund.status == Status.DONE:
            happenings.tell("payment.refunded", refund)


def _same(refund: Refund, amount: Decimal) -> Refund:
    if refund.amount != amount:
        raise Conflict(_("This key was used for another refund. Use a new one."), field="key")
    return refund


def _key(payment: Payment, key: str) -> str:
    return f"{payment.pk}:{key}"[:LONGEST_KEY]
