"""People, roles and brands: nobody rises by themselves, nobody reaches beyond their brand."""

import pytest

from accounts.models import Brand, Membership, User
from accounts.selectors import brands as brand_selectors
from accounts.services import brands, memberships, organizations, users
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from panel.core.scoping import everything, tenant
from tests.cast import HOST_A, HOST_B, PROVIDER_HOST, Cast, Person, person


def admin_of(cast: Cast) -> Person:
    with everything("test"):
        return person(cast.reseller_a.organization, "admin-a", HOST_A, role="admin")


@pytest.mark.parametrize("role", ["owner", "admin", "technician"])
def test_nobody_changes_their_own_membership(cast: Cast, role: str) -> None:
    with tenant(cast.reseller_a.actor.path), pytest.raises(Forbidden) as refused:
        memberships.change(actor=cast.reseller_a.actor, membership=cast.reseller_a.membership, role=role)
    assert refused.value.code == "own_membership"


def test_an_admin_makes_no_owner_and_touches_none(cast: Cast) -> None:
    admin = admin_of(cast)
    with tenant(admin.actor.path):
        for attempt in (
            lambda: memberships.change(actor=admin.actor, membership=cast.readonly_a.membership, role="owner"),
            lambda: memberships.change(actor=admin.actor, membership=cast.reseller_a.membership, role="readonly"),
            lambda: memberships.remove(actor=admin.actor, membership=cast.reseller_a.membership),
            lambda: users.create(
                actor=admin.actor,
                organization=cast.reseller_a.organization,
                email="second@people.example",
                name="Second",
                role="owner",
            ),
        ):
            with pytest.raises(Forbidden) as refused:
                attempt()
            assert refused.value.code == "higher_role"
        changed = memberships.change(actor=admin.actor, membership=cast.readonly_a.membership, role="billing")
    assert changed.role == "billing"
    assert not User.objects.filter(email="second@people.example").exists()


def test_the_last_owner_stays(cast: Cast) -> None:
    with tenant(cast.provider.actor.path), pytest.raises(Conflict) as refused:
        memberships.remove(actor=cast.provider.actor, membership=cast.client_a.membership)
    assert refused.value.code == "last_owner"


def test_a_client_reaches_nobody_above_or_beside(cast: Cast) -> None:
    actor = cast.client_a.actor
    with tenant(actor.path):
        for foreign in (cast.reseller_a, cast.client_b, cast.outsider, cast.provider):
            with pytest.raises(NotFound):
                memberships.change(actor=actor, membership=foreign.membership, role="readonly")


def test_people_are_members_within_their_brand_only(cast: Cast) -> None:
    with tenant(cast.provider.actor.path), pytest.raises(NotFound):
        memberships.add(
            actor=cast.provider.actor,
            organization=cast.client_b.organization,
            user=cast.client_a.user,
            role="technician",
        )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not-an-address"),
        ("email", "a@b.example\nBcc: x@y.example"),
        ("email", '"x|id;$(id)"@example.com'),
        ("name", "a\x1b[31m"),
        ("password", "short"),
        ("password", "password123"),
        ("timezone", "../../etc/passwd"),
    ],
)
def test_bad_details_are_refused_by_field_and_nobody_is_made(cast: Cast, field: str, value: str) -> None:
    details = {"email": "new@people.example", "name": "New", "password": "a-Long-enough-9"} | {field: value}
    with tenant(cast.client_a.actor.path), pytest.raises(Invalid) as refused:
        users.create(actor=cast.client_a.actor, organization=cast.client_a.organization, role="technician", **details)
    assert refused.value.field == field
    assert User.objects.filter(memberships__organization=cast.client_a.organization).count() == 1


def test_an_address_is_known_once_per_brand_in_any_case(cast: Cast) -> None:
    with tenant(cast.reseller_a.actor.path), pytest.raises(DomainError) as refused:
        users.create(
            actor=cast.reseller_a.actor,
            organization=cast.client_a.organization,
            email=cast.client_sub.user.email.upper(),
            name="Twin",
            role="technician",
        )
    assert isinstance(refused.value, Conflict)
    assert refused.value.field == "email"
    assert "Sub" not in refused.value.message


