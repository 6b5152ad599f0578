"""What a brand puts on servers: words of the pages that visitors of its customers' sites see, files of new accounts."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.brands import Brand
from panel.core import fields, names
from panel.core.ids import IdField
from panel.core.scoping import TenantManager

MOST_FILES = 20
LARGEST_FILE = 32_768
LARGEST_SKELETON = 131_072
LONGEST_TEXT = 2_000


class BrandPages(models.Model):
    """A brand's own words on the first page of a new site, and where a site is suspended or has no such page; an empty
    one is ours.
    """

    id = IdField(prefix="bpg")
    brand = models.OneToOneField(Brand, models.CASCADE, related_name="pages")
    first_title = fields.NameField(rule=names.label, max_length=100, blank=True)
    first_text = models.TextField(max_length=LONGEST_TEXT, blank=True)
    suspended_title = fields.NameField(rule=names.label, max_length=100, blank=True)
    suspended_text = models.TextField(max_length=LONGEST_TEXT, blank=True)
    missing_title = fields.NameField(rule=names.label, max_length=100, blank=True)
    missing_text = models.TextField(max_length=LONGEST_TEXT, blank=True)

    objects = TenantManager("brand__organization__path")

    def __str__(self) -> str:
        return self.brand.name

    @property
    def tenant_path(self) -> str:
        """The place of its brand's organization in the tree."""
        return self.brand.organization.path


def validate_files(value: object) -> None:
    """Accept texts by the names of files right in the web directory: few, and small."""
    if not isinstance(value, dict) or len(value) > MOST_FILES:
        raise ValidationError(_("At most %(count)d files are possible."), code="files", params={"count": MOST_FILES})
    for path, text in value.items():
        fields.validate(names.relative_path)(path)
        if "/" in path:
            raise ValidationError(
                _("%(path)s: files lie right in the web directory."), code="file_path", params={"path": path}
            )
        if not isinstance(text, str) or "\0" in text or len(text.encode()) > LARGEST_FILE:
            raise ValidationError(
                _("%(path)s: a file is text of at most %(size)d bytes."),
                code="file_size",
                params={"path": path, "size": LARGEST_FILE},
            )
    if sum(len(text.encode()) for text in value.values()) > LARGEST_SKELETON:
        raise ValidationError(
            _("All files together have at most %(size)d bytes."), code="files_size", params={"size": LARGEST_SKELETON}
        )


class Skeleton(models.Model):
    """The files that new accounts of a brand begin with.

    A row never changes: an account keeps the one it began with, so that what its owner removed does not come back.
    """

    id = IdField(prefix="skl")
    brand = models.ForeignKey(Brand, models.CASCADE, related_name="skeletons")
    files = models.JSONField(default=dict, blank=True, validators=[validate_files])
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("brand__organization__path")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.brand.name

    @property
    def tenant_path(self) -> str:
        """The place of its brand's organization in the tree."""
        return self.brand.organization.path
