"""Sites and their names by program."""

from __future__ import annotations

import pytest

from panel.core.scoping import everything
from provisioning.models import Domain, Site
from tests.provisioning.api.conftest import Program, Stage, trace


@pytest.fixture
def program(stage: Stage) -> Program:
    return stage.program("client_a")


@pytest.fixture
def site(stage: Stage) -> str:
    with everything("test"):
        return f"/sites/{Site.objects.get(hosting=stage.account_a).pk}"


def test_a_site_shows_its_names(stage: Stage, program: Program, site: str):
    shown = program.get(site)
    assert shown["account"] == stage.account_a.pk
    assert (shown["docroot"], shown["php_version"]) == ("public_html", "8.4")
    assert {name["hostname"]: name["kind"] for name in shown["names"]} == {
        "a-example.org": "primary",
        "www.a-example.org": "www",
    }
    assert shown.pop("php_choices") == [{"version": "8.4", "possible": True, "code": "", "reason": "", "remedy": ""}]
    assert program.get(f"/accounts/{stage.account_a.pk}/sites")["items"] == [shown]


def test_aliases_come_and_go(stage: Stage, program: Program, site: str):
    below = program.post(f"{site}/aliases", {"hostname": "Shop.A-Example.org"})["alias"]
    own = program.post(f"{site}/aliases", {"hostname": "m\u00fcller-example.org"})["alias"]
    assert (below["hostname"], below["kind"]) == ("shop.a-example.org", "alias")
    assert own["hostname"] == "xn--mller-example-wob.org"
    assert len(program.get(f"{site}/aliases")["items"]) == 4
    assert len(program.get(f"/accounts/{stage.account_a.pk}/zones")["items"]) == 2
    program.delete(f"{site}/aliases/{own['id']}")
    program.delete(f"{site}/aliases/{below['id']}")
    assert len(program.get(f"{site}/aliases")["items"]) == 2
    assert len(program.get(f"/accounts/{stage.account_a.pk}/zones")["items"]) == 1


REFUSED = [
    ("*.b-example.org", 400),
    ("*.a-example.org", 400),
    ("shop.org;id", 400),
    ("-oProxyCommand=x", 400),
    ("a.org\n", 400),
    ("a_b.example.org", 400),
    ("co.uk", 400),
    ("gmail.com", 400),
    ("panel.reseller-b.example", 400),
    ("{{7*7}}.example.org", 400),
    ("", 400),
    (None, 400),
    ("b-example.org", 409),
    ("sub.b-example.org", 409),
    ("B-EXAMPLE.org.", 409),
    ("www.a-example.org", 409),
    ("a-example.org", 409),
]


def test_refused_aliases_leave_nothing(program: Program, site: str, subtests: pytest.Subtests):
    before, domains = trace(), Domain._base_manager.count()
    for hostname, status in REFUSED:
        with subtests.test(repr(hostname)):
            assert program.post(f"{site}/aliases", {"hostname": hostname}, status)["field"] == "hostname"
            assert trace() == before
            assert Domain._base_manager.count() == domains
    assert (
        program.post(f"{site}/aliases", {"hostname": "x.a-example.org", "docroot": "../b"}, 400)["field"] == "docroot"
    )


def test_its_own_names_stay(program: Program, site: str):
    before = trace()
    for name in program.get(site)["names"]:
        assert program.delete(f"{site}/aliases/{name['id']}", 400)["code"] == "not_an_alias"
    assert trace() == before


def test_sites_of_others_are_not_there(stage: Stage, program: Program, site: str):
    made = program.post(f"{site}/aliases", {"hostname": "shop.a-example.org"})["alias"]
    stranger = stage.program("client_b")
    with everything("test"):
        theirs = f"/sites/{Site.objects.get(hosting=stage.account_b).pk}"
    before = trace()
    stranger.get(site, 404)
    stranger.post(f"{site}/aliases", {"hostname": "x.a-example.org"}, 404)
    stranger.delete(f"{site}/aliases/{made['id']}", 404)
    stranger.delete(f"{theirs}/aliases/{made['id']}", 404)
    stage.program("readonly_a").delete(f"{site}/aliases/{made['id']}", 403)
    assert trace() == before