def test_a_first_brand_adopts_the_customers_people(cast: Cast) -> None:
    with everything("test"):
        brands.set(
            actor=Actor.system("test"),
            organization=cast.sub_reseller.organization,
            name="Sub Brand",
            panel_host="panel.sub.example",
        )
    moved = User.objects.get(pk=cast.client_sub.user.pk)
    assert moved.brand_root_id == cast.sub_reseller.organization.id
    assert User.objects.get(pk=cast.sub_reseller.user.pk).brand_root_id == cast.reseller_a.organization.id
    assert User.objects.get(pk=cast.client_a.user.pk).brand_root_id == cast.reseller_a.organization.id


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("panel_host", "panel host"),
        ("panel_host", "localhost"),
        ("panel_host", "panel.example\n"),
        ("nameservers", ["ns1.example.org", "ns1.example.org"]),
        ("nameservers", ["ns1.example.org;"]),
        ("nameservers", [f"ns{number}.example.org" for number in range(9)]),
        ("hostmaster", "|cmd"),
        ("support_url", "javascript:alert(1)"),
        ("support_url", "https://u:p;}@evil.example/"),
        ("primary_color", "red;}"),
        ("name", "a\nb"),
    ],
)
def test_bad_brands_are_refused_by_field(cast: Cast, field: str, value: object) -> None:
    with tenant(cast.reseller_a.actor.path):
        before = Brand.objects.values().get(organization=cast.reseller_a.organization)
        with pytest.raises(Invalid) as refused:
            brands.set(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, **{field: value})
        assert refused.value.field == field
        assert Brand.objects.values().get(organization=cast.reseller_a.organization) == before


@pytest.mark.parametrize("host", [HOST_B, HOST_B.upper(), f"{HOST_B}."])
def test_another_brand_s_host_is_taken_without_saying_by_whom(cast: Cast, host: str) -> None:
    with tenant(cast.reseller_a.actor.path), pytest.raises(Conflict) as refused:
        brands.set(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, panel_host=host)
    assert refused.value.field == "panel_host"
    assert "Bureau" not in refused.value.message


def test_a_brand_is_found_by_organization_upwards(cast: Cast) -> None:
    def name(someone: Person) -> str:
        return brand_selectors.for_organization(someone.organization).name

    assert name(cast.client_sub) == name(cast.sub_reseller) == name(cast.client_a) == "Atelier A"
    assert name(cast.outsider) == name(cast.provider) == "Northwind Hosting"


def test_people_with_nothing_left_cannot_sign_in(cast: Cast) -> None:
    browser = cast.readonly_a.browser()
    assert browser.get("/api/v1/me").status_code == 200
    with tenant(cast.reseller_a.actor.path):
        memberships.remove(actor=cast.reseller_a.actor, membership=cast.readonly_a.membership)
    assert browser.get("/api/v1/me").status_code == 401


def test_one_person_in_two_organizations_chooses(cast: Cast) -> None:
    with everything("test"):
        second = organizations.create_client(
            actor=Actor.system("test"), parent=cast.reseller_a.organization, name="Second client"
        )
        memberships.add(actor=cast.reseller_a.actor, organization=second, user=cast.client_a.user, role="readonly")
        assert Membership.objects.filter(user=cast.client_a.user).count() == 2
    browser = cast.client_a.browser()
    assert browser.get("/api/v1/me").json()["organization"]["name"] == "Client of A"
    browser.post("/switch/", {"organization": second.id})
    shown = browser.get("/api/v1/me").json()
    assert (shown["organization"]["name"], shown["role"]) == ("Second client", "readonly")
    browser.post("/switch/", {"organization": cast.client_b.organization.id})
    assert browser.get("/api/v1/me").json()["organization"]["name"] == "Second client"


def test_an_own_profile_is_one_s_own(cast: Cast) -> None:
    with tenant(cast.client_a.actor.path):
        changed = users.change(actor=cast.client_a.actor, user=cast.client_a.user, timezone="Europe/Berlin")
        assert changed.timezone == "Europe/Berlin"
        with pytest.raises(NotFound):
            users.change(actor=cast.client_a.actor, user=cast.reseller_a.user, name="X")
        with pytest.raises(Invalid):
            users.change(actor=cast.client_a.actor, user=cast.client_a.user, email="x@y.example")


def test_the_host_of_the_provider_s_panel_is_not_a_brand_s(cast: Cast) -> None:
    brand = brand_selectors.for_host(PROVIDER_HOST)
    assert brand is not None
    assert brand.organization_id == cast.provider.organization.id
    assert brand_selectors.for_host("") is None
