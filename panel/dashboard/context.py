"""What the frame around every page needs: the brand of this host, the ways to go, the organizations to work for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from accounts.models import Brand, Organization
from accounts.selectors import brands
from billing.selectors import setup
from panel.core import policy
from panel.core.actors import Actor


@dataclass(frozen=True)
class Item:
    """A way to go: shown to who may do `action`, active on pages whose address starts with its own.

    With `when` it is shown only to organizations that have come so far with billing (billing.selectors.setup).
    """

    label: str | Promise
    route: str
    icon: str
    action: str
    kinds: frozenset[str] = frozenset({"provider", "reseller", "client"})
    when: str = ""


@dataclass(frozen=True)
class Section:
    """Ways to go under one heading."""

    title: str | Promise
    items: list[Item] = field(default_factory=list)


SELLERS = frozenset({"provider", "reseller"})
PROVIDER = frozenset({"provider"})

NAVIGATION = [
    Section(
        "",
        [Item(_("Home"), "dashboard:home", "home", "account.view")],
    ),
    Section(
        _("Hosting"),
        [
            Item(_("Accounts"), "provisioning:account_list", "world", "account.view"),
            Item(_("Clients"), "accounts:client_list", "users", "organization.create_client", SELLERS),
            Item(_("Packages"), "provisioning:package_list", "package", "package.view", SELLERS),
            Item(_("Operations"), "provisioning:operation_list", "activity", "operation.view"),
        ],
    ),
    Section(
        _("Business"),
        [
            Item(_("Resellers"), "accounts:reseller_list", "building-store", "organization.create_reseller", SELLERS),
            Item(_("Reseller plans"), "accounts:plan_list", "package", "plan.create", SELLERS),
            Item(_("Brand"), "accounts:brand", "palette", "brand.change", SELLERS),
            Item(_("White-label scan"), "provisioning:scan_list", "eye", "brand.view", SELLERS),
        ],
    ),
    Section(
        _("Billing"),
        [
            Item(_("Start billing"), "billing:start", "cash", "seller.change", SELLERS, "to_start"),
            Item(_("Reports"), "billing:report_profit", "chart-bar", "report.view", SELLERS, "sells"),
            Item(_("Invoices"), "billing:invoice_list", "file-invoice", "invoice.view", SELLERS, "sells"),
            Item(_("Overdue"), "billing:overdue_list", "hourglass", "dunning.view", SELLERS, "sells"),
            Item(_("Subscriptions"), "billing:subscription_list", "refresh", "ledger.view", SELLERS, "sells"),
            Item(_("Customers"), "billing:customer_list", "users", "seller.view", SELLERS, "sells"),
            Item(_("Products"), "billing:product_list", "package", "product.view", SELLERS, "sells"),
            Item(_("Orders"), "billing:order_list", "shopping-cart", "order.view", SELLERS, "sells"),
            Item(_("Payments"), "billing:payment_list", "cash", "receipt.view", SELLERS, "sells"),
            Item(_("Webhooks"), "billing:hook_list", "webhook", "hook.view", SELLERS, "sells"),
            Item(_("Billing settings"), "billing:seller", "settings", "seller.change", SELLERS, "sells"),
            Item(_("Your invoices"), "billing:bill_list", "receipt", "invoice.view", when="buys"),
            Item(_("Your subscriptions"), "billing:purchase_list", "refresh", "subscription.view", when="buys"),
            Item(_("Your cards"), "billing:cards", "credit-card", "payment.pay", when="buys"),
        ],
    ),
    Section(
        _("Billing by use"),
        [
            Item(_("Meters"), "billing:meter_list", "gauge", "meter.view", SELLERS, "sells"),
            Item(_("Price feeds"), "billing:feed_list", "chart-line", "feed.view", SELLERS, "sells"),
            Item(_("Calculator"), "billing:calculator", "calculator", "rate.create", SELLERS, "sells"),
        ],
    ),
    Section(
        _("Infrastructure"),
        [Item(_("Servers"), "provisioning:server_list", "server", "server.view", PROVIDER)],
    ),
    Section(
        _("Organization"),
        [
            Item(_("Team"), "accounts:member_list", "users-group", "membership.view"),
            Item(_("Limits"), "accounts:own_limits", "gauge", "organization.view", frozenset({"reseller"})),
            Item(_("API tokens"), "accounts:token_list", "key", "token.view"),
            Item(_("Activity"), "dashboard:activity", "history", "audit.view"),
        ],
    ),
]

PERSONAL = [
    (_("Profile"), "accounts:profile", "user"),
    (_("Two-factor sign-in"), "mfa_index", "shield-lock"),
    (_("Password"), "account_change_password", "key"),
]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give templates `shell`: brand, navigation, organizations; strangers get the brand only, unknown hosts nothing."""
    return {"shell": SimpleLazyObject(lambda: _shell(request))}


