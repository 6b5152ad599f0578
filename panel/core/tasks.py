"""Housekeeping of tables that only grow."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from panel.core.models import IdempotencyKey

KEPT = timedelta(hours=24)


@shared_task
def purge() -> None:
    """Delete idempotency keys that are older than a day, and sessions that have ended."""
    import_string(f"{settings.SESSION_ENGINE}.SessionStore").clear_expired()
    IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
