"""Registers the provisioning app with Django, and with the apps below it what has to follow them."""

from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    name = "provisioning"
    label = "provisioning"

    def ready(self) -> None:
        """Let accounts follow their brands, brands take nobody's host name, and keys get into our zones."""
        from accounts.services import brands, host_claims, mail_senders
        from provisioning.services import brand_records, branding, host_names

        brands.follow(branding.spread)
        host_claims.consult(host_names.judge)
        mail_senders.publish_by(brand_records.publish)
