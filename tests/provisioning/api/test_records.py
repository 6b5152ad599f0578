"""DNS records by program: defaults shown, hostile ones refused, two editors noticed."""

from __future__ import annotations

from typing import Any

import dns.rdata
import pytest

from panel.core.errors import Stale
from panel.core.scoping import everything
from provisioning.models import Record, Zone
from provisioning.services import zones
from tests.provisioning.api.conftest import Program, Stage, trace

HOST = "http://panel.reseller-a.example"


@pytest.fixture
def program(stage: Stage) -> Program:
    return stage.program("client_a")


@pytest.fixture
def zone(stage: Stage) -> str:
    with everything("test"):
        return f"/zones/{Zone.objects.get(name='a-example.org').pk}"


def add(program: Program, zone: str, status: int = 202, **values: Any) -> Any:
    return program.post(f"{zone}/records", {"type": "A", "name": "shop", "content": "203.0.113.9", **values}, status)


def test_defaults_are_shown_as_such_and_own_records_by_id(program: Program, zone: str):
    made = add(program, zone, ttl=300)["record"]
    assert (made["default"], made["ttl"]) == (False, 300)
    items = program.get(f"{zone}/records")["items"]
    assert [item["name"] for item in items][:1] == ["@"]
    kinds = {(item["name"], item["type"]): item for item in items}
    assert kinds["@", "A"]["default"] is True
    assert kinds["@", "A"]["id"] is None
    assert kinds["@", "A"]["content"] == "198.51.100.2"
    assert {"ns1.reseller-a.example.", "ns2.reseller-a.example."} == {
        item["content"] for item in items if item["type"] == "NS"
    }
    assert kinds["shop", "A"]["id"] == made["id"]


def test_pages_cover_each_record_once(program: Program, zone: str):
    for number in range(7):
        add(program, zone, name=f"n{number}")
    seen, path = [], f"{zone}/records?limit=3"
    while path:
        page = program.get(path)
        assert len(page["items"]) <= 3
        seen += [(item["name"], item["type"], item["content"]) for item in page["items"]]
        path = (page["next"] or "").removeprefix(HOST)
    whole = program.get(f"{zone}/records?limit=200")["items"]
    assert seen == [(item["name"], item["type"], item["content"]) for item in whole]
    assert len(seen) == len(set(seen))
    assert program.get(f"{zone}/records?cursor=WzFd", 400)["field"] == "cursor"
    assert program.get(f"{zone}/records?cursor=%00%ff", 400)["field"] == "cursor"


def test_an_own_record_takes_the_place_of_a_default(program: Program, zone: str):
    add(program, zone, name="@", content="203.0.113.7")
    found = [item for item in program.get(f"{zone}/records")["items"] if (item["name"], item["type"]) == ("@", "A")]
    assert [item["content"] for item in found] == ["203.0.113.7"]


CONTENTS = {
    "A": "203.0.113.9",
    "AAAA": "2001:db8::9",
    "CAA": '0 issue "ca.example"',
    "CNAME": "other.example.",
    "MX": "10 mx.example.",
    "NS": "ns.example.",
    "SRV": "1 2 443 srv.example.",
    "TXT": "hello",
    "TLSA": "3 1 1 " + "ab" * 32,
    "SSHFP": "4 2 " + "ab" * 32,
    "DS": "1 13 2 " + "ab" * 32,
}
NAMES = [
    "www\t60\tIN\tA\t6.6.6.6 ;\n@",
    "$INCLUDE",
    "$INCLUDE /etc/bind/rndc.key",
    "$GENERATE 1-65535",
    "$ORIGIN",
    "a b",
    "a;b",
    'a"b',
    "a\\010b",
    "-x",
    "a\n",
    "victim.test.",
    "www.b-example.org.",
    "a-example.org.evil.test.",
    "{{7*7}}",
    "\uff0e\uff0f",
    "\u0661;",
    "a" * 64,
    "",
]


def test_every_type_is_taken_and_none_with_a_line_break(stage: Stage, program: Program, zone: str, subtests):
    assert set(CONTENTS) == set(Record.Type.values)
    for number, (kind, content) in enumerate(CONTENTS.items()):
        before = trace()
        for hostile in (f"{content}\nevil 60 IN A 6.6.6.6", f"{content}\r", f"\n{content}", f"{content}\x00"):
            with subtests.test(repr((kind, hostile))):
                problem = add(program, zone, 400, type=kind, name=f"t{number}", content=hostile)
                assert problem["field"] == "content"
                assert trace() == before
        with subtests.test(kind):
            assert add(program, zone, type=kind, name=f"t{number}", content=content)["record"]["type"] == kind


def test_hostile_names_and_types_are_refused(stage: Stage, program: Program, zone: str, subtests):
    before = trace()
    for name in NAMES:
        with subtests.test(repr(name)):
            assert add(program, zone, 400, name=name)["field"] == "name"
    for kind in ("$INCLUDE", "A\nB", "ANY", "SOA", "a;b", "", "TYPE65280", 1):
        with subtests.test(repr(kind)):
            assert add(program, zone, 400, type=kind)["field"] == "type"
    for content in ("$INCLUDE /etc/passwd", "203.0.113.9; evil", "999.1.1.1", "", ["203.0.113.9"]):
        with subtests.test(repr(content)):
            assert add(program, zone, 400, content=content)["field"] == "content"
    for ttl in (0, -1, 10**20, "60", True, 1.5):
        with subtests.test(repr(ttl)):
            assert add(program, zone, 400, ttl=ttl)["field"] == "ttl"
    assert add(program, zone, 400, serial=7)["field"] == "serial"
    assert trace() == before


