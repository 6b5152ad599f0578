"""How a brand's mail speaks: its texts, its sender, and the mail that waits to be sent."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.brands import Brand
from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class MailTemplate(models.Model):
    """A brand's own text of one kind of mail (accounts.voice.catalogue) in one language; without a row the brand's text
    in its own language stands, and without that ours.
    """

    id = IdField(prefix="mtp")
    brand = models.ForeignKey(Brand, models.CASCADE, related_name="mail_templates")
    kind = models.CharField(max_length=40)
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=200)
    text = models.TextField(max_length=10_000)
    changed_at = models.DateTimeField(auto_now=True)

    objects = TenantManager("brand__organization__path")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("brand", "kind", "language"), name="mail_template_once"),)

    def __str__(self) -> str:
        return f"{self.kind} ({self.language})"

    @property
    def tenant_path(self) -> str:
        """The place of its brand's organization in the tree."""
        return self.brand.organization.path


class MailSender(models.Model):
    """From whom a brand's mail comes and how it leaves: signed in the brand's name by the installation's server, or by
    the brand's own SMTP account once that has been tried. Password and private key are in the vault.
    """

    class Security(models.TextChoices):
        """How the connection to the brand's own server is encrypted."""

        STARTTLS = "starttls", _("STARTTLS")
        TLS = "tls", _("TLS from the start")

    class SmtpState(models.TextChoices):
        """Whether the brand's own SMTP account can be used."""

        OFF = "off", _("Not set up")
        TESTING = "testing", _("Being tried")
        WORKING = "working", _("Works")
        FAILED = "failed", _("Does not work")

    class DkimState(models.TextChoices):
        """Whether mail is signed in the brand's name."""

        OFF = "off", _("No key")
        WAITING = "waiting", _("Waiting for its DNS record")
        PUBLISHED = "published", _("Published")

    id = IdField(prefix="snd")
    brand = models.OneToOneField(Brand, models.CASCADE, related_name="mail_sender")
    from_address = fields.NameField(rule=names.mail_address, max_length=254, blank=True)
    reply_to = fields.NameField(rule=names.mail_address, max_length=254, blank=True)
    smtp_host = fields.NameField(rule=names.hostname, max_length=253, blank=True)
    smtp_port = models.PositiveIntegerField(default=587)
    smtp_security = models.CharField(max_length=10, choices=Security, default=Security.STARTTLS)
    smtp_user = models.CharField(max_length=254, blank=True)
    smtp_secret = models.CharField(max_length=32, blank=True)
    smtp_state = models.CharField(max_length=10, choices=SmtpState, default=SmtpState.OFF)
    smtp_detail = models.CharField(max_length=200, blank=True)
    smtp_tested_at = models.DateTimeField(null=True, blank=True)
    private_allowed = models.BooleanField(default=False)
    dkim_selector = models.CharField(max_length=30, blank=True)
    dkim_secret = models.CharField(max_length=32, blank=True)
    dkim_public = models.TextField(blank=True)
    dkim_state = models.CharField(max_length=10, choices=DkimState, default=DkimState.OFF)
    dkim_detail = models.CharField(max_length=200, blank=True)
    dkim_checked_at = models.DateTimeField(null=True, blank=True)

    objects = TenantManager("brand__organization__path")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(smtp_state="off") | ~Q(smtp_host=""), name="mail_sender_smtp_has_a_host"
            ),
            models.CheckConstraint(
                condition=Q(dkim_state="off") | ~Q(dkim_secret=""), name="mail_sender_dkim_has_a_key"
            ),
        )

    def __str__(self) -> str:
        return self.brand.name

    @property
    def tenant_path(self) -> str:
        """The place of its brand's organization in the tree."""
        return self.brand.organization.path

    @property
    def has_own_server(self) -> bool:
        """Whether mail leaves by the brand's own SMTP account."""
        return self.smtp_state == self.SmtpState.WORKING


class OutgoingMail(models.Model):
    """A mail on its way; `sealed` is what it says, encrypted, and is emptied once it has left.

    `once` is what it was sent for, where it must not be sent twice. `attachment` names the file that goes with it
    (accounts.voice.attachments), which is fetched when it leaves.
    """

    class State(models.TextChoices):
        """Where it is."""

        WAITING = "waiting", _("Waiting")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")

    id = IdField(prefix="oml")
    brand = models.ForeignKey(Brand, models.CASCADE, related_name="outgoing_mails")
    kind = models.CharField(max_length=40)
    recipient = models.CharField(max_length=254)
    sealed = models.TextField(blank=True)
    once = models.CharField(max_length=100, null=True, blank=True, unique=True)
    attachment = models.CharField(max_length=80, blank=True, default="")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_index=True)
    detail = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = TenantManager("brand__organization__path")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.kind} {self.recipient}"

    @property
    def tenant_path(self) -> str:
        """The place of its brand's organization in the tree."""
        return self.brand.organization.path
