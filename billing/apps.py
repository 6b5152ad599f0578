"""The app of money: what sellers sell, who owes what for it, and whether it was paid."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Billing sits on provisioning and is known by no app below."""

    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"
