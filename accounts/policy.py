"""The permission table: which kind of organization and which role may do what to whose objects."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from panel.core.actors import Actor
from panel.core.errors import Forbidden, NotFound

Scope = Literal["subtree", "own", "below"]

PROVIDER = frozenset({"provider"})
SELLERS = frozenset({"provider", "reseller"})
EVERYONE = frozenset({"provider", "reseller", "client"})
RESELLER = frozenset({"reseller"})

OWNERS = frozenset({"owner", "admin"})
WORKERS = OWNERS | {"technician"}
MONEY = OWNERS | {"billing"}
ANYBODY = WORKERS | {"billing", "readonly"}

# What the people of a suspended organization may still do: see to themselves and pay.
WHILE_SUSPENDED = frozenset({"profile.*", "invoice.view", "payment.*"})

# What nobody does in another person's name: see to their sign-in, hand out access, impersonate on from there.
NOT_IMPERSONATED = frozenset(
    {
        "profile.change",
        "profile.inspect",
        "profile.secure",
        "profile.weaken",
        "sign_in_policy.change",
        "token.create",
        "token.revoke",
        "membership.add",
        "membership.change",
        "membership.remove",
        "impersonation.start",
        "order.place",
        "payment.pay",
        "payment.save_card",
        "payment.remove_card",
        "receipt.refund",
        "gateway.change",
        "hook.create",
        "hook.change",
        "hook.rotate",
        "seller.change_bank",
    }
)

# What is done in a page, or by a page's session, only by somebody who proved a short while ago who they are: what takes
# somebody off the net or brings them back, what changes whose something is, what destroys data, what hands out trust.
FRESH = frozenset(
    {
        "profile.weaken",
        "account.suspend",
        "account.unsuspend",
        "account.terminate",
        "account.restore",
        "account.move",
        "organization.suspend",
        "organization.unsuspend",
        "organization.close",
        "organization.reopen",
        "organization.move",
        "database.remove",
        "mailbox.remove",
        "server.confirm",
        "server.rebuild",
        "server.overrule",
        "server.remove",
        "operation.confirm",
        "brand.vouch",
        "membership.add",
        "membership.change",
        "membership.remove",
        "impersonation.start",
        "sign_in_policy.change",
        "token.create",
        "gateway.change",
        "hook.create",
        "hook.change",
        "hook.rotate",
        "hold.lift",
        "receipt.refund",
        "seller.change_bank",
    }
)


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may: `kinds` of organization, `roles` in it, and where the object lies: in the actor's own organization,
    below it, or anywhere in its subtree."""

    kinds: frozenset[str]
    roles: frozenset[str]
    scope: Scope = "subtree"


def _rules(noun: str, kinds: frozenset[str], **verbs: frozenset[str]) -> dict[str, Rule]:
    return {f"{noun}.{verb}": Rule(kinds, roles) for verb, roles in verbs.items()}


