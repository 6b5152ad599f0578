"""ASGI entry of the web process."""

import os

from django.core.asgi import get_asgi_application

from panel.core.threads import KeptThreads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings.embedded")
application = KeptThreads(get_asgi_application())
