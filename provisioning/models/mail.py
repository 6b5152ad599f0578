"""Mail domains, mailboxes and aliases. No password is stored: only Dovecot's hash of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class MailDomain(models.Model):
    """Mail is taken here only once the public MX points here, or staff vouched for it on record."""

    class Delivery(models.TextChoices):
        PENDING = "pending", _("Waiting for the MX record")
        VERIFIED = "verified", _("MX record points here")
        VOUCHED = "vouched", _("Vouched for by staff")

    id = IdField(prefix="mdo")
    hosting = models.ForeignKey("provisioning.HostingAccount", on_delete=models.CASCADE, related_name="mail_domains")
    domain = models.OneToOneField("provisioning.Domain", on_delete=models.CASCADE, related_name="mail_domain")
    name = models.CharField(max_length=253, unique=True, validators=[fields.validate(names.hostname)])
    store = models.CharField(
        max_length=253,
        blank=True,
        validators=[fields.validate(names.hostname)],
        help_text="The directory of its mailboxes, where that is not its name: it was renamed.",
    )
    delivery = models.CharField(max_length=10, choices=Delivery, default=Delivery.PENDING)
    vouched_by = models.CharField(max_length=32, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("hosting__organization__path")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(delivery="vouched") | ~Q(vouched_by=""), name="mail_domain_vouched_by_someone"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        return self.hosting.tenant_path

    @property
    def delivers(self) -> bool:
        return self.delivery != self.Delivery.PENDING


class Mailbox(models.Model):
    id = IdField(prefix="mbx")
    mail_domain = models.ForeignKey(MailDomain, on_delete=models.CASCADE, related_name="mailboxes")
    local = models.CharField(max_length=64, validators=[fields.validate(names.local_part)])
    password_hash = models.CharField(max_length=72)
    quota_bytes = models.BigIntegerField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("mail_domain__hosting__organization__path")

    class Meta:
        ordering = ["mail_domain", "local"]
        verbose_name_plural = "mailboxes"
        constraints = [
            models.CheckConstraint(
                condition=Q(quota_bytes__isnull=True) | Q(quota_bytes__gte=0),
                name="mailbox_quota_not_negative",
                violation_error_message=_("A mailbox's size can't be negative."),
            ),
            models.UniqueConstraint(
                fields=["mail_domain", "local"],
                name="mailbox_once",
                violation_error_message=_("This mailbox exists already."),
            ),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        return f"{self.local}@{self.mail_domain.name}"

    @property
    def tenant_path(self) -> str:
        return self.mail_domain.tenant_path


class MailAlias(models.Model):
    """An address whose mail goes on to `destinations`, a list of full addresses."""

    id = IdField(prefix="mal")
    mail_domain = models.ForeignKey(MailDomain, on_delete=models.CASCADE, related_name="aliases")
    local = models.CharField(max_length=64, validators=[fields.validate(names.local_part)])
    destinations = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("mail_domain__hosting__organization__path")

    class Meta:
        ordering = ["mail_domain", "local"]
        verbose_name_plural = "mail aliases"
        constraints = [
            models.UniqueConstraint(
                fields=["mail_domain", "local"],
                name="mail_alias_once",
                violation_error_message=_("This alias exists already."),
            ),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        return f"{self.local}@{self.mail_domain.name}"

    @property
    def tenant_path(self) -> str:
        return self.mail_domain.tenant_path
