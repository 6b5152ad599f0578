"""The Celery application: every app's tasks, JSON only. The queue is the database; Celery only wakes workers."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery, Task, signals
from django.db import close_old_connections

from panel.core import file_broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings.embedded")
file_broker.register()

app = Celery("hostwright")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Celery closes every database connection around each task unless told to reuse them; Django's own rule, an age and a
# look whether the connection still lives, is what a web request gets as well.
app.conf.CELERY_DB_REUSE_MAX = sys.maxsize


@signals.task_prerun.connect(weak=False)
@signals.task_postrun.connect(weak=False)
def _close_old_connections(task: Task[Any, Any], **_: object) -> None:
    if not task.request.is_eager:
        close_old_connections()
