"""The app of money: what sellers sell, who owes what for it, and whether it was paid."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class BillingConfig(AppConfig):
    """Billing sits on provisioning and is known by no app below."""

    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Keep papers as they are issued, through migrations, too, and let what follows from money follow."""
        from accounts.voice import attachments
        from billing import immutability
        from billing.services import documents, fulfilments, happenings, holds, hook_deliveries

        pre_migrate.connect(immutability.lay_aside, sender=self, dispatch_uid="billing.lay_aside")
        post_migrate.connect(immutability.put_back, sender=self, dispatch_uid="billing.put_back")
        attachments.give(documents.KIND, documents.attachment)
        happenings.follow("invoice.issued", documents.wanted)
        happenings.follow("invoice.credited", documents.wanted)
        happenings.follow("invoice.paid", fulfilments.paid)
        happenings.follow("invoice.settled", holds.settled)
        for kind in sorted(happenings.KINDS):
            happenings.follow(kind, hook_deliveries.follower(kind), hook_deliveries.follower_of_many(kind))
