"""Tags and filters of the panel's pages: icons, states, form controls, sizes, times. Markup is in components/*.html."""

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from typing import Protocol

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.forms.boundfield import BoundWidget
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext, gettext_lazy

from accounts.models import LimitCounter
from panel.dashboard import formats
from provisioning import words
from provisioning.models import Operation

register = template.Library()


class Day(Protocol):
    """What was measured on a day."""

    @property
    def date(self) -> date: ...

    @property
    def value(self) -> int: ...


#: State of anything that has one → (colour class, icon, words).
STATES = {
    "active": ("ok", "circle-check", gettext_lazy("Active")),
    "live": ("ok", "circle-check", gettext_lazy("Live")),
    "ready": ("ok", "circle-check", gettext_lazy("Ready")),
    "applied": ("ok", "circle-check", gettext_lazy("Done")),
    "done": ("ok", "circle-check", gettext_lazy("Done")),
    "succeeded": ("ok", "circle-check", gettext_lazy("Done")),
    "unchanged": ("ok", "circle-check", gettext_lazy("Nothing to do")),
    "vouched": ("ok", "shield-check", gettext_lazy("Vouched for")),
    "confirmed": ("wait", "player-play", gettext_lazy("Ready for set-up")),
    "preparing": ("busy", "loader-2", gettext_lazy("Being set up")),
    "refused": ("bad", "circle-x", gettext_lazy("Refused")),
    "verified": ("ok", "circle-check", gettext_lazy("Verified")),
    "pending": ("quiet", "clock", gettext_lazy("Pending")),
    "queued": ("quiet", "clock", gettext_lazy("Queued")),
    "new": ("quiet", "clock", gettext_lazy("New")),
    "running": ("busy", "loader-2", gettext_lazy("Running")),
    "creating": ("busy", "loader-2", gettext_lazy("Being created")),
    "building": ("busy", "loader-2", gettext_lazy("Being set up")),
    "bootstrapping": ("busy", "loader-2", gettext_lazy("Being set up")),
    "removing": ("busy", "loader-2", gettext_lazy("Being removed")),
    "waiting": ("wait", "hourglass", gettext_lazy("Waiting")),
    "held": ("wait", "hourglass", gettext_lazy("Held")),
    "partial": ("wait", "alert-triangle", gettext_lazy("Partly done")),
    "unpaid": ("wait", "hourglass", gettext_lazy("Waiting for payment")),
    "review": ("wait", "eye", gettext_lazy("Being reviewed")),
    "contested": ("wait", "alert-triangle", gettext_lazy("Proof needed")),
    "suspended": ("wait", "player-pause", gettext_lazy("Suspended")),
    "unreachable": ("bad", "server-off", gettext_lazy("Unreachable")),
    "rejected": ("bad", "circle-x", gettext_lazy("Rejected")),
    "failed": ("bad", "circle-x", gettext_lazy("Failed")),
    "cancelled": ("quiet", "ban", gettext_lazy("Cancelled")),
    "stale": ("quiet", "history", gettext_lazy("Superseded")),
    "superseded": ("quiet", "history", gettext_lazy("Superseded")),
    "terminated": ("quiet", "ban", gettext_lazy("Terminated")),
    "removed": ("quiet", "ban", gettext_lazy("Removed")),
    "retired": ("quiet", "server-off", gettext_lazy("Replaced")),
    "closed": ("quiet", "lock", gettext_lazy("Closed")),
    "open": ("wait", "alert-triangle", gettext_lazy("Open")),
    "clean": ("ok", "circle-check", gettext_lazy("No drift")),
    "drifted": ("wait", "alert-triangle", gettext_lazy("Drift found")),
    "restored": ("ok", "circle-check", gettext_lazy("Restored")),
    "adopted": ("ok", "circle-check", gettext_lazy("Adopted")),
    "pinned": ("quiet", "lock", gettext_lazy("Exception")),
    "gone": ("quiet", "history", gettext_lazy("Gone by itself")),
    "off": ("quiet", "minus", gettext_lazy("Off")),
    "testing": ("busy", "loader-2", gettext_lazy("Being tried")),
    "working": ("ok", "circle-check", gettext_lazy("Works")),
    "published": ("ok", "shield-check", gettext_lazy("Published")),
    "sent": ("ok", "circle-check", gettext_lazy("Sent")),
}


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """Draw an icon of static/assets.json; it is decoration, so name the thing in words beside it."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#tabler-{}"/></svg>',
        classes,
        _sprite(),
        name,
    )


@cache
def _sprite() -> str:
    """Return the address of the icons, which a page with a list looks up a hundred times."""
    return static("vendor/icons/tabler-sprite.svg")


@register.inclusion_tag("components/state.html")
def state(value: str, words: str | None = None) -> dict[str, object]:
    """Show a state by colour, icon and word, so that colour alone says nothing."""
    colour, mark, default = STATES.get(value, ("quiet", "circle", value.replace("_", " ").capitalize()))
    return {"colour": colour, "mark": mark, "words": words or default, "spin": mark == "loader-2"}


@register.inclusion_tag("components/gauge.html")
def gauge(label: str, used: int, limit: int | None, kind: str = "count") -> dict[str, object]:
    """Show use against a limit; kind `bytes` writes both as sizes."""
    write = formats.size if kind == "bytes" else str
    measured = formats.Gauge(used, limit)
    return {
        "label": label,
        "used": used,
        "limit": limit,
        "used_text": write(used),
        "limit_text": "" if limit is None else write(limit),
        "level": measured.level,
    }


@register.inclusion_tag("components/gauge.html")
def gauge_of(counter: LimitCounter) -> dict[str, object]:
    """Show the use of a counted resource against its limit."""
    kind = "bytes" if counter.resource.endswith("_bytes") else "count"
    shown: dict[str, object] = gauge(words.resource(counter.resource), counter.used, counter.limit, kind)
    return shown


@register.inclusion_tag("components/chart.html")
def chart(label: str, days: Iterable[Day], kind: str = "count", limit: int | None = None) -> dict[str, object]:
    """Draw use over time: `days` are points with a date and a value, oldest first; kind `bytes` writes sizes."""
    write = formats.size if kind == "bytes" else str
    points = [
        {"day": day.date.isoformat(), "shown": date_format(day.date), "raw": str(day.value), "text": write(day.value)}
        for day in days
    ]
    newest = points[-1]["text"] if points else ""
    return {"label": label, "points": points, "kind": kind, "limit": limit, "newest": newest}


@register.inclusion_tag("components/copy.html")
def copyable(text: object, mono: bool = True) -> dict[str, object]:
    """Show a value with a button that copies it."""
    return {"text": text, "mono": mono}


@register.inclusion_tag("components/diff.html")
def diff(text: str) -> dict[str, object]:
    """Show a unified diff with added and removed lines marked."""
    return {"lines": formats.diff_lines(text or "")}


@register.filter
def dialled(phone: str) -> str:
    """Write a telephone number as a tel: address has it (RFC 3966): digits and a leading plus."""
    return "".join(character for character in phone if character.isdecimal() or character == "+")


@register.filter
def gb(count: int | None) -> str:
    """Write bytes in decimal units (kB, MB, GB); nothing is unlimited."""
    return gettext("unlimited") if count is None else formats.size(count)


@register.filter
def gib(count: int | None) -> str:
    """Write bytes in binary units (KiB, MiB, GiB); nothing is unlimited."""
    return gettext("unlimited") if count is None else formats.size(count, base=1024)


@register.filter
def limit(value: int | None) -> str:
    """Write a limit: nothing is unlimited, 0 is none."""
    if value is None:
        return gettext("unlimited")
    return str(value) if value else gettext("none")


@register.filter
def milliseconds(value: float | None) -> str:
    """Write a time span given in milliseconds; nothing for nothing."""
    return "" if value is None else formats.duration(value)


@register.simple_tag
def moment(value: datetime | None, style: str = "date") -> SafeString | str:
    """Write a time in the person's zone, and which zone that is; style `ago` keeps the exact time as title."""
    if value is None:
        return "\N{EN DASH}"
    exact = exactly(value)
    words = exact
    if style == "ago":
        words = _distance(value)
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact, words)