def _shell(request: HttpRequest) -> dict[str, Any]:
    brand: Brand | None = getattr(request, "brand", None)
    actor: Actor | None = getattr(request, "actor", None)
    found: dict[str, Any] = {"brand": _brand(brand), "face": None, "navigation": [], "organizations": []}
    if actor is None:
        return found
    organizations = [row.organization for row in getattr(request, "memberships", [])]
    current = next((item for item in organizations if item.id == actor.organization_id), None)
    return {
        **found,
        "face": actor.kind,
        "navigation": navigation(actor, request.path, current),
        "organizations": organizations,
        "organization": current,
        "impersonation": getattr(request, "impersonation", None),
        "personal": [] if actor.suspended else personal(),
    }


def personal() -> list[dict[str, Any]]:
    """Return the ways to one's own sign-in."""
    return [{"label": label, "url": reverse(route), "icon": icon} for label, route, icon in PERSONAL]


def navigation(actor: Actor, path: str, organization: Organization | None) -> list[dict[str, Any]]:
    """Return the sections of the side navigation that the actor can use; the longest matching address is active."""
    standing = setup.standing(actor)
    visible = [
        (
            section.title,
            [
                (item, reverse(item.route))
                for item in section.items
                if _usable(actor, item, organization) and (not item.when or getattr(standing, item.when))
            ],
        )
        for section in NAVIGATION
    ]
    addresses = [url for _title, items in visible for _item, url in items]
    matching = [url for url in addresses if path == url or (url != "/" and path.startswith(url))]
    active = max(matching, key=len, default="")
    return [
        {
            "title": title,
            "entries": [
                {"label": item.label, "url": url, "icon": item.icon, "active": url == active} for item, url in items
            ],
        }
        for title, items in visible
        if items
    ]


def _usable(actor: Actor, item: Item, organization: Organization | None) -> bool:
    if actor.kind not in item.kinds or not policy.allowed(actor, item.action):
        return False
    may_have_resellers = actor.kind == "provider" or (organization is not None and organization.resellers_allowed)
    return item.route not in ("accounts:reseller_list", "accounts:plan_list") or may_have_resellers


def _brand(brand: Brand | None) -> dict[str, Any]:
    if brand is None:
        return {}
    version = hashlib.sha256(f"{brand.primary_color}{brand.accent_color}".encode()).hexdigest()[:8]
    return {
        "name": brand.name,
        "initial": brand.name[:1].upper(),
        "css_url": f"{reverse('dashboard:brand_css')}?v={version}",
        "logo_url": brands.file_url(brand.logo),
        "logo_dark_url": brands.file_url(brand.logo_dark),
        "icon_url": brands.favicon_url(brand),
        "support_email": brand.support_email,
        "support_url": brand.support_url,
        "support_phone": brand.support_phone,
        "terms_url": brand.terms_url,
        "privacy_url": brand.privacy_url,
        "footer": brand.footer,
        "mail_host": brand.mail_host,
        "nameservers": brand.nameservers,
    }
