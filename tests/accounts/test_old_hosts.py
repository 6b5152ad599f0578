"""Replaced panel hosts: for two weeks they lead to the new one, nobody else gets them, then they are released."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import host_proof
from accounts.host_proof import Found
from accounts.models import Brand, HostClaim, OldHost
from accounts.services import brand_hosts, brands, old_hosts
from panel.core.actors import Actor
from panel.core.errors import Conflict
from panel.core.models import AuditEntry
from panel.core.scoping import everything, tenant
from provisioning.tasks import check_brands
from tests.cast import HOST_A, PASSWORD, Cast

NEW = "login.atelier.example"
SYSTEM = Actor.system("test")


@pytest.fixture
def moved(cast: Cast) -> Cast:
    """The cast, after reseller A's panel moved from HOST_A to NEW."""
    with everything("test"):
        brands.set(actor=SYSTEM, organization=cast.reseller_a.organization, panel_host=NEW)
    return cast


def at(host: str) -> Client:
    """Return a stranger's browser at a host."""
    return Client(headers={"host": host})


def kept() -> list[str]:
    """Return the hosts that are kept."""
    with everything("test"):
        return list(OldHost.objects.values_list("host", flat=True))


@pytest.mark.parametrize(
    "path", ["/", "/sign-in/?next=/accounts/", "/%2F/evil.example/", "//evil.example/..", "/api/v1/me", "/nothing"]
)
def test_readers_are_led_to_the_same_page_at_the_host_in_use(moved: Cast, path: str) -> None:
    answer = at(HOST_A).get(path)
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"https://{NEW}/")
    assert not answer.cookies


def test_only_reading_is_led_and_nothing_of_the_request_chooses_where(moved: Cast) -> None:
    assert at(HOST_A).get("/sign-in/?a=1&b=%C3%A4").headers["location"] == f"https://{NEW}/sign-in/?a=1&b=%C3%A4"
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = at(HOST_A).generic(method, "/sign-in/")
        assert (answer.status_code, b"telier" in answer.content) == (400, False)
    forwarded = at(HOST_A).get("/", headers={"host": HOST_A, "x-forwarded-host": "evil.example"})
    assert forwarded.headers["location"] == f"https://{NEW}/"


def test_people_sign_in_anew_at_the_new_host(cast: Cast) -> None:
    browser = at(HOST_A)
    browser.post(reverse("account_login"), {"login": cast.client_a.user.email, "password": PASSWORD})
    assert browser.get("/api/v1/me").status_code == 200
    with everything("test"):
        brands.set(actor=SYSTEM, organization=cast.reseller_a.organization, panel_host=NEW)
    assert browser.get("/", follow=False).headers["location"] == f"https://{NEW}/"
    anew = at(NEW)
    assert anew.get("/api/v1/me").status_code == 401
    anew.post(reverse("account_login"), {"login": cast.client_a.user.email, "password": PASSWORD})
    assert anew.get("/api/v1/me").status_code == 200


def test_nobody_else_gets_it_meanwhile_and_anybody_afterwards(moved: Cast) -> None:
    someone = moved.reseller_b
    with tenant(someone.actor.path), pytest.raises(Conflict) as refused:
        brands.set(actor=someone.actor, organization=someone.organization, panel_host=HOST_A)
    assert "Atelier" not in refused.value.message
    with everything("test"):
        OldHost.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert at(HOST_A).get("/").status_code == 400
    check_brands()
    assert kept() == []
    with tenant(someone.actor.path):
        brands.set(actor=someone.actor, organization=someone.organization, panel_host=HOST_A)


def test_a_claim_from_before_does_not_get_it_either(cast: Cast) -> None:
    with everything("test"):
        brand = Brand.objects.get(organization=cast.reseller_b.organization)
        claim = HostClaim.objects.create(brand=brand, host=HOST_A, token="t" * 32)
        brands.set(actor=SYSTEM, organization=cast.reseller_a.organization, panel_host=NEW)
        with pytest.raises(Conflict):
            brand_hosts.settle(actor=SYSTEM, claim=claim, found=host_proof.Found(Brand.Proof.TXT))


def test_it_lasts_two_weeks_and_the_page_says_until_when(moved: Cast) -> None:
    with everything("test"):
        old = OldHost.objects.get()
    assert timedelta(days=14) == old_hosts.GRACE
    assert abs(old.until - timezone.now() - old_hosts.GRACE) < timedelta(minutes=5)
    page = moved.reseller_a.browser()
    page.defaults["HTTP_HOST"] = NEW
    text = page.get("/brand/host/").content.decode()
    assert HOST_A in text
    assert old.until.isoformat() in text


def test_it_can_be_ended_at_once_by_page_and_program(moved: Cast) -> None:
    with everything("test"):
        old = OldHost.objects.get()
    browser = moved.reseller_a.browser()
    browser.defaults["HTTP_HOST"] = NEW
    url = reverse("accounts:brand_old_host_end", args=[moved.reseller_a.organization.pk, old.pk])
    assert HOST_A in browser.get(url).content.decode()
    assert browser.post(url).status_code == 302
    assert kept() == []
    assert at(HOST_A).get("/").status_code == 400
    with everything("test"):
        assert AuditEntry.objects.filter(action="brand.release_host").count() == 1
        brands.set(actor=SYSTEM, organization=moved.reseller_a.organization, panel_host="third.atelier.example")
        second = OldHost.objects.get()
    program = moved.provider.program()
    url = f"/api/v1/organizations/{moved.reseller_a.organization.pk}/brand"
    assert [row["host"] for row in program.get(url).json()["old_hosts"]] == [NEW]
    assert program.delete(f"{url}/old-hosts/{second.pk}").json()["old_hosts"] == []
    assert program.delete(f"{url}/old-hosts/{second.pk}").status_code == 404


def test_a_host_that_is_taken_back_is_in_use_and_the_other_is_kept(moved: Cast) -> None:
    with everything("test"):
        brands.set(actor=SYSTEM, organization=moved.reseller_a.organization, panel_host=HOST_A)
    assert kept() == [NEW]
    assert at(NEW).get("/").headers["location"] == f"https://{HOST_A}/"
    assert at(HOST_A).get("/sign-in/").status_code == 200
    with everything("test"):
        brands.set(actor=SYSTEM, organization=moved.reseller_a.organization, panel_host="third.atelier.example")
    assert {at(host).get("/").headers["location"] for host in (NEW, HOST_A)} == {"https://third.atelier.example/"}


def test_a_look_that_proves_a_new_host_keeps_the_old_one(cast: Cast) -> None:
    someone = cast.reseller_a
    with tenant(someone.actor.path):
        brands.set(actor=someone.actor, organization=someone.organization, panel_host=NEW)
        claim = HostClaim.objects.get()
        brand_hosts.settle(actor=someone.actor, claim=claim, found=Found(Brand.Proof.TXT))
    assert kept() == [HOST_A]
