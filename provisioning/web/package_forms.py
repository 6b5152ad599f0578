"""The forms of packages: fields, labels and help. Rules are the services', which answer by field."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.limit_forms import LimitsForm
from panel.core.form_fields import LimitField
from provisioning.models import Package
from provisioning.models.packages import usual_features


class PackageForm(LimitsForm):
    """The limits and features that are sold with an account."""

    records = LimitField(label=_("DNS records"), initial=500)
    php_versions = forms.MultipleChoiceField(
        label=_("PHP versions"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Those that sites can have. With none chosen, all that the server has."),
    )

    def __init__(self, *args: Any, features: Collection[str], php_versions: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, features=features, **kwargs)
        self.fields["features"].initial = usual_features
        self.fields["features"].help_text = _(
            "Remote database logins let database users sign in from other machines, not only the web site."
        )
        versions = [(version, f"PHP {version}") for version in php_versions]
        self.fields["php_versions"].choices = versions  # type: ignore[attr-defined]
        if not versions:
            del self.fields["php_versions"]


class BulkPackageForm(forms.Form):
    """The package that accounts get."""

    package: forms.ModelChoiceField[Package] = forms.ModelChoiceField(
        queryset=None, label=_("New package"), empty_label=_("Choose a package")
    )

    def __init__(self, *args: Any, packages: QuerySet[Package], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["package"].queryset = packages  # type: ignore[attr-defined]
