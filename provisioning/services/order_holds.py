"""New accounts that an organization, or one above it, gets none of for now: who is told what."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.selectors import organizations
from panel.core.actors import Actor
from panel.core.errors import Conflict


def refuse_held(actor: Actor, organization: Organization) -> None:
    """Raise Conflict where there are no new accounts for now. The people of the organization that it is about, and
    those above it, are told why; everybody else, programs of ours too, is told nothing of anybody's affairs.
    """
    held = organizations.orders_held(organization)
    if held is None:
        return
    if not actor.is_system and held.path.startswith(actor.path):
        raise Conflict(
            _("There are no new accounts for now. %(reason)s") % {"reason": held.orders_held_reason},
            field="organization",
            code="orders_held",
        )
    raise Conflict(
        _("There are no new accounts at the moment. Ask whoever provides this panel to you."),
        field="organization",
        code="orders_held",
    )
