"""What a reseller's customers see."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.organizations import Organization
from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager


def validate_nameservers(value: object) -> None:
    """Accept a list of up to 8 different host names in normal form."""
    if not isinstance(value, list) or len(value) > 8 or len({str(item) for item in value}) != len(value):
        raise ValidationError(_("Give up to eight different host names."), code="nameservers")
    for host in value:
        fields.validate(names.hostname)(host)


class Brand(models.Model):
    """Name, hosts, name servers and support links of an organization; its customers see these and no other."""

    id = IdField(prefix="brd")
    organization = models.OneToOneField(Organization, models.PROTECT, related_name="brand")
    name = fields.NameField(rule=names.label, max_length=100)
    panel_host = fields.NameField(rule=names.hostname, max_length=253, blank=True)
    nameservers = models.JSONField(default=list, blank=True, validators=[validate_nameservers])
    mail_host = fields.NameField(rule=names.hostname, max_length=253, blank=True)
    hostmaster = fields.NameField(rule=names.mail_address, max_length=254, blank=True)
    primary_color = fields.NameField(rule=names.color, max_length=7, default="#206bc4")
    support_email = fields.NameField(rule=names.mail_address, max_length=254, blank=True)
    support_url = fields.NameField(rule=names.web_url, max_length=400, blank=True)
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
        )

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        """The place of its organization in the tree."""
        return self.organization.path
