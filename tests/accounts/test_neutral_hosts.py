"""Neutral panel hosts: every brand has an address of its own from the start, and nobody reads a name from above."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from structlog.testing import capture_logs

from accounts import checks
from accounts.models import Brand, OldHost, Organization, User
from accounts.selectors import brands as selectors
from accounts.services import brand_hosts, brands, invitations, onboarding, organizations, users
from panel.core.actors import Actor
from panel.core.errors import DomainError
from panel.core.scoping import everything, tenant
from provisioning.services import domains
from tests.cast import HOST_A, PASSWORD, Cast, make

DOMAIN = "panels.neutral.example"
ABOVE = ("Atelier", "reseller-a.example", "Northwind", "northwind.example", "localhost")
SYSTEM = Actor.system("test")


@pytest.fixture
def neutral(db: None, settings: Any) -> Cast:
    """The cast of an installation with a neutral domain."""
    settings.NEUTRAL_PANEL_DOMAIN = DOMAIN
    return make()


def brand_of(organization: Organization) -> Brand:
    """Return an organization's own brand."""
    with everything("test"):
        return Brand.objects.select_related("organization").get(organization=organization)


def sign_in(host: str, email: str) -> Client:
    """Sign in at a host as a person does."""
    browser = Client(headers={"host": host})
    browser.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    return browser


def test_a_reseller_has_a_brand_and_an_opaque_address_from_the_start(neutral: Cast) -> None:
    brand = brand_of(neutral.sub_reseller.organization)
    label, _dot, domain = brand.neutral_host.partition(".")
    assert (brand.name, brand.panel_host, domain) == ("Sub of A", "", DOMAIN)
    assert label.isalpha()
    assert len(label) == 12
    assert brand.nameservers == ["ns1.reseller-a.example", "ns2.reseller-a.example"]
    page = Client(headers={"host": brand.neutral_host}).get("/sign-in/")
    assert page.status_code == 200
    assert "Sub of A" in page.content.decode()
    assert [name for name in ABOVE if name in page.content.decode()] == []
    assert Client(headers={"host": f"other.{DOMAIN}"}).get("/sign-in/").status_code == 400


def test_clients_of_a_brand_without_a_host_of_its_own_live_at_the_neutral_one(neutral: Cast) -> None:
    host = brand_of(neutral.sub_reseller.organization).neutral_host
    email = neutral.client_sub.user.email
    assert sign_in(HOST_A, email).get("/api/v1/me").status_code == 401
    browser = sign_in(host, email)
    for url in ("/", reverse("accounts:profile"), reverse("accounts:member_list"), reverse("dashboard:activity")):
        page = browser.get(url, follow=True)
        assert page.status_code == 200
        assert [name for name in ABOVE if name in page.content.decode()] == [], url


