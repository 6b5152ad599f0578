"""DNS records as people type them: one normal form, or a refusal; what is accepted reads back as the same record."""

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.core import records
from panel.core.names import NameInvalid, record

ZONE = "example.org"
GOOD = {
    "A": "198.51.100.7",
    "AAAA": "2001:db8::7",
    "CNAME": "other.example.net",
    "MX": "10 mail",
    "TXT": "v=spf1 -all",
    "SRV": "10 5 443 www",
    "CAA": '0 issue "ca.example.net"',
    "NS": "ns1.example.net",
    "TLSA": "3 1 1 " + "ab" * 32,
    "SSHFP": "4 2 " + "cd" * 32,
    "DS": "12345 13 2 " + "ef" * 32,
    "PTR": "host.example.net",
}


def test_every_type_has_an_example() -> None:
    assert set(GOOD) == set(records.TYPES)


@pytest.mark.parametrize("kind", [kind for kind in GOOD if kind != "TXT"])
def test_content_is_presentation_form(kind: str) -> None:
    content = record(kind, "www", GOOD[kind], ZONE).content
    parsed = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), content, dns.name.root, False)
    assert parsed.to_text() == content


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("ending", ["\n", "\r\nx", "\x00", "\x1b[0m", "\u2028"])
def test_no_type_takes_a_line_end(kind: str, ending: str) -> None:
    with pytest.raises(NameInvalid) as refused:
        record(kind, "www", GOOD[kind] + ending, ZONE)
    assert refused.value.rule == "record_content"


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("", "@"),
        ("@", "@"),
        ("example.org", "@"),
        ("example.org.", "@"),
        ("WWW", "www"),
        ("www.example.org.", "www"),
        ("www.example.org", "www"),
        ("*", "*"),
        ("*.sub", "*.sub"),
        ("bücher", "xn--bcher-kva"),
        ("www.other.example", "www.other.example"),
    ],
)
def test_owners_are_relative_to_the_zone(name: str, normal: str) -> None:
    assert record("A", name, GOOD["A"], ZONE).name == normal


@pytest.mark.parametrize(
    "name",
    [
        "victim.test.",
        "org.",
        "a..b",
        ".a",
        "a.",
        "-a",
        "a-",
        "a*",
        "a.*",
        "www\t60\tIN\tA\t6.6.6.6 ;\n@",
        "$ORIGIN",
        "a b",
        "a;b",
        "a\\b",
        "x" * 64,
    ],
)
def test_owners_that_are_none(name: str) -> None:
    with pytest.raises(NameInvalid):
        record("A", name, GOOD["A"], ZONE)


@pytest.mark.parametrize("kind", ["", "SOA", "$INCLUDE", "A\n", "AXFR", "a b", "TYPE65534"])
def test_types_that_are_none(kind: str) -> None:
    with pytest.raises(NameInvalid) as refused:
        record(kind, "www", "x", ZONE)
    assert refused.value.rule in ("record_type", "record_type_characters")


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("A", "2001:db8::1"),
        ("AAAA", "198.51.100.7"),
        ("A", "198.51.100.7 ; x"),
        ("CNAME", "a b"),
        ("CNAME", "x;y.example"),
        ("MX", "mail.example.org"),
        ("MX", "70000 mail.example.org"),
        ("MX", "10 under_score.example.org"),
        ("SRV", "1 2 3"),
        ("SRV", "a b c d"),
        ("CAA", '0 issue "a" b"'),
        ("CAA", "0 hack ca.example.net"),
        ("CAA", "300 issue ca.example.net"),
        ("TXT", "x" * 4097),
        ("TLSA", "3 1 1 xyz"),
        ("NS", "$INCLUDE"),
        ("PTR", "localhost_x"),
    ],
)
def test_content_that_is_none(kind: str, content: str) -> None:
    with pytest.raises(NameInvalid):
        record(kind, "www", content, ZONE)


def test_no_cname_at_the_apex() -> None:
    with pytest.raises(NameInvalid) as refused:
        record("CNAME", "@", "other.example", ZONE)
    assert refused.value.rule == "record_cname_apex"


@given(st.sampled_from(sorted(set(GOOD) - {"TXT"})), st.text(max_size=20), st.text(max_size=60))
def test_an_accepted_record_reads_back_as_itself(kind: str, name: str, content: str) -> None:
    try:
        parts = record(kind, name, content, ZONE)
    except NameInvalid:
        return
    assert record(parts.type, parts.name, parts.content, ZONE) == parts
    assert dns.name.from_text(parts.name, dns.name.from_text(ZONE)).is_subdomain(dns.name.from_text(ZONE))
    dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(kind), parts.content, dns.name.root, False)


@given(st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=300))
def test_a_text_is_kept_as_it_is_apart_from_normalisation(text: str) -> None:
    kept = record("TXT", "@", text, ZONE).content
    assert record("TXT", "@", kept, ZONE).content == kept
