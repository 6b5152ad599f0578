"""Panel hosts: nobody uses one before it is proved, and none that is somebody else's; unknown hosts name nobody."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from accounts import host_proof
from accounts.host_proof import Found
from accounts.models import Brand, HostClaim, Organization, ResellerPlan, User
from accounts.selectors import brands as selectors
from accounts.services import brand_hosts, brands
from panel.core import public_dns
from panel.core.actors import Actor
from panel.core.errors import Conflict, DomainError, Forbidden, Invalid
from panel.core.scoping import everything, tenant
from tests.cast import HOST_A, HOST_B, Cast, Person, make

NEW = "login.atelier.example"


def want(someone: Person, host: str, **values: object) -> Brand:
    """Give somebody's brand a panel host."""
    with tenant(someone.actor.path):
        return brands.set(actor=someone.actor, organization=someone.organization, panel_host=host, **values)


def claim_of(someone: Person) -> HostClaim:
    """Return the claim of somebody's brand."""
    with everything("test"):
        return HostClaim.objects.get(brand__organization=someone.organization)


def check(someone: Person) -> Brand:
    """Look whether the claimed host is theirs."""
    with tenant(someone.actor.path):
        return brand_hosts.check(actor=someone.actor, organization=someone.organization)


def status(host: str, path: str = "/sign-in/") -> int:
    """Return what a stranger gets at a host."""
    return Client(headers={"host": host}).get(path).status_code


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The public DNS: texts and addresses by name."""
    known: dict[str, list[str]] = {}
    monkeypatch.setattr(public_dns, "texts", lambda name: known.get(name, []))
    monkeypatch.setattr(public_dns, "addresses", lambda host: known.get(host, []))
    return known


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets the panel itself answer at an address, as it does when a host leads there."""
    here: list[str] = []

    def ask(address: str, host: str, token: str) -> str:
        if address not in here:
            return ""
        answer = Client(headers={"host": host}).get(f"{host_proof.PATH}{token}")
        return answer.content.decode() if answer.status_code == 200 else ""

    monkeypatch.setattr(host_proof, "_answer", ask)
    return here.append


def test_a_host_waits_until_a_txt_record_proves_it(cast: Cast, dns: dict[str, list[str]]) -> None:
    brand = want(cast.reseller_a, NEW)
    assert brand.panel_host == HOST_A
    assert (status(NEW), status(HOST_A)) == (400, 200)
    assert check(cast.reseller_a).panel_host == HOST_A
    claim = claim_of(cast.reseller_a)
    assert claim.problem
    dns[claim.record_name] = ["v=spf1 -all", claim.record_content]
    proved = check(cast.reseller_a)
    assert (proved.panel_host, proved.panel_host_proof) == (NEW, Brand.Proof.TXT)
    assert (status(NEW), status(HOST_A)) == (200, 302)
    assert selectors.base_url(proved) == f"https://{NEW}"


def test_a_host_that_leads_here_proves_itself(
    cast: Cast, dns: dict[str, list[str]], answers: Callable[[str], None], settings: Any
) -> None:
    settings.PANEL_ADDRESSES = ["198.51.100.7"]
    want(cast.reseller_a, NEW)
    dns[NEW] = ["198.51.100.7"]
    assert check(cast.reseller_a).panel_host == HOST_A
    answers("198.51.100.7")
    assert check(cast.reseller_a).panel_host_proof == Brand.Proof.HTTP


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "fd00::1", "198.51.100.7"])
def test_no_private_address_is_asked(
    cast: Cast, dns: dict[str, list[str]], answers: Callable[[str], None], address: str
) -> None:
    want(cast.reseller_a, NEW)
    dns[NEW] = [address]
    answers(address)
    assert check(cast.reseller_a).panel_host == HOST_A
    assert address in claim_of(cast.reseller_a).problem


