"""Per request, once it is known who acts: acting as somebody else, and what is left of a suspended organization."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import actors
from accounts.models import Impersonation, Membership, Organization, User
from accounts.selectors import brands, impersonations, organizations
from accounts.services import impersonations as service
from accounts.web.impersonations import SESSION_KEY
from panel.core import policy, scoping
from panel.core.actors import Actor
from panel.core.api import problems
from panel.core.error_pages import API

Next = Callable[[HttpRequest], HttpResponseBase]
SIGN_OUT = "account_logout"
# What people of a suspended organization still reach, beside the page that says so.
OPEN = frozenset({SIGN_OUT, "dashboard:switch", "accounts:impersonation_end"})
INVOICES = "billing:bill_list"
BRAND_FILES = "dashboard:brand_"


class ImpersonationMiddleware:
    """Lets the session's user act as the person whom they impersonate: actor, brand, organization and scope are that
    person's, and as fresh as the user's own sign-in. Whatever ends it (time, a lost role, a membership that is gone)
    ends it before the request is served.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        own: Actor | None = getattr(request, "actor", None)
        identifier = request.session.get(SESSION_KEY)
        if identifier is None or own is None:
            return self.get_response(request)
        found = impersonations.running(identifier, own.user_id)
        membership = impersonations.membership(found) if found is not None else None
        if found is None or membership is None or not _may(own, found, membership):
            return self._over(request, found)
        request.impersonation = found  # type: ignore[attr-defined]
        request.memberships = [membership]  # type: ignore[attr-defined]
        request.brand = brands.of_user(found.user)  # type: ignore[attr-defined]
        address = get_adapter().get_client_ip(request)
        acting = actors.for_membership(membership, address=address, impersonator=actors.behind(own))
        actor = replace(acting, fresh=own.fresh)
        request.actor = actor  # type: ignore[attr-defined]
        with scoping.tenant(actor.path):
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        """Let signing out end the impersonation, too."""
        found: Impersonation | None = getattr(request, "impersonation", None)
        match = request.resolver_match
        if found is not None and request.method == "POST" and match is not None and match.view_name == SIGN_OUT:
            service.end(impersonation=found)
        return None

    @staticmethod
    def _over(request: HttpRequest, found: Impersonation | None) -> HttpResponseBase:
        if found is not None:
            service.end(impersonation=found)
        request.session.pop(SESSION_KEY, None)
        request.session.cycle_key()
        text = _("The impersonation is over, and nothing was done. You are yourself again.")
        if request.path.startswith(API):
            return problems.response(request, 403, "impersonation_over", text)
        messages.warning(request, text)
        return HttpResponseRedirect("/")


class StandingMiddleware:
    """Shows people of a suspended organization a page that says why and what to do, at every address but those where
    they see what they owe, and pay; programs get a problem with the code `suspended`.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        """Answer in place of the view unless it is one of those that stay open."""
        actor: Actor | None = getattr(request, "actor", None)
        if actor is None or not actor.suspended:
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in OPEN or name.startswith(BRAND_FILES) or actors.stays_open(view, _own(request, actor)):
            return None
        if request.path.startswith(API):
            refusal = actors.suspended()
            return problems.response(request, refusal.status, refusal.code, refusal.message)
        return render(request, "accounts/suspended.html", _standing(request, actor), status=403)


def _may(own: Actor, found: Impersonation, membership: Membership) -> bool:
    if own.organization_id != found.by_organization_id or not policy.allowed(own, "impersonation.start", membership):
        return False
    return service.can_be_acted_for(own, membership.organization)


def _standing(request: HttpRequest, actor: Actor) -> dict[str, Any]:
    """Return why, as far as it is theirs to know, and whether this brand is the one to ask: a reseller's own is not."""
    user = request.user
    brand = getattr(request, "brand", None)
    own = _own(request, actor)
    others = [row.organization for row in request.memberships if row.organization_id != actor.organization_id]  # type: ignore[attr-defined]
    asks_here = brand is not None and isinstance(user, User) and brand.organization_id != own.id
    standing = organizations.standing(own)
    owes = reverse(INVOICES) if standing.own and policy.allowed(actor, "invoice.view") else ""
    return {"standing": standing, "organization": own, "others": others, "asks_here": asks_here, "owes": owes}


def _own(request: HttpRequest, actor: Actor) -> Organization:
    rows: list[Membership] = request.memberships  # type: ignore[attr-defined]
    return next(row.organization for row in rows if row.organization_id == actor.organization_id)
