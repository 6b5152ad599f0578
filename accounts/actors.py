"""From a request or a token to the actor that services know. Whether the actor may do anything is policy's affair."""

from allauth.account.adapter import get_adapter
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import ApiToken, Brand, Membership, Organization, User
from accounts.policy import WHILE_SUSPENDED, narrowed
from accounts.selectors import organizations, users
from panel.core.actors import Actor, Impersonator
from panel.core.errors import Forbidden
from panel.core.scoping import everything

CHOICE = "organization"


def for_request(request: HttpRequest) -> Actor | None:
    """Return the actor of a signed-in request at its brand's panel, or None for strangers to this panel.

    Of several memberships the one chosen in the session counts, else the oldest.
    """
    user = request.user
    brand: Brand | None = getattr(request, "brand", None)
    if not isinstance(user, User) or brand is None:
        return None
    found = users.memberships_at(user, brand)
    if not found:
        return None
    chosen = request.session.get(CHOICE)
    membership = next((row for row in found if row.organization_id == chosen), found[0])
    request.memberships = found  # type: ignore[attr-defined]
    return for_membership(membership, address=get_adapter().get_client_ip(request))


def choose(request: HttpRequest, organization_id: str) -> bool:
    """Let the session act for another organization of its user; False when the user is nothing there."""
    found: list[Membership] = getattr(request, "memberships", [])
    if not any(row.organization_id == organization_id for row in found):
        return False
    request.session[CHOICE] = organization_id
    return True


def for_membership(
    membership: Membership,
    *,
    via: str = "web",
    address: str | None = None,
    impersonator: Impersonator | None = None,
) -> Actor:
    """Return the actor that a membership makes of its user; a suspended organization leaves little of it."""
    organization = membership.organization
    suspended = not organizations.standing(organization).active
    return Actor(
        user_id=membership.user_id,
        organization_id=organization.id,
        path=organization.path,
        kind=organization.kind,
        role=membership.role,
        label=membership.user.name or membership.user.email,
        via=via,
        scopes=WHILE_SUSPENDED if suspended else None,
        impersonator=impersonator,
        address=address,
        suspended=suspended,
    )


def stays_open(view: object, organization: Organization) -> bool:
    """Tell whether a page or endpoint is open to the people of an organization that is itself suspended: it says so by
    `while_suspended`.
    """
    found = getattr(view, "view_class", getattr(view, "cls", view))
    return bool(getattr(found, "while_suspended", False)) and organizations.standing(organization).own


def behind(actor: Actor) -> Impersonator:
    """Return the actor as the person behind an impersonation."""
    if actor.user_id is None:
        raise TypeError("Only a person impersonates.")
    return Impersonator(actor.user_id, actor.label, actor.path)


def for_token(token: ApiToken, address: str | None = None) -> Actor | None:
    """Return the actor of a usable API token; None when its user, membership or organization no longer is. While the
    organization, or one above, is suspended, it may do no more than its people may.
    """
    closed = token.organization.status == Organization.Status.CLOSED
    if not token.usable or not token.user.is_active or closed:
        return None
    with everything("a token comes before the scope"):
        membership = Membership.objects.filter(user_id=token.user_id, organization_id=token.organization_id).first()
    if membership is None:
        return None
    is_suspended = not organizations.standing(token.organization).active
    scopes = frozenset(token.scopes)
    return Actor(
        user_id=token.user_id,
        organization_id=token.organization_id,
        path=token.organization.path,
        kind=token.organization.kind,
        role=membership.role,
        label=token.name,
        via="api",
        scopes=frozenset(narrowed(scopes, WHILE_SUSPENDED)) if is_suspended else scopes,
        address=address,
        suspended=is_suspended,
    )


def suspended() -> Forbidden:
    """Return the refusal that programs of a suspended organization get."""
    return Forbidden(_("This access is suspended. Sign in to the panel to see what to do."), code="suspended")
