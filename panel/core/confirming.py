"""Questions that are answered by typing a name: for what nobody can take back. What can be undone is not asked so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from panel.core.form_fields import name_input
from panel.core.web import FormPage


class ConfirmForm(forms.Form):
    """The name typed to confirm something; the service compares it. Without `must_type` there is nothing to type."""

    confirm = forms.CharField(max_length=320, widget=name_input())

    def __init__(self, *args: Any, must_type: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not must_type:
            del self.fields["confirm"]
            return
        self.fields["confirm"].label = _("Type %(name)s to confirm") % {"name": must_type}
        self.fields["confirm"].widget.attrs.update({"data-must-equal": must_type, "class": "mono"})


class ConfirmPage(FormPage):
    """Something that can't be taken back: it says what goes, and asks for the name of what it is about."""

    template_name = "generic/confirm.html"
    form_class = ConfirmForm
    question: str | Promise = ""

    def get_question(self) -> str:
        """Return what the person is asked."""
        return str(self.question)

    def must_type(self) -> str:
        """Return the name to type; empty where it can be undone after all."""
        return str(self.object)

    def form_options(self) -> dict[str, Any]:
        """Tell the form the name."""
        return {"must_type": self.must_type()}

    def consequences(self) -> Sequence[str]:
        """Return what it will do, line by line."""
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the question and its consequences."""
        return super().get_context_data(
            question=self.get_question(),
            consequences=self.consequences(),
            danger=True,
            needs_name=bool(self.must_type()),
            **kwargs,
        )
