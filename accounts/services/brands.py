"""Brands: what the customers of an organization see."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Brand, Membership, Organization, User
from accounts.selectors import brands as selectors
from accounts.selectors import plans
from accounts.services import host_claims, neutral_hosts, old_hosts
from panel.core import audit, names, policy
from panel.core.actors import Actor
from panel.core.errors import Conflict, Invalid, clean_or_invalid, integrity_as_conflict
from panel.core.names import NameInvalid
from panel.core.public_suffixes import registrable
from panel.core.scoping import everything

FIELDS = (
    "name",
    "panel_host",
    "nameservers",
    "mail_host",
    "hostmaster",
    "primary_color",
    "accent_color",
    "support_email",
    "support_url",
    "support_phone",
    "terms_url",
    "privacy_url",
    "footer",
    "locale",
)


Follower = Callable[[Actor, Brand, frozenset[str]], object]
_followers: list[Follower] = []


def follow(follower: Follower) -> None:
    """Let `follower` be told, in the transaction of every change of a brand, which fields have other values now.

    For apps above this one, whose rows stand on brands.
    """
    _followers.append(follower)


def set(*, actor: Actor, organization: Organization, **values: Any) -> Brand:
    """Give a seller its brand, or change fields of it.

    A panel host that has yet to prove itself becomes a claim, and the brand keeps the one it has. With the first that
    is in use, its own or a neutral one, the people of its clients, who lived under a brand above, become people of this
    one.
    """
    return change(actor=actor, organization=organization, **values)[0]


def change(*, actor: Actor, organization: Organization, **values: Any) -> tuple[Brand, list[object]]:
    """Do what `set` does; returns the brand, and what the followers did about it."""
    policy.require(actor, "brand.change", organization)
    for field in values:
        if field not in FIELDS:
            raise Invalid("unknown", _("A brand has no such field."), field)
    for field in ("panel_host", "mail_host"):
        if values.get(field):
            values[field] = _host(values[field], field)
    if "nameservers" in values:
        values["nameservers"] = [_host(host, "nameservers") for host in values["nameservers"]]
    with transaction.atomic():
        brand, created = _locked(actor, organization)
        wanted = values.get("panel_host", brand.panel_host)
        if wanted and not brand.panel_host and not actor.is_system:
            values = values | _usual_names(brand, values, wanted)
        if wanted not in (brand.panel_host, host_claims.waiting_for(brand)):
            policy.require_fresh(actor)
        _judge_names(actor, brand, values)
        names_host = values.pop("panel_host", None) is not None
        before = {field: getattr(brand, field) for field in (*values, "panel_host")}
        for field, value in values.items():
            setattr(brand, field, value)
        proof = host_claims.decide(actor=actor, brand=brand, host=wanted) if names_host else None
        if proof is not None:
            _use_host(brand, wanted, proof)
        done = write(actor, brand, before, created=created)
    return brand, done


def locked(*, actor: Actor, organization: Organization) -> Brand:
    """Return the organization's own brand for a change, made with its name when it has none.

    Runs in the caller's transaction; raises Invalid for a client, who has no brand of its own.
    """
    policy.require(actor, "brand.change", organization)
    brand, created = _locked(actor, organization)
    if created:
        _tell(actor, brand, frozenset(FIELDS))
    return brand


def _locked(actor: Actor, organization: Organization) -> tuple[Brand, bool]:
    if organization.kind == Organization.Kind.CLIENT:
        raise Invalid("kind", _("A client has no brand of its own."), "organization")
    brand = Brand.objects.select_for_update().filter(organization=organization).first()
    if brand is None:
        brand = Brand(
            organization=organization,
            name=organization.name,
            neutral_host=neutral_hosts.make(organization),
            nameservers=_shared_nameservers(organization),
        )
        clean_or_invalid(brand)
        with integrity_as_conflict(_("This brand was made at the same time by somebody else. Try again.")):
            brand.save(force_insert=True)
        audit.record(actor, "brand.change", brand, {"name": ("", brand.name), "neutral_host": ("", brand.neutral_host)})
        if brand.neutral_host:
            _adopt_people(organization)
        return brand, True
    brand.organization = organization
    return brand, False


def take_host(*, actor: Actor, brand: Brand, host: str, proof: Brand.Proof) -> Brand:
    """Put a panel host in use that has proved itself; raises Conflict when another brand was first.

    Runs in the caller's transaction.
    """
    before = {"panel_host": brand.panel_host}
    _use_host(brand, host, proof)
    write(actor, brand, before)
    return brand


def take_neutral_host(*, actor: Actor, organization: Organization) -> Brand:
    """Give a reseller's brand, made with its name when it has none, a neutral host below the domain of now; one that
    has such a host keeps it.

    Its people, who signed in at a brand above, sign in there from then on. For new resellers and the sweep: whether
    the actor may is the caller's question. Raises Invalid when the brand's other values are not valid.
    """
    with transaction.atomic():
        brand, created = _locked(actor, organization)
        if created:
            _tell(actor, brand, frozenset(FIELDS))
            return brand
        if brand.neutral_host.endswith(f".{settings.NEUTRAL_PANEL_DOMAIN}"):
            return brand
        before = {"neutral_host": brand.neutral_host}
        brand.neutral_host = neutral_hosts.make(organization)
        old_hosts.keep(brand=brand, before=before["neutral_host"], after=brand.neutral_host)
        write(actor, brand, before)
        if not before["neutral_host"] and not brand.panel_host:
            _adopt_people(organization)
    return brand


def write(actor: Actor, brand: Brand, before: dict[str, Any], *, created: bool = False) -> list[object]:
    """Check and write a changed brand, tell the audit log and the followers; returns what they did."""
    clean_or_invalid(brand)
    with integrity_as_conflict(_("This host name is already in use."), field="panel_host"):
        brand.save()
    after = {field: getattr(brand, field) for field in before}
    if brand.panel_host and not before.get("panel_host", brand.panel_host) and not brand.neutral_host:
        _adopt_people(brand.organization)
    changed = audit.difference(before, after)
    if changed:
        audit.record(actor, "brand.change", brand, changed)
    return _tell(actor, brand, frozenset(FIELDS if created else changed))


def _tell(actor: Actor, brand: Brand, changed: frozenset[str]) -> list[object]:
    return [follower(actor, brand, changed) for follower in _followers]


def _usual_names(brand: Brand, values: dict[str, Any], panel_host: str) -> dict[str, Any]:
    """Return the names that a brand with this first panel host usually has, for the fields that are left empty.

    Name servers are left, too, when they are still the shared ones that a new brand begins with.
    """
    domain = registrable(panel_host) or panel_host
    private = all(plan.private_nameservers for plan in plans.above(brand.organization))
    own = [f"ns1.{domain}", f"ns2.{domain}"]
    shared = _shared_nameservers(brand.organization)
    given = {field: values.get(field) or getattr(brand, field) for field in ("nameservers", "mail_host", "hostmaster")}
    if _same(given["nameservers"], brand.nameservers) and _has_those_of_its_start(brand):
        given["nameservers"] = []
    usual = {
        "nameservers": own if private else shared,
        "mail_host": f"mail.{domain}",
        "hostmaster": f"hostmaster@{domain}",
    }
    return {field: value for field, value in usual.items() if not given[field]}


def _use_host(brand: Brand, host: str, proof: Brand.Proof | None) -> None:
    if selectors.name_taken(host, brand):
        raise Conflict(_("This host name is already in use."), field="panel_host")
    old_hosts.keep(brand=brand, before=brand.panel_host, after=host)
    brand.panel_host = host
    brand.panel_host_proof = proof or ""
    brand.panel_host_since = timezone.now() if host else None


def _judge_names(actor: Actor, brand: Brand, values: dict[str, Any]) -> None:
    """Refuse mail hosts and name servers that are others'; what stays as it is was judged before."""
    if values.get("mail_host") and values["mail_host"] != brand.mail_host:
        host_claims.judge(actor, brand, values["mail_host"], "mail_host")
    _judge_plan(actor, brand, values.get("nameservers", brand.nameservers))
    for host in values.get("nameservers", ()):
        if host not in brand.nameservers:
            host_claims.judge(actor, brand, host, "nameservers")
    if selectors.name_taken(values.get("panel_host", ""), brand):
        raise Conflict(_("This host name is already in use."), field="panel_host")


