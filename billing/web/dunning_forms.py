"""Forms of dunning: what may be typed. Whether it is accepted is decided by the services."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from billing.web.form_fields import DayField


class WaitForm(forms.Form):
    """Until when nothing follows, and why."""

    until = DayField(label=_("Until"), help_text=_("From this day on it goes on, one step at a time."))
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_("For your own people."))
