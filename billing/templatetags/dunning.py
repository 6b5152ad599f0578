"""Words of dunning for templates."""

from __future__ import annotations

from django import template

from billing import words
from billing.models import Hold

register = template.Library()


@register.filter
def stage(hold: Hold) -> str:
    """Say what is held back."""
    return words.stage(hold.stage, hold.customer.buyer.kind)
