"""Servers and addresses by program: the provider's alone."""

from __future__ import annotations

from typing import Any

import asyncssh
import pytest

from accounts.services import brands
from panel.core import public_dns
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import Server
from provisioning.services import servers as service
from tests.provisioning.api.conftest import Program, Stage, trace


@pytest.fixture
def program(stage: Stage) -> Program:
    return stage.program("provider")


def new(**values: Any) -> dict[str, Any]:
    return {"name": "web9", "platform_name": "web9.platform.example", "host": "203.0.113.20", **values}


def test_a_server_is_added_confirmed_and_set_up(stage: Stage, program: Program):
    response = program.send("POST", "/servers", new(stack="nginx", roles=["dns", "web"]))
    assert response.status_code == 201
    made, path = response.json(), response["Location"]
    assert (made["state"], made["port"], made["stack"], made["roles"]) == ("new", 22, "nginx", ["web", "dns"])
    assert made["public_key"].startswith("ssh-ed25519 ")
    assert "PRIVATE" not in str(made)
    assert program.post(f"{path}/bootstrap", status=409)["code"] == "not_ready"
    assert program.post(f"{path}/confirm-host-key", {"fingerprint": "SHA256:x"}, 409)["code"] == "not_waiting"
    assert program.send("POST", f"{path}/fetch-host-key", {})["Location"] == path
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    service.offer_host_key(server_id=made["id"], host_key=key)
    shown = program.get(path)["fingerprint"]
    assert shown.startswith("SHA256:")
    before = trace()
    assert program.post(f"{path}/confirm-host-key", {"fingerprint": "SHA256:other"}, 409)["code"] == "host_key_changed"
    assert program.post(f"{path}/confirm-host-key", {}, 400)["field"] == "fingerprint"
    assert trace() == before
    assert program.post(f"{path}/confirm-host-key", {"fingerprint": shown}, 200)["state"] == "confirmed"
    started = program.send("POST", f"{path}/bootstrap", {"password": "a-root-password"})
    assert started.status_code == 202
    assert "a-root-password" not in started.content.decode()
    assert program.get(path)["state"] == "preparing"
    assert program.get(started["Location"])["server"] == made["id"]


REFUSED = [
    ({}, "name"),
    (new(name=""), "name"),
    (new(name="two\nlines"), "name"),
    (new(platform_name="one"), "platform_name"),
    (new(platform_name="a;b.example"), "platform_name"),
    (new(host="-oProxyCommand=x"), "host"),
    (new(host="$(id)"), "host"),
    (new(host="a b"), "host"),
    (new(host="203.0.113.20\n"), "host"),
    (new(port=0), "port"),
    (new(port=65536), "port"),
    (new(port="22"), "port"),
    (new(transport="telnet"), "transport"),
    (new(stack="iis"), "stack"),
    (new(roles=["root"]), "roles.0"),
    (new(roles=[]), "roles"),
    (new(roles="web"), "roles"),
    (new(organization="org_x"), "organization"),
    (new(state="ready"), "state"),
    (new(key="x"), "key"),
]


def test_refused_servers_leave_nothing(stage: Stage, program: Program, subtests: pytest.Subtests):
    before = trace()
    for body, field in REFUSED:
        with subtests.test(repr(body)):
            assert program.post("/servers", body, 400)["field"] == field
            assert trace() == before
            assert Server.objects.count() == 1
    assert program.post("/servers", new(name="web1"), 409)["field"] == "name"
    assert Server.objects.count() == 1


def test_a_change_of_the_stack_reaches_every_account(stage: Stage, program: Program):
    path = f"/servers/{stage.server.pk}"
    assert program.patch(path, {"stack": "nginx"}, 200)["stack"] == "nginx"
    newest = program.get("/operations?q=web1")["items"][0]
    assert newest["verb"] == "server.change"
    assert [target["slices"] for target in program.get(newest["url"])["targets"]] == [3]
    before = trace()
    assert program.patch(path, {"roles": ["web"]}, 409)["code"] == "in_use"
    assert program.patch(path, {"host": "203.0.113.99"}, 400)["field"] == "host"
    assert program.patch(path, {"closed": "yes"}, 400)["field"] == "closed"
    assert trace() == before
    assert program.patch(path, {"closed": True}, 200)["closed"] is True
    assert program.get(path)["account_count"] == 2


def test_reconcile(stage: Stage, program: Program):
    made = program.post(f"/servers/{stage.server.pk}/reconcile")["operation"]
    assert (made["verb"], made["server"]) == ("server.reconcile", stage.server.pk)
    assert program.post(f"/servers/{stage.server.pk}/reconcile", {"force": 1}, 400)["field"] == "force"