ACTIONS: dict[str, Rule] = {
    # One's own sign-in.
    "profile.view": Rule(EVERYONE, ANYBODY, "own"),
    "profile.change": Rule(EVERYONE, ANYBODY, "own"),
    "profile.inspect": Rule(EVERYONE, ANYBODY, "own"),
    "profile.secure": Rule(EVERYONE, ANYBODY, "own"),
    "profile.weaken": Rule(EVERYONE, ANYBODY, "own"),
    # What is demanded of those who sign in: owners say so for their own people and for everybody below.
    "sign_in_policy.view": Rule(EVERYONE, ANYBODY),
    "sign_in_policy.change": Rule(EVERYONE, frozenset({"owner"})),
    # Organizations and people.
    **_rules("organization", EVERYONE, view=ANYBODY, change=OWNERS),
    "organization.create_client": Rule(SELLERS, WORKERS | MONEY),
    "organization.create_reseller": Rule(SELLERS, OWNERS),
    "organization.suspend": Rule(SELLERS, WORKERS | MONEY, "below"),
    "organization.unsuspend": Rule(SELLERS, WORKERS | MONEY, "below"),
    "organization.close": Rule(SELLERS, OWNERS, "below"),
    "organization.reopen": Rule(SELLERS, OWNERS, "below"),
    "organization.move": Rule(SELLERS, OWNERS, "below"),
    "organization.set_limit": Rule(SELLERS, OWNERS, "below"),
    "organization.assign_plan": Rule(SELLERS, OWNERS, "below"),
    "organization.allow_resellers": Rule(PROVIDER, OWNERS, "below"),
    "organization.vouch_mail": Rule(PROVIDER, WORKERS),
    "membership.view": Rule(EVERYONE, ANYBODY),
    "membership.add": Rule(EVERYONE, OWNERS),
    "membership.change": Rule(EVERYONE, OWNERS),
    "membership.remove": Rule(EVERYONE, OWNERS),
    "impersonation.view": Rule(EVERYONE, OWNERS),
    "impersonation.start": Rule(SELLERS, OWNERS, "below"),
    "brand.view": Rule(SELLERS, ANYBODY),
    "brand.change": Rule(SELLERS, OWNERS),
    # The provider's alone: a host that is vouched for is believed without a proof.
    "brand.vouch": Rule(PROVIDER, OWNERS),
    "brand.allow_private": Rule(PROVIDER, OWNERS),
    "brand.scan": Rule(SELLERS, WORKERS),
    "token.view": Rule(EVERYONE, ANYBODY, "own"),
    "token.create": Rule(EVERYONE, WORKERS, "own"),
    "token.revoke": Rule(EVERYONE, WORKERS, "own"),
    "audit.view": Rule(EVERYONE, OWNERS),
    # Servers: the provider's alone.
    **_rules(
        "server",
        PROVIDER,
        view=ANYBODY,
        add=WORKERS,
        confirm=WORKERS,
        bootstrap=WORKERS,
        change=WORKERS,
        reconcile=WORKERS,
        measure=WORKERS,
        rebuild=OWNERS,
        overrule=OWNERS,
        remove=OWNERS,
    ),
    **_rules("drift", PROVIDER, view=ANYBODY, check=WORKERS, restore=WORKERS, adopt=WORKERS, pin=WORKERS),
    **_rules("address", PROVIDER, view=ANYBODY, add=WORKERS, change=WORKERS, remove=WORKERS),
    **_rules("address", PROVIDER, give=WORKERS, take_back=WORKERS),
    # What is sold, and what was bought.
    **_rules("plan", SELLERS, view=ANYBODY, create=OWNERS, change=OWNERS, remove=OWNERS),
    "package.view": Rule(SELLERS, ANYBODY),
    **_rules("package", SELLERS, create=OWNERS, change=OWNERS, remove=OWNERS),
    **_rules(
        "account",
        SELLERS,
        create=WORKERS,
        change=WORKERS,
        override=OWNERS,
        suspend=WORKERS | MONEY,
        unsuspend=WORKERS | MONEY,
        terminate=OWNERS,
        rename=WORKERS,
        restore=OWNERS,
        move=OWNERS,
    ),
    "account.view": Rule(EVERYONE, ANYBODY),
    "usage.measure": Rule(EVERYONE, WORKERS),
    # Whoever may change anything may see it first: a plan asks for the permission of its verb, too.
    "preview.create": Rule(EVERYONE, WORKERS | MONEY),
    **_rules("site", EVERYONE, view=ANYBODY, change=WORKERS),
    **_rules("site", SELLERS, create=WORKERS, remove=WORKERS),
    **_rules("zone", EVERYONE, view=ANYBODY),
    **_rules("zone", SELLERS, create=WORKERS, change=WORKERS, remove=WORKERS),
    **_rules("mail_domain", EVERYONE, view=ANYBODY),
    **_rules("mail_domain", SELLERS, create=WORKERS, remove=WORKERS),
    # The provider's alone: whoever vouches for a domain takes the mail that other tenants send to it.
    "mail_domain.vouch": Rule(PROVIDER, WORKERS),
    **{
        action: rule
        for noun in ("record", "database", "database_user", "mailbox", "alias")
        for action, rule in _rules(noun, EVERYONE, view=ANYBODY, create=WORKERS, change=WORKERS, remove=WORKERS).items()
    },
    # Orders: a buyer's own are theirs to see, those below are their seller's to decide.
    "order.view": Rule(EVERYONE, ANYBODY),
    "order.place": Rule(frozenset({"client"}), MONEY, "own"),
    "order.create": Rule(SELLERS, MONEY, "own"),
    "order.review": Rule(SELLERS, MONEY, "below"),
    "order.retry": Rule(SELLERS, WORKERS | MONEY, "below"),
    # What selling earned; of one's own organization alone, which lists see to.
    "report.view": Rule(SELLERS, MONEY | {"readonly"}),
    # Who sells what, for how much, with which tax: each seller's own, whoever stands above.
    "seller.view": Rule(SELLERS, ANYBODY, "own"),
    "seller.change": Rule(SELLERS, MONEY, "own"),
    "seller.change_bank": Rule(SELLERS, OWNERS, "own"),
    **{
        f"{noun}.{verb}": Rule(SELLERS, roles, "own")
        for noun in ("product", "price", "tax_rate")
        for verb, roles in {"view": ANYBODY, "create": MONEY, "change": MONEY, "remove": MONEY}.items()
    },
    # What is counted, and prices in time: each seller's own. What was used, both who sells and who buys may look at.
    **{
        f"{noun}.{verb}": Rule(SELLERS, roles, "own")
        for noun in ("meter", "feed")
        for verb, roles in {"view": ANYBODY, "create": MONEY, "change": MONEY}.items()
    },
    "meter_event.create": Rule(SELLERS, MONEY, "own"),
    "meter_event.view": Rule(EVERYONE, ANYBODY),
    "rate.create": Rule(SELLERS, ANYBODY, "own"),
    # A customer is two organizations' affair: who it is on paper both may say, on which terms the seller alone.
    "customer.view": Rule(EVERYONE, ANYBODY),
    "customer.change": Rule(EVERYONE, MONEY),
    "customer.check_vat": Rule(EVERYONE, MONEY),
    "customer.set_terms": Rule(SELLERS, MONEY, "below"),
    "operation.view": Rule(EVERYONE, ANYBODY),
    "operation.retry": Rule(EVERYONE, WORKERS),
    "operation.cancel": Rule(EVERYONE, WORKERS),
    "operation.confirm": Rule(PROVIDER, WORKERS),
    # Papers are written, issued and corrected by their seller; both parties read them. Books are the seller's alone.
    "invoice.view": Rule(EVERYONE, MONEY | {"readonly"}),
    **{
        f"invoice.{verb}": Rule(SELLERS, MONEY, "below")
        for verb in ("create", "change", "remove", "issue", "credit", "write_off", "send")
    },
    # What follows from not paying: the seller looks on, waits and lifts; both read what is held back.
    "dunning.view": Rule(SELLERS, MONEY | {"readonly"}, "below"),
    "dunning.pause": Rule(SELLERS, MONEY, "below"),
    "dunning.resume": Rule(SELLERS, MONEY, "below"),
    "hold.view": Rule(EVERYONE, MONEY | {"readonly"}),
    "hold.lift": Rule(SELLERS, MONEY, "below"),
    # What is paid for again and again: both parties read it and may end it, the seller begins it.
    "subscription.view": Rule(EVERYONE, MONEY | {"readonly"}),
    "subscription.change": Rule(EVERYONE, MONEY),
    "subscription.cancel": Rule(EVERYONE, MONEY),
    **{f"subscription.{verb}": Rule(SELLERS, MONEY, "below") for verb in ("start", "attach", "unpark")},
    "charge.create": Rule(SELLERS, MONEY, "below"),
    "ledger.view": Rule(SELLERS, MONEY | {"readonly"}, "own"),
    # Money that moves: the buyer pays, the seller sees to what has come, and only owners to where it goes.
    "payment.view": Rule(EVERYONE, MONEY | {"readonly"}),
    "payment.pay": Rule(EVERYONE, MONEY, "own"),
    "payment.save_card": Rule(EVERYONE, MONEY, "own"),
    "payment.remove_card": Rule(EVERYONE, MONEY, "own"),
    "receipt.view": Rule(SELLERS, MONEY | {"readonly"}),
    "receipt.record": Rule(SELLERS, MONEY, "below"),
    "receipt.refund": Rule(SELLERS, MONEY, "below"),
    "receipt.match": Rule(SELLERS, MONEY, "own"),
    # Which programs of one's own are told of what happens to one's money, and the secrets that they know it by.
    "hook.view": Rule(SELLERS, MONEY, "own"),
    **{f"hook.{verb}": Rule(SELLERS, OWNERS, "own") for verb in ("create", "change", "rotate", "remove")},
    **{f"hook.{verb}": Rule(SELLERS, OWNERS, "own") for verb in ("test", "resend")},
    "gateway.view": Rule(SELLERS, OWNERS, "own"),
    "gateway.change": Rule(SELLERS, OWNERS, "own"),
}


