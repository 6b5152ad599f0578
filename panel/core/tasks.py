"""Housekeeping of the kernel's own tables."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from panel.core.models import IdempotencyKey

KEPT = timedelta(hours=24)


@shared_task
def purge() -> None:
    """Delete idempotency keys that are older than a day."""
    IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