def test_what_two_brands_want_is_proved_by_txt_alone_and_the_first_to_prove_it_has_it(
    cast: Cast, dns: dict[str, list[str]], answers: Callable[[str], None], settings: Any
) -> None:
    settings.PANEL_ADDRESSES = ["198.51.100.7"]
    want(cast.reseller_a, NEW)
    want(cast.reseller_b, NEW)
    dns[NEW] = ["198.51.100.7"]
    answers("198.51.100.7")
    assert check(cast.reseller_b).panel_host == HOST_B
    claim = claim_of(cast.reseller_a)
    dns[claim.record_name] = [claim.record_content]
    assert check(cast.reseller_b).panel_host == HOST_B
    assert check(cast.reseller_a).panel_host == NEW
    theirs = claim_of(cast.reseller_b)
    dns[theirs.record_name] = [theirs.record_content]
    with pytest.raises(Conflict) as refused:
        check(cast.reseller_b)
    assert "Atelier" not in refused.value.message


def test_the_token_is_told_to_who_has_it_only(cast: Cast) -> None:
    want(cast.reseller_a, NEW)
    token = claim_of(cast.reseller_a).token
    assert status(NEW, f"{host_proof.PATH}{token}") == 200
    assert status(NEW, f"{host_proof.PATH}{token[:-1]}") == 400
    assert status("other.example", f"{host_proof.PATH}{token}") == 400
    assert Client(headers={"host": NEW}).post(f"{host_proof.PATH}{token}").status_code == 400


@pytest.mark.parametrize("field", ["panel_host", "mail_host", "nameservers"])
@pytest.mark.parametrize(
    "host", [HOST_B, "mail.reseller-b.example", "ns1.reseller-b.example", "localhost.localhost", "co.uk", "x.gmail.com"]
)
def test_g4_names_of_others_and_of_nobody_are_refused(cast: Cast, field: str, host: str) -> None:
    value = [host, "ns9.atelier.example"] if field == "nameservers" else host
    with tenant(cast.reseller_a.actor.path), pytest.raises(DomainError) as refused:
        brands.set(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, **{field: value})
    assert isinstance(refused.value, Invalid | Conflict)
    assert refused.value.field == field
    assert "Bureau" not in refused.value.message


def test_name_servers_of_the_brand_above_may_be_shared(cast: Cast) -> None:
    with tenant(cast.reseller_a.actor.path):
        brand = brands.set(
            actor=cast.reseller_a.actor,
            organization=cast.sub_reseller.organization,
            nameservers=["ns1.reseller-a.example", "ns2.reseller-a.example"],
        )
    assert brand.nameservers[0] == "ns1.reseller-a.example"


def test_a_plan_without_name_servers_of_its_own_leaves_those_of_the_brand_above(cast: Cast) -> None:
    with everything("test"):
        plan = ResellerPlan.objects.create(
            organization=cast.provider.organization, name="Small", private_nameservers=False
        )
        Organization.objects.filter(pk=cast.reseller_a.organization.pk).update(plan=plan)
    with tenant(cast.reseller_a.actor.path):
        with pytest.raises(Invalid) as refused:
            brands.set(
                actor=cast.reseller_a.actor,
                organization=cast.reseller_a.organization,
                nameservers=["ns7.reseller-a.example", "ns8.reseller-a.example"],
            )
        assert (refused.value.code, refused.value.field) == ("private_nameservers", "nameservers")
        shared = ["ns1.northwind.example", "ns2.northwind.example"]
        brand = brands.set(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, nameservers=shared)
    assert brand.nameservers == shared


