"""The Celery application: every app's tasks, JSON only. The queue is the database; Celery only wakes workers."""

import os

from celery import Celery

from panel.core import file_broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings.embedded")
file_broker.register()

app = Celery("hostwright")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
