"""Django app of the kernel."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Registers the kernel under the label `core`."""

    name = "panel.core"
    label = "core"
    default_auto_field = "django.db.models.BigAutoField"
