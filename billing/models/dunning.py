"""What was done because an invoice was not paid, and what was told to programs about invoices."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.models.customers import Customer
from billing.models.invoices import Invoice
from billing.models.parties import PartyManager, PartyRow
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class DunningStep(PartyRow):
    """A step that was taken for an invoice, at most once: `reminder:1`, `suspend`, `terminate` and so on. One that was
    `passed_over` had no effect and will have none.
    """

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="dunning_steps")
    step = models.CharField(max_length=20)
    done_at = models.DateTimeField()
    passed_over = models.BooleanField(default=False)

    party = "invoice"
    objects = PartyManager("invoice__seller", "invoice__buyer")

    class Meta:
        ordering = ("done_at", "id")
        constraints = (models.UniqueConstraint(fields=("invoice", "step"), name="dunning_step_once"),)

    def __str__(self) -> str:
        return self.step


class Hold(PartyRow):
    """What a customer does not get while an invoice is unpaid. Done, and lifted, when the servers have reported it."""

    class Stage(models.TextChoices):
        """How far it goes."""

        ORDERS = "orders", _("No new accounts")
        PANEL = "panel", _("Panel for billing only")
        SITES = "sites", _("Sites suspended")

    class State(models.TextChoices):
        """How far it has come."""

        ORDERED = "ordered", _("Ordered")
        DONE = "done", _("In force")
        LIFTING = "lifting", _("Being lifted")
        LIFTED = "lifted", _("Lifted")

    id = IdField(prefix="hld")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="holds")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="holds")
    stage = models.CharField(max_length=6, choices=Stage)
    state = models.CharField(max_length=7, choices=State, default=State.ORDERED)
    operation = models.ForeignKey("provisioning.Operation", models.SET_NULL, null=True, blank=True, related_name="+")
    begun_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    party = "customer"
    objects = PartyManager("customer__seller", "customer__buyer")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("customer", "stage"), condition=~Q(state="lifted"), name="hold_once_at_a_time"
            ),
        )

    def __str__(self) -> str:
        return self.stage


class DunningPause(PartyRow):
    """A promise to wait: no step is taken before the day `until` for an invoice, or for all of a customer's."""

    id = IdField(prefix="dpa")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="dunning_pauses")
    invoice = models.OneToOneField(Invoice, models.PROTECT, null=True, blank=True, related_name="dunning_pause")
    until = models.DateField(_("until"))
    reason = models.CharField(_("reason"), max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    party = "customer"
    objects = PartyManager("customer__seller", "customer__buyer")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("customer",), condition=Q(invoice__isnull=True), name="dunning_pause_once_of_all"
            ),
        )

    def __str__(self) -> str:
        return str(self.until)


class Hook(models.Model):
    """An address of a seller that is told of its invoices (Standard Webhooks); the signing secrets are in the vault.

    No kinds means all of them. After a change of the secret the old one signs, too, until `old_until`.
    """

    id = IdField(prefix="hok")
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="hooks")
    url = models.URLField(max_length=500)
    secret = models.CharField(max_length=32, blank=True)
    old_secret = models.CharField(max_length=32, blank=True)
    old_until = models.DateTimeField(null=True, blank=True)
    kinds = models.JSONField(default=list, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.url

    @property
    def parties(self) -> tuple[str, str]:
        """The seller alone: what it tells its programs is nobody else's."""
        return self.organization_id, self.organization_id

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.organization.path


class HookDelivery(models.Model):
    """A message for a hook: written in the transaction of what it tells, sent by a worker, tried again for days from
    `since` on.
    """

    class Status(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Received")
        FAILED = "failed", _("Given up")

    id = IdField(prefix="msg")
    hook = models.ForeignKey(Hook, models.CASCADE, related_name="deliveries")
    kind = models.CharField(max_length=40)
    body = models.JSONField()
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    since = models.DateTimeField()
    next_at = models.DateTimeField()
    answer = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("hook__organization__path")

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("next_at",), condition=Q(status="waiting"), name="hook_delivery_waiting"),)

    def __str__(self) -> str:
        return self.kind

    @property
    def parties(self) -> tuple[str, str]:
        """The seller alone."""
        return self.hook.parties

    @property
    def tenant_path(self) -> str:
        """The place of its seller in the tree."""
        return self.hook.organization.path