def test_addresses_come_and_go(stage: Stage, program: Program):
    path = f"/servers/{stage.server.pk}/addresses"
    response = program.send("POST", path, {"ip": "2001:DB8::0:5", "kind": "dedicated", "public_ip": None})
    assert response.status_code == 201
    made = response.json()
    assert (made["ip"], made["family"], made["kind"]) == ("2001:db8::5", 6, "dedicated")
    assert program.get(response["Location"]) == made
    assert len(program.get(path)["items"]) == 2
    program.delete(response["Location"], 204)
    shared = program.get(path)["items"][0]
    before = trace()
    assert program.delete(f"{path}/{shared['id']}", 409)["code"] == "in_use"
    for body, field, status in [
        ({"ip": "198.51.100.2"}, "ip", 409),
        ({"ip": "198.51.100.300"}, "ip", 400),
        ({"ip": "198.51.100.0/24"}, "ip", 400),
        ({"ip": "::ffff:127.0.0.1"}, "ip", 400),
        ({"ip": "fe80::1%eth0"}, "ip", 400),
        ({"ip": "198.51.100.9\n"}, "ip", 400),
        ({"ip": "198.51.100.9", "public_ip": "2001:db8::1"}, "public_ip", 400),
        ({"ip": "198.51.100.9", "kind": "mine"}, "kind", 400),
        ({"ip": "198.51.100.9", "hosting": stage.account_a.pk}, "hosting", 400),
    ]:
        assert program.post(path, body, status)["field"] == field
    assert trace() == before


def test_an_address_is_given_looked_up_and_taken_back(stage: Stage, program: Program, monkeypatch: pytest.MonkeyPatch):
    organization = stage.cast.reseller_a.organization
    with everything("test"):
        brands.set(actor=Actor.system("test"), organization=organization, mail_host="mail.atelier.example")
    path = f"/servers/{stage.server.pk}/addresses"
    made = program.post(path, {"ip": "203.0.113.70", "kind": "dedicated"}, 201)
    assert (made["brand"], made["pointer"]["wanted"]) == (None, stage.server.platform_name)
    one = f"{path}/{made['id']}"
    given = program.post(f"{one}/give", {"organization": organization.pk}, 200)
    assert (given["brand"], given["pointer"]["wanted"]) == (organization.pk, "mail.atelier.example")
    assert given["pointer"]["record"] == "70.113.0.203.in-addr.arpa"
    monkeypatch.setattr(public_dns, "pointers", lambda address: ["old.platform.example"])
    seen = program.post(f"{one}/check", status=200)
    assert (seen["state"], seen["found"]) == ("wrong", ["old.platform.example"])
    assert program.get(one)["pointer"] == seen
    before = trace()
    assert program.post(f"{one}/give", {"organization": organization.pk}, 409)["code"] == "in_use"
    assert program.post(f"{one}/give", {"organization": f"org_{'0' * 26}"}, 404)["field"] == "organization"
    assert program.post(f"{one}/give", {}, 400)["field"] == "organization"
    assert program.delete(one, 409)["code"] == "in_use"
    assert trace() == before
    assert program.post(f"{one}/take-back", status=200)["brand"] is None
    assert program.post(f"{one}/take-back", status=409)["code"] == "not_given"


def test_nobody_else_sees_servers(stage: Stage):
    pk = stage.server.pk
    before = trace()
    for who in ("reseller_a", "client_a", "sub_reseller", "outsider"):
        program = stage.program(who)
        program.get("/servers", 403)
        assert program.get(f"/servers/{pk}", 403) == program.get(f"/servers/srv_{'0' * 26}", 403)
        program.post("/servers", new(), 403)
        program.patch(f"/servers/{pk}", {"closed": True}, 403)
        for verb in ("fetch-host-key", "confirm-host-key", "bootstrap", "reconcile"):
            program.post(f"/servers/{pk}/{verb}", status=403)
        program.post(f"/servers/{pk}/addresses", {"ip": "203.0.113.9"}, 403)
    assert trace() == before


def test_lists_search_and_filter(stage: Stage, program: Program):
    program.post("/servers", new(), 201)
    assert [item["name"] for item in program.get("/servers")["items"]] == ["web9", "web1"]
    assert [item["name"] for item in program.get("/servers?q=WEB9")["items"]] == ["web9"]
    assert [item["name"] for item in program.get("/servers?state=ready")["items"]] == ["web1"]
    with everything("test"):
        assert Server.objects.get(name="web9").key_id
