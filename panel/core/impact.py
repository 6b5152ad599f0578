"""Forms whose effect on what is there already is shown first: the first sending shows it, the second one does it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponseBase
from django.utils.translation import gettext as _

from panel.core.web import FormPage

MOST_LINES = 20


@dataclass(frozen=True)
class Impact:
    """What a form would do: one sentence, and line by line who would be over a limit or otherwise concerned."""

    title: str
    lines: list[str]

    @property
    def first(self) -> list[str]:
        """The lines that are shown."""
        return self.lines[:MOST_LINES]

    @property
    def more(self) -> int:
        """How many lines are not shown."""
        return len(self.lines) - len(self.first)


class ImpactFormPage(FormPage):
    """A form that shows what it would do before it does it. Values that differ from those shown are shown again."""

    shown: Impact | None = None
    confirmed = ""

    def impact(self, data: dict[str, Any]) -> Impact | None:
        """Return what the form's values would do, or None where there is nothing to show."""
        raise NotImplementedError

    def submit(self, form: forms.Form) -> HttpResponseBase:
        """Show what it would do, then do it."""
        self.confirmed = hashlib.sha256(repr(sorted(form.cleaned_data.items())).encode()).hexdigest()
        if not self.is_plan_wanted and self.request.POST.get("confirmed") != self.confirmed:
            self.shown = self.impact(form.cleaned_data)
            if self.shown is not None:
                return self.show(form)
        return super().submit(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what it would do, and a button that says so."""
        context = super().get_context_data(**kwargs)
        if self.shown is not None:
            context |= {"impact": self.shown, "confirmed": self.confirmed, "submit_label": _("Yes, do it")}
        return context