@register.filter
def exactly(value: datetime) -> str:
    """Write a time in the person's zone, with the zone's short name: 22 Nov 2026, 09:12 CET."""
    local = timezone.localtime(value)
    return f"{date_format(local, 'DATETIME_FORMAT')} {local.tzname()}"


def _distance(value: datetime) -> str:
    now = timezone.now()
    if value > now:
        return gettext("in %(span)s") % {"span": timeuntil(value, now, depth=1)}
    if (now - value).total_seconds() < 60:
        return gettext("just now")
    return gettext("%(span)s ago") % {"span": timesince(value, now, depth=1)}


@register.filter
def control_kind(field: BoundField) -> str:
    """Return how a field is drawn: checkbox, choices, or control (label above)."""
    widget = field.field.widget
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        return "choices"
    if isinstance(widget, CheckboxInput):
        return "checkbox"
    return "control"


@register.simple_tag
def choice(option: BoundWidget) -> SafeString:
    """Draw one radio button or check box of a group, without its label."""
    option.data["attrs"]["class"] = "form-check-input"
    return option.tag()


@register.simple_tag
def control(field: BoundField, classes: str = "") -> SafeString:
    """Draw a form field's widget with Tabler's class for its kind, marked when it has errors."""
    widget = field.field.widget
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        return field.as_widget()
    if isinstance(widget, CheckboxInput):
        base = "form-check-input"
    elif isinstance(widget, Select):
        base = "form-select"
    else:
        base = "form-control form-control-color" if getattr(widget, "input_type", "") == "color" else "form-control"
    invalid = "is-invalid" if field.errors else ""
    own = widget.attrs.get("class", "")
    return field.as_widget(attrs={"class": " ".join(filter(None, [base, own, classes, invalid]))})


@register.filter
def operation_title(operation: Operation) -> str:
    """Name what an operation was asked to do."""
    return words.title(operation.verb, operation.subject)


@register.filter
def resource(name: str) -> str:
    """Name a counted resource."""
    return words.resource(name)


@register.filter
def translated(text: str) -> str:
    """Translate a sentence that is stored in English."""
    return gettext(text) if text else ""


@register.filter
def plain(value: object) -> str:
    """Write a stored value for people: lists joined, nothing as a dash, yes and no in words."""
    if value is None or value == "":
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


@register.filter
def has_key(attributes: dict[str, object], name: str) -> bool:
    """Tell whether a widget has an attribute, whatever its value."""
    return name in attributes
