"""Forms whose effect on what is there already is shown first: the first sending shows it, the second one does it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils.translation import gettext as _

from panel.core.errors import DomainError, Forbidden, NotFound
from panel.core.web import SHOW_FIRST, FormPage, refuse

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

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show what it would do, then do it."""
        form = self.make_form()
        if not form.is_valid():
            return self.show(form, status=400)
        self.confirmed = hashlib.sha256(repr(sorted(form.cleaned_data.items())).encode()).hexdigest()
        try:
            if self.shows_first and SHOW_FIRST in request.POST:
                return HttpResponseRedirect(self.plan(form.cleaned_data))
            if request.POST.get("confirmed") != self.confirmed:
                self.shown = self.impact(form.cleaned_data)
                if self.shown is not None:
                    return self.show(form)
            return self.done(form.cleaned_data)
        except (NotFound, Forbidden):
            raise
        except DomainError as error:
            refuse(form, error)
            return self.show(form, status=error.status)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what it would do, and a button that says so."""
        context = super().get_context_data(**kwargs)
        if self.shown is not None:
            context |= {"impact": self.shown, "confirmed": self.confirmed, "submit_label": _("Yes, do it")}
        return context
