"""What the API takes and answers of brands."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import Brand
from accounts.models.brands import MOST_NAMESERVERS
from accounts.selectors import brands as selectors
from panel.core import colors
from panel.core.api.serializers import StrictSerializer


class ShadeSerializer(StrictSerializer):
    """What a colour becomes in one place, so that everybody can see it (WCAG 2.2 AA)."""

    place = serializers.ChoiceField(choices=["button", "link"], read_only=True)
    ground = serializers.ChoiceField(choices=["light", "dark"], read_only=True)
    wanted = serializers.CharField(read_only=True)
    used = serializers.CharField(read_only=True)
    before = serializers.FloatField(read_only=True, help_text="Contrast ratio of the wanted colour to the ground.")
    after = serializers.FloatField(read_only=True, help_text="Contrast ratio of the used colour.")
    needed = serializers.FloatField(read_only=True, help_text="The least that is asked for there.")


class HostClaimSerializer(StrictSerializer):
    """A panel host that has yet to prove itself: by the TXT record, or by an address record that leads here."""

    host = serializers.CharField(read_only=True)
    record_name = serializers.CharField(read_only=True)
    record_content = serializers.CharField(read_only=True, help_text="Of the TXT record.")
    addresses = serializers.SerializerMethodField()
    checked_at = serializers.DateTimeField(read_only=True, allow_null=True)
    problem = serializers.CharField(read_only=True)

    def get_addresses(self, claim: object) -> list[str]:
        """Return where an address record may lead."""
        return list(settings.PANEL_ADDRESSES)


class OldHostSerializer(StrictSerializer):
    """A former panel host: it leads to the one in use until then, and is released afterwards."""

    id = serializers.CharField(read_only=True)
    host = serializers.CharField(read_only=True)
    until = serializers.DateTimeField(read_only=True)


class BrandSerializer(StrictSerializer):
    """A brand; on change only the fields given change. A new panel host is in use once it has proved itself."""

    name = serializers.CharField(max_length=100)
    panel_host = serializers.CharField(max_length=253, allow_blank=True)
    nameservers = serializers.ListField(child=serializers.CharField(max_length=253), max_length=MOST_NAMESERVERS)
    mail_host = serializers.CharField(max_length=253, allow_blank=True)
    hostmaster = serializers.CharField(max_length=254, allow_blank=True)
    primary_color = serializers.CharField(max_length=7)
    accent_color = serializers.CharField(max_length=7, allow_blank=True)
    support_email = serializers.CharField(max_length=254, allow_blank=True)
    support_url = serializers.CharField(max_length=400, allow_blank=True)
    support_phone = serializers.CharField(max_length=40, allow_blank=True)
    terms_url = serializers.CharField(max_length=400, allow_blank=True)
    privacy_url = serializers.CharField(max_length=400, allow_blank=True)
    footer = serializers.CharField(max_length=300, allow_blank=True)
    locale = serializers.ChoiceField(choices=[code for code, _name in settings.LANGUAGES])
    id = serializers.CharField(read_only=True)
    logo = serializers.SerializerMethodField()
    logo_dark = serializers.SerializerMethodField()
    favicon = serializers.SerializerMethodField()
    panel_host_proof = serializers.CharField(read_only=True)
    panel_host_since = serializers.DateTimeField(read_only=True, allow_null=True)
    panel_host_claim = serializers.SerializerMethodField()
    neutral_host = serializers.CharField(
        read_only=True, help_text="Where the panel answers as well, from the start; it names nobody. Empty: none."
    )
    old_hosts = serializers.SerializerMethodField()
    shades = serializers.SerializerMethodField()

    def get_logo(self, brand: Brand) -> str:
        """Return its address, empty without one."""
        return selectors.file_url(brand.logo)

    def get_logo_dark(self, brand: Brand) -> str:
        """Return its address, empty without one."""
        return selectors.file_url(brand.logo_dark)

    def get_favicon(self, brand: Brand) -> str:
        """Return its address, empty without one."""
        return selectors.file_url(brand.favicon)

    @extend_schema_field(HostClaimSerializer(allow_null=True))
    def get_panel_host_claim(self, brand: Brand) -> Any:
        """Return the host that waits for its proof, or null."""
        claim = selectors.claim(brand.organization)
        return HostClaimSerializer(claim).data if claim else None

    @extend_schema_field(OldHostSerializer(many=True))
    def get_old_hosts(self, brand: Brand) -> Any:
        """Return the former panel hosts that still lead to the one in use."""
        return OldHostSerializer(selectors.old_hosts(brand.organization), many=True).data

    @extend_schema_field(ShadeSerializer(many=True))
    def get_shades(self, brand: Brand) -> Any:
        """Return what its colours become on light and dark pages."""
        return ShadeSerializer(colors.shades(brand.primary_color, brand.accent_color), many=True).data


class PictureSerializer(StrictSerializer):
    """A picture: PNG, JPEG, WebP or SVG, 2 MB at most. It is written anew before anybody sees it."""

    content = serializers.CharField(max_length=3_000_000, help_text="The file's bytes in base 64 (RFC 4648).")
