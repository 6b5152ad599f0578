"""Registers the provisioning app with Django, and with the apps below it what has to follow them."""

from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    label = "provisioning"

    def ready(self) -> None:
        """Let accounts follow their brands, and brands take no host name that is somebody's."""
        from accounts.services import brands, host_claims
        from provisioning.services import branding, host_names

        brands.follow(branding.spread)
        host_claims.consult(host_names.judge)
