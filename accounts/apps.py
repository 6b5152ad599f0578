"""Django app of organizations and people."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Registers the app and its permission table."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the permission table the one that decides."""
        from accounts.policy import FRESH, check
        from panel.core import policy

        policy.register(check, fresh=FRESH)