def test_links_in_mail_lead_to_the_neutral_host_until_one_of_its_own_is_proved(
    neutral: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    sub, actor = neutral.sub_reseller.organization, neutral.sub_reseller.actor
    brand = brand_of(sub)
    assert selectors.base_url(brand) == f"https://{brand.neutral_host}"
    with tenant(actor.path), django_capture_on_commit_callbacks(execute=True):
        invitations.create(actor=actor, organization=neutral.client_sub.organization, email="n@x.example", role="owner")
    text = mail.outbox[-1].message().as_string()
    assert f"https://{brand.neutral_host}/invitations/" in str(mail.outbox[-1].body)
    assert [name for name in ABOVE[:4] if name in text] == []
    with everything("test"):
        own = brands.set(actor=SYSTEM, organization=sub, panel_host="panel.sub.example")
    assert selectors.base_url(own) == "https://panel.sub.example"
    for host in (brand.neutral_host, "panel.sub.example"):
        assert sign_in(host, neutral.client_sub.user.email).get("/api/v1/me").status_code == 200


def test_the_owner_that_a_new_reseller_invites_joins_at_its_parent_s_and_its_clients_at_its_own(
    neutral: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    with tenant(neutral.provider.actor.path), django_capture_on_commit_callbacks(execute=True):
        made = onboarding.reseller(
            actor=neutral.provider.actor,
            parent=neutral.provider.organization,
            name="New",
            email="new@x.example",
            person="New",
        )
    assert "https://localhost/invitations/" in str(mail.outbox[-1].body)
    with everything("test"):
        client = organizations.create_client(actor=SYSTEM, parent=made, name="First")
        person = users.create(
            actor=SYSTEM, organization=client, email="f@x.example", name="F", role="owner", password=PASSWORD
        )
    assert person.brand_root_id == made.id
    assert sign_in(brand_of(made).neutral_host, "f@x.example").get("/api/v1/me").status_code == 200


def test_an_installation_that_gets_a_neutral_domain_gives_everybody_an_address_and_moves_people(
    cast: Cast, settings: Any
) -> None:
    assert User.objects.get(pk=cast.client_sub.user.pk).brand_root_id == cast.reseller_a.organization.id
    settings.NEUTRAL_PANEL_DOMAIN = DOMAIN
    with everything("test"):
        brand_hosts.give_neutral_hosts()
    sub, own = brand_of(cast.sub_reseller.organization), brand_of(cast.reseller_a.organization)
    assert User.objects.get(pk=cast.client_sub.user.pk).brand_root_id == cast.sub_reseller.organization.id
    assert User.objects.get(pk=cast.client_a.user.pk).brand_root_id == cast.reseller_a.organization.id
    assert (own.panel_host, own.neutral_host.endswith(f".{DOMAIN}")) == (HOST_A, True)
    assert sign_in(sub.neutral_host, cast.client_sub.user.email).get("/api/v1/me").status_code == 200
    assert sign_in(HOST_A, cast.sub_reseller.user.email).get("/api/v1/me").status_code == 200
    with everything("test"):
        brand_hosts.give_neutral_hosts()
    assert brand_of(cast.sub_reseller.organization).neutral_host == sub.neutral_host
    assert brand_of(cast.provider.organization).neutral_host == ""


def test_another_neutral_domain_gives_new_addresses_and_the_old_ones_lead_there(neutral: Cast, settings: Any) -> None:
    before = brand_of(neutral.sub_reseller.organization).neutral_host
    settings.NEUTRAL_PANEL_DOMAIN = "doors.neutral.example"
    with everything("test"):
        brand_hosts.give_neutral_hosts()
    after = brand_of(neutral.sub_reseller.organization).neutral_host
    assert after.endswith(".doors.neutral.example")
    assert Client(headers={"host": before}).get("/sign-in/").headers["location"] == f"https://{after}/sign-in/"
    with everything("test"):
        assert OldHost.objects.filter(host=before).exists()


def test_a_brand_that_is_refused_an_address_keeps_nobody_else_from_one(cast: Cast, settings: Any) -> None:
    settings.NEUTRAL_PANEL_DOMAIN = DOMAIN
    wrong = Brand._base_manager.filter(organization=cast.reseller_a.organization)
    wrong.update(primary_color="blue")
    with everything("test"), capture_logs() as told:
        brand_hosts.give_neutral_hosts()
    assert wrong.get().neutral_host == ""
    assert brand_of(cast.reseller_b.organization).neutral_host.endswith(f".{DOMAIN}")
    assert brand_of(cast.sub_reseller.organization).neutral_host.endswith(f".{DOMAIN}")
    assert [row["organization"] for row in told if row["log_level"] == "warning"] == [cast.reseller_a.organization.pk]


def test_who_comes_second_with_an_address_leaves_the_one_that_is_there(neutral: Cast) -> None:
    before = brand_of(neutral.sub_reseller.organization).neutral_host
    with everything("test"):
        brand = brands.take_neutral_host(actor=SYSTEM, organization=neutral.sub_reseller.organization)
        assert not OldHost.objects.filter(host=before).exists()
    assert brand.neutral_host == brand_of(neutral.sub_reseller.organization).neutral_host == before


@pytest.mark.parametrize("field", ["panel_host", "mail_host"])
def test_names_below_the_neutral_domain_are_nobody_s_to_take(neutral: Cast, field: str) -> None:
    for host in (DOMAIN, f"mine.{DOMAIN}", brand_of(neutral.reseller_b.organization).neutral_host):
        with tenant(neutral.reseller_a.actor.path), pytest.raises(DomainError) as refused:
            brands.set(actor=neutral.reseller_a.actor, organization=neutral.reseller_a.organization, **{field: host})
        assert refused.value.field == field


@pytest.mark.parametrize("name", [f"site.{DOMAIN}", DOMAIN, "neutral.example"])
def test_no_account_takes_a_domain_that_neutral_hosts_live_on(neutral: Cast, name: str) -> None:
    with tenant(neutral.client_a.actor.path), pytest.raises(DomainError) as refused:
        domains.refuse_platform(actor=neutral.client_a.actor, name=name, field="domain")
    assert refused.value.code == "reserved"


@pytest.mark.parametrize(
    ("domain", "problems"), [("", 0), (DOMAIN, 0), ("no domain", 1), ("Ä.example", 1), ("localhost", 1)]
)
def test_a_neutral_domain_that_cannot_be_one_is_told_at_the_start(settings: Any, domain: str, problems: int) -> None:
    settings.NEUTRAL_PANEL_DOMAIN = domain
    assert len(checks.neutral_panel_domain()) == problems


SHARED = ["ns1.platform.example", "ns2.platform.example"]


@pytest.mark.parametrize(
    ("given", "problems"), [([], 0), (SHARED, 0), (SHARED[:1], 1), ([SHARED[0]] * 2, 1), (["no host", SHARED[0]], 1)]
)
def test_shared_name_servers_that_cannot_be_some_are_told_at_the_start(
    settings: Any, given: list[str], problems: int
) -> None:
    settings.NEUTRAL_NAMESERVERS = given
    assert len(checks.neutral_nameservers()) == problems


def test_new_brands_begin_with_name_servers_that_name_nobody(db: None, settings: Any) -> None:
    """Also below one that has its own, and anybody may go back to them; as a host of a panel they are nobody's."""
    settings.NEUTRAL_PANEL_DOMAIN, settings.NEUTRAL_NAMESERVERS = DOMAIN, SHARED
    cast = make()
    assert brand_of(cast.sub_reseller.organization).nameservers == SHARED
    for person in (cast.reseller_a, cast.reseller_b):
        with tenant(person.actor.path):
            brands.set(actor=person.actor, organization=person.organization, nameservers=SHARED)
    with tenant(cast.reseller_b.actor.path), pytest.raises(DomainError) as refused:
        brands.set(actor=cast.reseller_b.actor, organization=cast.reseller_b.organization, mail_host=SHARED[0])
    assert refused.value.code == "name_taken"


@pytest.mark.parametrize("since", [[], SHARED])
def test_a_first_host_of_its_own_still_brings_name_servers_of_its_own(
    neutral: Cast, settings: Any, since: list[str]
) -> None:
    settings.NEUTRAL_NAMESERVERS = since
    with tenant(neutral.reseller_a.actor.path):
        brand = brands.set(
            actor=neutral.reseller_a.actor, organization=neutral.sub_reseller.organization, panel_host="my.sub.co.uk"
        )
    assert brand.nameservers == ["ns1.sub.co.uk", "ns2.sub.co.uk"]


def test_the_page_shows_the_address_and_tells_the_provider_when_there_is_no_neutral_domain(
    neutral: Cast, settings: Any
) -> None:
    sub = neutral.sub_reseller.organization
    url = reverse("accounts:reseller_brand_host", args=[sub.pk])
    page = neutral.reseller_a.browser().get(url).content.decode()
    assert brand_of(sub).neutral_host in page
    answer = neutral.reseller_a.program().get(f"/api/v1/organizations/{sub.pk}/brand").json()
    assert answer["neutral_host"] == brand_of(sub).neutral_host
    assert DOMAIN in neutral.provider.browser().get(reverse("accounts:brand_host")).content.decode()
    new = reverse("accounts:reseller_create")
    assert "no neutral domain" not in neutral.provider.browser().get(new).content.decode()
    settings.NEUTRAL_PANEL_DOMAIN = ""
    assert "no neutral domain" in neutral.provider.browser().get(new).content.decode()
    told = "HOSTWRIGHT_NEUTRAL_PANEL_DOMAIN"
    assert told in neutral.provider.browser().get(reverse("accounts:brand_host")).content.decode()
    Brand._base_manager.filter(organization=sub).update(neutral_host="")
    assert told not in neutral.reseller_a.browser().get(url).content.decode()