def check(actor: Actor, action: str, obj: object | None) -> None:
    """Decide for `panel.core.policy`: return when allowed.

    Raises NotFound when `obj` (by its `tenant_path`) lies outside the actor's subtree, Forbidden when the actor may see
    it but not do this, and LookupError for an action that the table does not have. What two organizations share, by its
    `parties` (seller, buyer), lies below its seller, is the buyer's own, and is found by nobody else.
    """
    rule = ACTIONS.get(action)
    if rule is None:
        raise LookupError(f"The permission table has no action {action}.")
    if actor.is_system:
        return
    path = None if obj is None else _place(actor, obj)
    if actor.impersonator is not None and covers(NOT_IMPERSONATED, action):
        raise Forbidden(
            _("Nobody does this in another person's name. End the impersonation first."), code="impersonating"
        )
    if not _granted(actor, action, rule, path):
        raise Forbidden()


def _place(actor: Actor, obj: object) -> str:
    """Return where an object lies for an actor; raises NotFound when it is none of the actor's business."""
    parties = getattr(obj, "parties", None)
    path = str(obj.tenant_path)  # type: ignore[attr-defined]
    if parties is None:
        if not path.startswith(actor.path):
            raise NotFound()
        return path
    if actor.organization_id not in parties:
        raise NotFound()
    buyer = parties[1]
    return actor.path if actor.organization_id == buyer else f"{actor.path}{buyer}/"


def _granted(actor: Actor, action: str, rule: Rule, path: str | None) -> bool:
    if actor.kind not in rule.kinds or actor.role not in rule.roles:
        return False
    if actor.scopes is not None and not covers(actor.scopes, action):
        return False
    if path is None or rule.scope == "subtree":
        return True
    return (path == actor.path) == (rule.scope == "own")


def covers(scopes: Iterable[str], action: str) -> bool:
    """Tell whether one of `scopes` names `action`: exactly, as `noun.*`, as `*.verb`, or as `*`."""
    noun, _, verb = action.partition(".")
    return not {action, f"{noun}.*", f"*.{verb}", "*"}.isdisjoint(scopes)


def narrowed(scopes: Iterable[str], within: Iterable[str]) -> set[str]:
    """Return the actions that both `scopes` and `within` cover."""
    given, bounds = list(scopes), list(within)
    return {action for action in ACTIONS if covers(given, action) and covers(bounds, action)}


def known_scope(scope: str) -> bool:
    """Tell whether `scope` covers any action at all."""
    return any(covers((scope,), action) for action in ACTIONS)
