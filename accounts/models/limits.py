"""Counters of what organizations and hosting accounts use, and how much they may."""

from django.db import models
from django.db.models import Q

from accounts.models.organizations import Organization


class LimitCounter(models.Model):
    """How much of a resource a subject (an organization or a hosting account, by id) may use and uses.

    `limit` NULL is unlimited, 0 none. An organization's `used` includes everything below it and is kept only while it
    has a limit, so that unlimited organizations are no bottleneck; see accounts.services.limits.
    """

    subject = models.CharField(max_length=32)
    resource = models.CharField(max_length=32)
    limit = models.BigIntegerField(null=True, blank=True)
    used = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("subject", "resource"), name="limit_counter_once"),
            models.CheckConstraint(condition=Q(limit__isnull=True) | Q(limit__gte=0), name="limit_not_negative"),
            models.CheckConstraint(condition=Q(used__gte=0), name="limit_used_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.subject} {self.resource}"


class LimitUse(models.Model):
    """How much of a resource an organization itself holds, without what is below it; the base of every sum."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    resource = models.CharField(max_length=32)
    amount = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("organization", "resource"), name="limit_use_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="limit_use_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.organization_id} {self.resource}"