def test_a_host_is_changed_and_never_just_taken_away(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        want(cast.reseller_a, "")
    assert refused.value.field == "panel_host"


def test_a_first_host_brings_the_usual_names_and_its_people_only_once_it_is_proved(
    cast: Cast, dns: dict[str, list[str]]
) -> None:
    with tenant(cast.reseller_a.actor.path):
        brand = brands.set(
            actor=cast.reseller_a.actor, organization=cast.sub_reseller.organization, panel_host="my.sub-brand.co.uk"
        )
    assert brand.nameservers == ["ns1.sub-brand.co.uk", "ns2.sub-brand.co.uk"]
    assert (brand.mail_host, brand.hostmaster) == ("mail.sub-brand.co.uk", "hostmaster@sub-brand.co.uk")
    assert User.objects.get(pk=cast.client_sub.user.pk).brand_root_id == cast.reseller_a.organization.id
    assert selectors.base_url(brand) == f"https://{HOST_A}"
    claim = claim_of(cast.sub_reseller)
    dns[claim.record_name] = [claim.record_content]
    with tenant(cast.reseller_a.actor.path):
        brand_hosts.check(actor=cast.reseller_a.actor, organization=cast.sub_reseller.organization)
    assert User.objects.get(pk=cast.client_sub.user.pk).brand_root_id == cast.sub_reseller.organization.id


def test_the_provider_vouches_and_nobody_else(cast: Cast) -> None:
    want(cast.reseller_a, NEW)
    with tenant(cast.reseller_a.actor.path), pytest.raises(Forbidden):
        brand_hosts.vouch(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization)
    with tenant(cast.provider.actor.path):
        brand = brand_hosts.vouch(actor=cast.provider.actor, organization=cast.reseller_a.organization)
    assert (brand.panel_host, brand.panel_host_proof) == (NEW, Brand.Proof.VOUCHED)


def test_a_claim_can_be_given_up(cast: Cast) -> None:
    want(cast.reseller_a, NEW)
    page = cast.reseller_a.browser().get("/brand/host/").content.decode()
    assert f"_panel-host.{NEW}" in page
    assert cast.reseller_a.browser().post("/brand/host/withdraw/").status_code == 302
    with everything("test"):
        assert not HostClaim.objects.exists()


def test_other_changes_leave_a_claim_and_the_host_in_use_ends_it(cast: Cast) -> None:
    want(cast.reseller_a, NEW)
    token = claim_of(cast.reseller_a).token
    with tenant(cast.reseller_a.actor.path):
        brands.set(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, footer="Foot")
    want(cast.reseller_a, NEW, name="Atelier")
    assert claim_of(cast.reseller_a).token == token
    want(cast.reseller_a, HOST_A)
    with everything("test"):
        assert not HostClaim.objects.exists()


def test_claims_are_looked_at_by_themselves(cast: Cast, dns: dict[str, list[str]]) -> None:
    want(cast.reseller_a, NEW)
    claim = claim_of(cast.reseller_a)
    dns[claim.record_name] = [claim.record_content]
    with everything("test"):
        brand_hosts.check_due()
        assert Brand.objects.get(organization=cast.reseller_a.organization).panel_host == NEW


def test_a_look_that_comes_too_late_changes_nothing(cast: Cast) -> None:
    want(cast.reseller_a, NEW)
    old = claim_of(cast.reseller_a)
    want(cast.reseller_a, "other.atelier.example")
    with everything("test"):
        brand = brand_hosts.settle(actor=Actor.system("test"), claim=old, found=Found(Brand.Proof.TXT))
        assert Brand.objects.get(pk=brand.pk).panel_host == HOST_A


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/sign-in/",
        "/robots.txt",
        "/favicon.ico",
        "/brand.css",
        "/brand/icon.svg",
        "/api/v1/me",
        "/api/schema/",
        "/api/docs/",
        "/nothing",
        "/static/nothing.css",
        "/.well-known/panel-host/x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_an_unknown_host_names_nobody(cast: Cast, path: str, method: str) -> None:
    answer = Client(headers={"host": "unknown.example"}).generic(method, path)
    assert answer.status_code in (400, 404, 405)
    everything_said = f"{answer.headers} {answer.cookies} ".encode() + b"".join(
        answer.streaming_content if answer.streaming else [answer.content]  # type: ignore[attr-defined]
    )
    for name in (b"Atelier", b"Bureau", b"Northwind", b"reseller-a", b"localhost", b"Set-Cookie"):
        assert name.lower() not in everything_said.lower()


def test_the_host_is_asked_over_http_at_its_address(
    live_server: LiveServer, dns: dict[str, list[str]], settings: Any
) -> None:
    cast = make()
    settings.PANEL_ADDRESSES, settings.PANEL_SCHEME = ["127.0.0.1"], "http"
    settings.PANEL_PORT = str(live_server.thread.port)
    want(cast.reseller_a, NEW)
    dns[NEW] = ["127.0.0.1"]
    assert check(cast.reseller_a).panel_host_proof == Brand.Proof.HTTP