def _judge_plan(actor: Actor, brand: Brand, nameservers: list[str]) -> None:
    """Refuse name servers of its own to a reseller whose plan has none; the shared ones stay possible."""
    if actor.is_system or _same(nameservers, brand.nameservers) or not nameservers:
        return
    if all(plan.private_nameservers for plan in plans.above(brand.organization)):
        return
    shared = _shared_nameservers(brand.organization)
    if not _same(nameservers, shared):
        words = _("Your plan has no name servers of its own. Use the shared ones (%(shared)s).")
        raise Invalid("private_nameservers", words % {"shared": ", ".join(shared)}, "nameservers")


def _shared_nameservers(organization: Organization) -> list[str]:
    """Return the name servers that name nobody, where the installation has such, else those of the nearest brand above;
    none for the provider.
    """
    above = selectors.above(organization)
    return list(settings.NEUTRAL_NAMESERVERS or above.nameservers) if above else []


def _has_those_of_its_start(brand: Brand) -> bool:
    above = selectors.above(brand.organization)
    begun = [settings.NEUTRAL_NAMESERVERS, above.nameservers if above else []]
    return any(_same(brand.nameservers, names) for names in begun)


def _same(one: list[str], other: list[str]) -> bool:
    """Tell whether two lists hold the same names, in whatever order."""
    return sorted(one) == sorted(other)


def _adopt_people(organization: Organization) -> None:
    """Move the users who are nothing but people of this seller's customers to its new brand root."""
    if organization.parent is None:
        return
    with everything("people's other memberships decide"):
        above = selectors.root_above(organization)
        inside = Membership.objects.filter(organization__path__startswith=organization.path)
        customers = inside.exclude(organization=organization)
        outside = Membership.objects.exclude(organization__path__startswith=organization.path)
        movers = User.objects.filter(brand_root=above, memberships__in=customers).exclude(memberships__in=outside)
        own_staff = Membership.objects.filter(organization=organization)
        ids = list(movers.exclude(memberships__in=own_staff).values_list("id", flat=True).distinct())
        User.objects.filter(id__in=ids).update(brand_root=organization)


def _host(value: object, field: str) -> str:
    try:
        return names.hostname(value)  # type: ignore[arg-type]
    except NameInvalid as error:
        raise Invalid(error.rule, error.message, field) from error
