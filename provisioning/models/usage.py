"""What accounts use, by day and now, and how servers stood: measured on the servers, never what is promised."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from panel.core.ids import IdField
from panel.core.scoping import TenantManager


class Traffic(models.Model):
    """What has gone out and come in: bytes and requests of sites; mails, once for each recipient, and their bytes."""

    web_bytes = models.BigIntegerField(default=0)
    web_requests = models.BigIntegerField(default=0)
    mails_sent = models.BigIntegerField(default=0)
    mails_sent_bytes = models.BigIntegerField(default=0)
    mails_received = models.BigIntegerField(default=0)
    mails_received_bytes = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class Figures(Traffic):
    """What was measured of an account on one server, in bytes but for `inodes`; None: never measured there.

    `unread` counts directories of the home that could not be looked into.
    """

    disk_bytes = models.BigIntegerField(null=True, blank=True)
    inodes = models.BigIntegerField(null=True, blank=True)
    mail_bytes = models.BigIntegerField(null=True, blank=True, help_text=_("Share of the disk space."))
    database_bytes = models.BigIntegerField(null=True, blank=True)
    unread = models.PositiveIntegerField(default=0)
    measured_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class UsageDay(Figures):
    """One day (in UTC) of an account on one server: what was measured last, and its traffic of that day.

    `sites` holds bytes and requests by site. Kept for `usage.KEEP_DAYS`; months stay.
    """

    id = IdField(prefix="usd")
    hosting = models.ForeignKey("provisioning.HostingAccount", on_delete=models.CASCADE, related_name="usage_days")
    server = models.ForeignKey("provisioning.Server", on_delete=models.CASCADE, related_name="+")
    date = models.DateField()
    sites = models.JSONField(default=dict, blank=True)

    objects = TenantManager("hosting__organization__path")

    class Meta:
        ordering = ["-date", "id"]
        constraints = [models.UniqueConstraint(fields=["hosting", "server", "date"], name="usage_day_once")]
        indexes = [models.Index(fields=["server", "date"], name="usage_day_of_server")]

    def __str__(self) -> str:
        return f"{self.hosting_id} {self.date}"

    @property
    def tenant_path(self) -> str:
        return self.hosting.tenant_path


class UsageNow(Figures):
    """What an account uses on one server as measured last; traffic is that of `month` (its first day, UTC).

    `databases` holds bytes by name.
    """

    id = IdField(prefix="usn")
    hosting = models.ForeignKey("provisioning.HostingAccount", on_delete=models.CASCADE, related_name="usage_now")
    server = models.ForeignKey("provisioning.Server", on_delete=models.CASCADE, related_name="+")
    month = models.DateField()
    databases = models.JSONField(default=dict, blank=True)

    objects = TenantManager("hosting__organization__path")

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["hosting", "server"], name="usage_now_once")]

    def __str__(self) -> str:
        return self.hosting_id

    @property
    def tenant_path(self) -> str:
        return self.hosting.tenant_path


class UsageMonth(Traffic):
    """What is left of a month (its first day, UTC) whose days are forgotten: traffic in sum, sizes at their highest."""

    id = IdField(prefix="usm")
    hosting = models.ForeignKey("provisioning.HostingAccount", on_delete=models.CASCADE, related_name="usage_months")
    month = models.DateField()
    disk_bytes = models.BigIntegerField(default=0)
    inodes = models.BigIntegerField(default=0)
    mail_bytes = models.BigIntegerField(default=0)
    database_bytes = models.BigIntegerField(default=0)

    objects = TenantManager("hosting__organization__path")

    class Meta:
        ordering = ["-month", "id"]
        constraints = [models.UniqueConstraint(fields=["hosting", "month"], name="usage_month_once")]

    def __str__(self) -> str:
        return f"{self.hosting_id} {self.month:%Y-%m}"

    @property
    def tenant_path(self) -> str:
        return self.hosting.tenant_path


class ServerReading(models.Model):
    """One measuring of a server: how it stood, and when its accounts are measured again (`next_at`).

    It is open while `finished_at` is empty. `figures` is the server's part of the report (docs/protocol.md, `usage`).
    """

    id = IdField(prefix="rdg")
    server = models.ForeignKey("provisioning.Server", on_delete=models.CASCADE, related_name="readings")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField()
    reason = models.TextField(blank=True, help_text=_("Why it could not be measured."))
    load = models.FloatField(null=True, blank=True, help_text=_("Average of five minutes."))
    processors = models.PositiveIntegerField(null=True, blank=True)
    memory_bytes = models.BigIntegerField(null=True, blank=True)
    memory_free_bytes = models.BigIntegerField(null=True, blank=True)
    disk_bytes = models.BigIntegerField(null=True, blank=True)
    disk_free_bytes = models.BigIntegerField(null=True, blank=True)
    figures = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["server", "-id"], name="reading_newest")]

    def __str__(self) -> str:
        return self.id

    @property
    def tenant_path(self) -> str:
        return self.server.organization.path

    @property
    def is_enforced(self) -> bool:
        """Whether the server's file system holds accounts to their disk space."""
        return bool(self.figures.get("quota") == "enforced")
