"""What a reseller's customers see."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.organizations import Organization
from panel.core import colors, fields, names
from panel.core.ids import CharField, IdField
from panel.core.scoping import TenantManager

FEWEST_NAMESERVERS, MOST_NAMESERVERS = 2, 4


def validate_nameservers(value: object) -> None:
    """Accept no host name, or two to four different ones in normal form (RFC 2182 §5 asks for more than one)."""
    if not isinstance(value, list) or len({str(item) for item in value}) != len(value):
        raise ValidationError(_("Give two to four different host names."), code="nameservers")
    if value and not FEWEST_NAMESERVERS <= len(value) <= MOST_NAMESERVERS:
        raise ValidationError(_("Give two to four different host names."), code="nameservers")
    for host in value:
        fields.validate(names.hostname)(host)


class Brand(models.Model):
    """Name, looks, hosts, name servers and support links of an organization; its customers see these and no other.

    `panel_host` is in use: it has proved itself in the way of `panel_host_proof`, or is empty. One that has yet to
    prove itself is a `HostClaim`, one that was in use before an `OldHost`. `neutral_host` was given by the installation
    and names nobody; the panel answers there, too. `logo`, `logo_dark` and `favicon` are file names of `BrandImage`
    rows.
    """

    class Proof(models.TextChoices):
        """How the panel host was shown to be the brand's."""

        VOUCHED = "vouched", _("The provider vouched for it")
        ZONE = "zone", _("Its zone is hosted here")
        TXT = "txt", _("A TXT record")
        HTTP = "http", _("The host answers here")

    id = IdField(prefix="brd")
    organization = models.OneToOneField(Organization, models.PROTECT, related_name="brand")
    name = fields.NameField(rule=names.label, max_length=100)
    logo = CharField(max_length=80, blank=True, editable=False)
    logo_dark = CharField(max_length=80, blank=True, editable=False)
    favicon = CharField(max_length=80, blank=True, editable=False)
    primary_color = fields.NameField(rule=names.color, max_length=7, default=colors.DEFAULT)
    accent_color = fields.NameField(rule=names.color, max_length=7, blank=True)
    panel_host = fields.NameField(rule=names.hostname, max_length=253, blank=True)
    panel_host_proof = models.CharField(max_length=8, choices=Proof, blank=True, editable=False)
    panel_host_since = models.DateTimeField(null=True, blank=True, editable=False)
    neutral_host = fields.NameField(rule=names.hostname, max_length=253, blank=True, editable=False)
    nameservers = models.JSONField(default=list, blank=True, validators=[validate_nameservers])
    mail_host = fields.NameField(rule=names.hostname, max_length=253, blank=True)
    hostmaster = fields.NameField(rule=names.mail_address, max_length=254, blank=True)
    support_email = fields.NameField(rule=names.mail_address, max_length=254, blank=True)
    support_url = fields.NameField(rule=names.web_url, max_length=400, blank=True)
    support_phone = fields.NameField(rule=names.phone, max_length=40, blank=True)
    terms_url = fields.NameField(rule=names.web_url, max_length=400, blank=True)
    privacy_url = fields.NameField(rule=names.web_url, max_length=400, blank=True)
    footer = fields.NameField(rule=names.sentence, max_length=300, blank=True)
    locale = models.CharField(max_length=10, default="en")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("organization__path")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("panel_host",),
                condition=~Q(panel_host=""),
                name="brand_panel_host_once",
                violation_error_message=_("This host name is already in use."),
            ),
            models.UniqueConstraint(
                fields=("neutral_host",), condition=~Q(neutral_host=""), name="brand_neutral_host_once"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        """The place of its organization in the tree."""
        return self.organization.path


class HostClaim(models.Model):
    """A panel host that a brand wants and that has yet to prove itself; several brands may want one, the first to
    prove it has it."""

    id = IdField(prefix="hcl")
    brand = models.OneToOneField(Brand, models.CASCADE, related_name="claim")
    host = fields.NameField(rule=names.hostname, max_length=253, db_index=True)
    token = models.CharField(max_length=64, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("brand__organization__path")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.host

    @property
    def tenant_path(self) -> str:
        """The place of its organization in the tree."""
        return self.brand.organization.path

    @property
    def record_name(self) -> str:
        """Where the TXT record stands."""
        return f"_panel-host.{self.host}"

    @property
    def record_content(self) -> str:
        """What the TXT record says, and what the host answers over HTTP."""
        return f"panel-host={self.token}"


class OldHost(models.Model):
    """A panel host that a brand has replaced: until `until` it leads to the one in use, and nobody else gets it."""

    id = IdField(prefix="ohs")
    brand = models.ForeignKey(Brand, models.CASCADE, related_name="old_hosts")
    host = fields.NameField(rule=names.hostname, max_length=253, unique=True)
    until = models.DateTimeField()

    objects = TenantManager("brand__organization__path")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.host

    @property
    def tenant_path(self) -> str:
        """The place of its organization in the tree."""
        return self.brand.organization.path
