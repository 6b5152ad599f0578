"""Django app of organizations and people."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Registers the app, its permission table and its checks."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the permission table the one that decides, and have settings checked."""
        from django.core import checks

        from accounts.checks import neutral_nameservers, neutral_panel_domain
        from accounts.policy import FRESH, check
        from panel.core import policy

        policy.register(check, fresh=FRESH)
        checks.register(neutral_panel_domain)
        checks.register(neutral_nameservers)