@pytest.mark.parametrize("text", ["x" * 300, "y" * 4000, 'a "quoted" text', "back\\slash", "a;b", "v=spf1 -all"])
def test_texts_keep_what_they_say(program: Program, zone: str, text: str):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    pieces = [quoted[start : start + 200] for start in range(0, len(quoted), 200)] if len(quoted) > 255 else [quoted]
    content = " ".join(f'"{piece}"' for piece in pieces)
    made = add(program, zone, type="TXT", name="text", content=content)["record"]
    parsed = dns.rdata.from_text("IN", "TXT", made["content"])
    assert b"".join(parsed.strings).decode() == text  # type: ignore[attr-defined]
    assert all(len(part) <= 255 for part in parsed.strings)  # type: ignore[attr-defined]


def test_a_cname_stands_alone(stage: Stage, program: Program, zone: str):
    before = trace()
    for name in ("@", "www", "mail"):
        problem = add(program, zone, 409, type="CNAME", name=name, content="other.example.")
        assert (problem["code"], problem["field"]) == ("cname_beside_others", "name")
    assert trace() == before
    add(program, zone, type="CNAME", name="blog", content="other.example.")
    before = trace()
    assert add(program, zone, 409, name="blog")["code"] == "cname_beside_others"
    assert trace() == before


def test_the_same_record_again_is_a_conflict(program: Program, zone: str):
    add(program, zone)
    before = trace()
    assert add(program, zone, 409)["field"] == "content"
    assert trace() == before


def test_a_change_needs_the_version_that_was_seen(stage: Stage, program: Program, zone: str):
    made = program.send("POST", f"{zone}/records", {"type": "A", "name": "shop", "content": "203.0.113.9"})
    path = f"{zone}/records/{made.json()['record']['id']}"
    shown = program.send("GET", path)
    tag = shown["ETag"]
    assert tag == made["ETag"]
    before = trace()
    assert program.patch(path, {"ttl": 60}, 428)["code"] == "version_required"
    assert program.patch(path, {"ttl": 60}, 412, If_Match='"other"')["code"] == "stale"
    assert program.patch(path, {"ttl": 60}, 412, If_Match=f"W/{tag}")["code"] == "stale"
    assert program.patch(path, {"ttl": 60}, 412, If_Match="")["code"] == "stale"
    assert program.delete(path, 428)["code"] == "version_required"
    assert program.delete(path, 412, If_Match='"other"')["code"] == "stale"
    assert trace() == before
    changed = program.send("PATCH", path, {"content": "203.0.113.10"}, If_Match=f'"other", {tag}')
    assert changed.status_code == 202
    assert changed.json()["record"]["content"] == "203.0.113.10"
    assert program.patch(path, {"content": "203.0.113.11"}, 412, If_Match=tag)["code"] == "stale"
    assert program.get(path)["content"] == "203.0.113.10"
    program.patch(path, {"ttl": 60}, If_Match=changed["ETag"])
    program.patch(path, {"ttl": 90}, If_Match="*")
    program.delete(path, If_Match="*")
    assert program.get(path, 404)["code"] == "not_found"


def test_the_service_notices_a_change_after_the_endpoint_looked(stage: Stage, program: Program, zone: str):
    made = add(program, zone)["record"]
    with everything("test"):
        record = Record.objects.get(pk=made["id"])
        seen = record.version
        zones.change_record(actor=stage.cast.client_a.actor, record=record, ttl=60)
        before = trace()
        for act in (zones.change_record, zones.remove_record):
            with pytest.raises(Stale):
                act(actor=stage.cast.client_a.actor, record=record, version=seen)
        assert trace() == before


def test_a_refused_change_leaves_the_record(program: Program, zone: str):
    made = add(program, zone)["record"]
    path = f"{zone}/records/{made['id']}"
    before = trace()
    assert program.patch(path, {"content": "203.0.113.9\nx"}, 400, If_Match="*")["field"] == "content"
    assert program.patch(path, {"name": "x.victim.test."}, 400, If_Match="*")["field"] == "name"
    assert program.patch(path, {"type": "CNAME", "name": "www", "content": "x.example."}, 409, If_Match="*")
    assert program.patch(path, {"zone": "zon_x"}, 400, If_Match="*")["field"] == "zone"
    assert program.get(path) == made
    assert trace() == before


def test_records_of_others_are_not_there(stage: Stage, program: Program, zone: str):
    made = add(program, zone)["record"]
    with everything("test"):
        foreign = f"/zones/{Zone.objects.get(name='b-example.org').pk}"
    stranger = stage.program("client_b")
    before = trace()
    assert stranger.get(f"{zone}/records", 404) == stranger.get(f"/zones/zon_{'0' * 26}/records", 404)
    stranger.get(f"{zone}/records/{made['id']}", 404)
    stranger.get(f"{foreign}/records/{made['id']}", 404)
    stranger.patch(f"{zone}/records/{made['id']}", {"ttl": 60}, 404, If_Match="*")
    stranger.delete(f"{foreign}/records/{made['id']}", 404, If_Match="*")
    add(stranger, zone, 404)
    assert stage.program("readonly_a").get(f"{zone}/records")["items"]
    add(stage.program("readonly_a"), zone, 403)
    assert trace() == before


def test_the_limit_of_records_is_kept(stage: Stage, program: Program, zone: str):
    stage.program("reseller_a").patch(f"/packages/{stage.package_a.pk}", {"records": 1}, 200)
    add(program, zone)
    before = trace()
    problem = add(program, zone, 409, name="more", content="203.0.113.10")
    assert (problem["code"], problem["rule"], problem["limit"]) == ("limit_reached", "records", 1)
    assert trace() == before
