"""Registers the provisioning app with Django, and with the apps below it what has to follow them."""

from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    label = "provisioning"

    def ready(self) -> None:
        """Let accounts follow their brands."""
        from accounts.services import brands
        from provisioning.services import branding

        brands.follow(branding.spread)
