"""The files of brands: logos and favicons as they are served, content-addressed."""

from django.db import models

from accounts.models.brands import Brand
from panel.core.ids import CharField, IdField
from panel.core.scoping import TenantManager


class BrandImage(models.Model):
    """A decoded and rewritten picture; `name` is the SHA-256 of `content` with an extension, as in its address."""

    id = IdField(prefix="bim")
    brand = models.ForeignKey(Brand, models.CASCADE, related_name="images")
    name = CharField(max_length=80, db_index=True)
    content_type = models.CharField(max_length=40)
    content = models.BinaryField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantManager("brand__organization__path")

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("brand", "name"), name="brand_image_once"),)

    def __str__(self) -> str:
        return self.name

    @property
    def tenant_path(self) -> str:
        """The place of its brand's organization in the tree."""
        return self.brand.organization.path
