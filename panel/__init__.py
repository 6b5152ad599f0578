"""The project shell: settings, URLs, the Celery application and the kernel. Business rules live in the apps."""

from panel.celery import app as celery_app

__all__ = ["celery_app"]
