"""Form fields of a metered rule: the usual keys as fields, all of them as JSON. What a rule may say is pricing's."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.pricing import rules

MEASURES = (
    ("sum", _("The sum of what is reported")),
    ("count", _("How many there are")),
    ("duration", _("How long it goes on, in seconds")),
)
WINDOWS = (("period", _("a billing period")), ("month", _("a calendar month")), ("day", _("a day")))
AT: dict[str, str] = {"measure": "measure", "per": "per", "allowance": "free", "window": "window", "tiers": "tiers"}
"""Key of a rule → the field that says it."""


class DocumentField(forms.JSONField):
    """A JSON document, or nothing."""

    def __init__(self, *, rows: int = 8, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "class": "mono", "spellcheck": "false"})
        super().__init__(required=False, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Show nothing where there is none."""
        return "" if value is None else super().prepare_value(value)


class RuleFields(forms.Form):
    """A rule by its usual keys, or whole as JSON, which then holds alone; both become `rule` of the cleaned data."""

    measure = forms.ChoiceField(label=_("What counts"), choices=MEASURES, required=False)
    per = forms.CharField(
        label=_("A price is for"),
        required=False,
        initial="1",
        help_text=_("So many units: 3600 seconds for a price by the hour, 1000000 for one by the million."),
    )
    free = forms.CharField(label=_("Free"), required=False, help_text=_("Units that cost nothing; empty for none."))
    window = forms.ChoiceField(label=_("Free in"), choices=WINDOWS, required=False)
    tiers = forms.CharField(
        label=_("Prices"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "mono", "spellcheck": "false"}),
        help_text=_("One a line: up to how many units, and the price. A price alone, in the last line, has no end."),
    )
    rule = DocumentField(
        label=_("Or the whole rule"),
        help_text=_("As JSON, with every key that there is. It holds instead of the fields above."),
    )

    usual = ("measure", "per", "free", "window", "tiers")

    def needs_rule(self, data: dict[str, Any]) -> bool:
        """Tell whether a rule has to be given."""
        return "rule" in self.fields

    def clean(self) -> dict[str, Any]:
        """Put the rule together, and say at the field what is not understood."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        told = {name: data.pop(name, "") for name in self.usual}
        if not self.needs_rule(data) or self.errors:
            return data
        whole = data.get("rule")
        data["rule"] = whole if whole is not None else _put_together(told)
        try:
            rules.parse(data["rule"])
        except rules.RuleInvalid as error:
            key, _dot, rest = error.key.partition(".")
            field = "rule" if whole is not None else AT.get(key, "rule")
            place = error.key if whole is not None else _line(rest)
            self.add_error(field, f"{place}: {error.message}" if place else error.message)
        return data


def _line(rest: str) -> str:
    """Return which line of the prices a key below `tiers` is about."""
    number = rest.partition(".")[0]
    return gettext("Line %(number)s") % {"number": int(number) + 1} if number.isdecimal() else ""


def _put_together(told: dict[str, str]) -> dict[str, Any]:
    """Return the rule that the usual fields say."""
    tiers = []
    for line in told["tiers"].splitlines():
        parts = line.split()
        if len(parts) == 1:
            tiers.append({"up_to": None, "amount": parts[0]})
        elif parts:
            tiers.append({"up_to": parts[0], "amount": " ".join(parts[1:])})
    made: dict[str, Any] = {"measure": told["measure"], "per": told["per"].strip() or "1", "tiers": tiers}
    if told["free"].strip():
        made |= {"allowance": {"quantity": told["free"].strip(), "months": None}, "window": told["window"] or "period"}
    return made
