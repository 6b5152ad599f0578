"""Target servers and the addresses that they answer on."""

from __future__ import annotations

import base64
import hashlib

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from panel.core import fields, names
from panel.core.ids import IdField


class Server(models.Model):
    """A target Linux machine. Its rows are the provider's; tenants see at most its name."""

    class State(models.TextChoices):
        NEW = "new", _("Host key to be confirmed")
        CONFIRMED = "confirmed", _("Ready for set-up")
        PREPARING = "preparing", _("Being set up")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Set-up failed")
        RETIRED = "retired", _("Replaced by another server")

    class Transport(models.TextChoices):
        SSH = "ssh", _("SSH")
        LOCAL = "local", _("This machine")

    class Stack(models.TextChoices):
        NGINX_APACHE = "nginx+apache", _("nginx in front of Apache")
        NGINX = "nginx", _("nginx")
        APACHE = "apache", _("Apache")

    id = IdField(prefix="srv")
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="servers")
    name = models.CharField(max_length=63, unique=True, validators=[fields.validate(names.label)])
    platform_name = models.CharField(
        max_length=253,
        validators=[fields.validate(names.hostname)],
        help_text=_("Neutral host name that the server shows to the world (mail greeting, banners)."),
    )
    host = models.CharField(max_length=253, help_text=_("Address or host name that the panel connects to."))
    port = models.PositiveIntegerField(default=22, validators=[fields.validate(names.port)])
    transport = models.CharField(max_length=8, choices=Transport, default=Transport.SSH)
    host_key = models.TextField(blank=True, help_text=_("Pinned public host key, as in known_hosts."))
    key = models.ForeignKey("core.Secret", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    public_key = models.TextField(blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.NEW)
    stack = models.CharField(max_length=16, choices=Stack, default=Stack.NGINX_APACHE)
    role_web = models.BooleanField(default=True)
    role_database = models.BooleanField(default=True)
    role_dns = models.BooleanField(default=True)
    role_mail = models.BooleanField(default=True)
    closed = models.BooleanField(default=False, help_text=_("Takes no new accounts."))
    reserved_for = models.ManyToManyField(
        "accounts.Organization", blank=True, related_name="+", help_text=_("Only for these resellers; empty: for all.")
    )
    debian = models.PositiveSmallIntegerField(null=True, blank=True)
    php_versions = models.JSONField(default=list, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    unreachable_since = models.DateTimeField(null=True, blank=True)
    unreachable_reason = models.TextField(blank=True)
    held_since = models.DateTimeField(
        null=True, blank=True, help_text=_("Nothing is sent to it: it holds newer settings than the panel.")
    )
    ahead = models.JSONField(default=dict, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        return self.organization.path

    @property
    def node_version(self) -> str:
        """The version of its node program; empty before the set-up."""
        return str(self.facts.get("node", ""))

    @property
    def refused_upgrade(self) -> dict[str, str]:
        """`reason`, and when it is final `digest`, of the node program that it would not take; else empty."""
        return dict(self.facts.get("refused_upgrade", {}))

    @property
    def refused_upgrade_reason(self) -> str:
        """Why it would not take the panel's node program; empty when it did."""
        return self.refused_upgrade.get("reason", "")

    @property
    def roles(self) -> frozenset[str]:
        flags = {
            "web": self.role_web,
            "database": self.role_database,
            "dns": self.role_dns,
            "mail": self.role_mail,
        }
        return frozenset(role for role, present in flags.items() if present)

    @property
    def fingerprint(self) -> str:
        """SHA256 fingerprint of the pinned host key as `ssh-keygen -l` prints it; empty without one."""
        if not self.host_key:
            return ""
        digest = hashlib.sha256(base64.b64decode(self.host_key.split()[1])).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


class Address(models.Model):
    """An address of a server: shared by its sites, or dedicated to one account or one brand; `public_ip` differs
    behind NAT. `pointers` are its reverse names as last seen; None when nobody answered.
    """

    class Kind(models.TextChoices):
        SHARED = "shared", _("Shared")
        DEDICATED = "dedicated", _("Dedicated")

    id = IdField(prefix="adr")
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="addresses")
    ip = models.GenericIPAddressField()
    family = models.PositiveSmallIntegerField(choices=[(4, "IPv4"), (6, "IPv6")])
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.SHARED)
    public_ip = models.GenericIPAddressField(null=True, blank=True)
    hosting = models.ForeignKey(
        "provisioning.HostingAccount", null=True, blank=True, on_delete=models.SET_NULL, related_name="addresses"
    )
    brand = models.ForeignKey(
        "accounts.Brand", null=True, blank=True, on_delete=models.SET_NULL, related_name="addresses"
    )
    pointers = models.JSONField(null=True, blank=True)
    pointers_checked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["server", "family", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["server", "ip"],
                name="address_once_per_server",
                violation_error_message=_("This server already has this address."),
            ),
            models.CheckConstraint(
                condition=Q(hosting__isnull=True) | Q(kind="dedicated"),
                name="address_holder_dedicated",
                violation_error_message=_("Only a dedicated address can belong to one account."),
            ),
            models.CheckConstraint(
                condition=Q(brand__isnull=True) | (Q(kind="dedicated") & Q(hosting__isnull=True)),
                name="address_brand_dedicated",
                violation_error_message=_("Only a dedicated address that no account has can belong to a brand."),
            ),
            models.UniqueConstraint(
                fields=["server", "brand", "family"],
                name="address_of_brand_once_per_server",
                violation_error_message=_("The brand has an address of this kind on this server already."),
            ),
        ]

    def __str__(self) -> str:
        return self.ip

    @property
    def tenant_path(self) -> str:
        return self.server.tenant_path

    @property
    def public(self) -> str:
        """The address that the world sees."""
        return self.public_ip or self.ip
