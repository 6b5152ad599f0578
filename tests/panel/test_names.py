"""The rules for names: what is normalised, what is refused, and that nothing accepted can break a line or a word."""

# ruff: noqa: RUF001 (look-alike characters are the point)

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panel.core import names
from panel.core.names import NameInvalid

HOSTILE = [
    "abc\n",
    "a b",
    "a\x00b",
    "a;b",
    "$(id)",
    "`id`",
    "{{7*7}}",
    "a'b",
    'a"b',
    "../x",
    "-oProxyCommand=x",
    "a\\b",
    "a|b",
]


@pytest.mark.parametrize(
    ("given_text", "normal"),
    [
        ("Example.ORG", "example.org"),
        ("example.org.", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("example．org", "example.org"),
        ("\u212aelvin.example", "kelvin.example"),
        ("аррӏе.example", "xn--80ak6aa92e.example"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_host_names_become_lower_case_a_labels(given_text: str, normal: str) -> None:
    assert names.hostname(given_text) == normal


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        "",
        "localhost",
        "192.0.2.1",
        "example.123",
        "-a.example",
        "a-.example",
        "a..example",
        ".example.org",
        "example.org..",
        "*.example.org",
        "a_b.example",
        "a" * 64 + ".example",
        ".".join(["a" * 49] * 6),
        "xn--zzzzzz.example",
        "xn--a.example",
        "ab--cd.example",
        "a／b.example",
        "١٢٣.example",
        "exa\u200bmple.org\n",
        "a\u2028b.example",
    ],
)
def test_host_names_that_are_none(text: str) -> None:
    with pytest.raises(NameInvalid) as refused:
        names.hostname(text)
    assert refused.value.rule.startswith("hostname")
    assert text not in refused.value.message or text in ("", "localhost")


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        "",
        "root",
        "www-data",
        "mysql",
        "bind",
        "_apt",
        "systemd-x",
        "0",
        "1abc",
        "a" * 17,
        "Anna",
        "\u212aelvin",
        "abc١",
    ],
)
def test_user_names_that_are_none(text: str) -> None:
    with pytest.raises(NameInvalid):
        names.username(text)


@pytest.mark.parametrize("text", ["a", "anna", "x9", "a" * 16])
def test_user_names(text: str) -> None:
    assert names.username(text) == text


@pytest.mark.parametrize("rule", [names.database_name, names.database_user])
@pytest.mark.parametrize("text", [*HOSTILE, "", "a%", "a-b", "A", "9a", "mysql", "information_schema", "x" * 65, "ä"])
def test_database_names_that_are_none(rule: object, text: str) -> None:
    assert callable(rule)
    with pytest.raises(NameInvalid):
        rule(text)


def test_database_names_have_their_lengths() -> None:
    assert names.database_name("a" * 64) == "a" * 64
    assert names.database_user("a" * 32) == "a" * 32
    with pytest.raises(NameInvalid):
        names.database_user("a" * 33)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Anna@Example.ORG", "anna@example.org"),
        ("o'brien+x@bücher.example", "o'brien+x@xn--bcher-kva.example"),
        ("a@b.example", "a@b.example"),
    ],
)
def test_mail_addresses(text: str, normal: str) -> None:
    assert names.mail_address(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        "|cmd",
        "|cmd@example.org",
        "/etc/passwd",
        ":include:/etc/passwd",
        '"x|id;$(id)"@example.com',
        "a@b@c.example",
        "a@localhost",
        "a@example.org.",
        ".a@example.org",
        "a..b@example.org",
        "a.@example.org",
        "-a@example.org",
        "a" * 65 + "@example.org",
        "ä@example.org",
        "a@example.org\n",
        "a@[127.0.0.1]",
        "@example.org",
        "a@",
    ],
)
def test_mail_addresses_that_are_none(text: str) -> None:
    with pytest.raises(NameInvalid):
        names.mail_address(text)


@pytest.mark.parametrize("text", ["public_html", "public_html/shop", "a.b/c-d_e", "_x"])
def test_relative_paths(text: str) -> None:
    assert names.relative_path(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/etc",
        "..",
        "a/../b",
        "a/..",
        "a//b",
        "a/",
        "/",
        ".ssh",
        "a/.b",
        "-a",
        "~root",
        "a b",
        "a\nb",
        "a\x00",
        "x" * 201,
        "a/%2e",
    ],
)
def test_relative_paths_that_are_none(text: str) -> None:
    with pytest.raises(NameInvalid):
        names.relative_path(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [("198.51.100.7", "198.51.100.7"), ("2001:DB8:0::1", "2001:db8::1"), ("::1", "::1")],
)
def test_ip_addresses(text: str, normal: str) -> None:
    assert names.ip_address(text) == normal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "198.51.100.300",
        "198.51.100.07",
        "0x7f000001",
        "::ffff:127.0.0.1",
        "fe80::1%eth0",
        "198.51.100.0/24",
        "١.1.1.1",
        "1.1.1.1\n",
    ],
)
def test_ip_addresses_that_are_none(text: str) -> None:
    with pytest.raises(NameInvalid):
        names.ip_address(text)


@pytest.mark.parametrize("number", [0, 65536, -1, True, "80", 8.0, None])
def test_ports_that_are_none(number: object) -> None:
    with pytest.raises(NameInvalid):
        names.port(number)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["https://example.org", "http://bücher.example/help?x=1#a", "https://example.org:8443/"]
)
def test_web_addresses(text: str) -> None:
    assert names.web_url(text).startswith(text.partition("://")[0])
    assert names.web_url(text).isascii()


@pytest.mark.parametrize(
    "text",
    [
        "http://u:p;}@evil.com/",
        "https://u@example.org/",
        "https://example.org/\nx",
        "https://example.org/$host",
        'https://example.org/"x',
        "https://localhost/",
        "https://127.0.0.1/",
        "javascript:alert(1)",
        "//example.org/",
        "ftp://example.org/",
        "https://example.org\\@evil.com/",
        "https://example.org/{x}",
    ],
)
def test_web_addresses_that_are_none(text: str) -> None:
    with pytest.raises(NameInvalid):
        names.web_url(text)


@pytest.mark.parametrize(
    "text", ["", "  ", "a\nb", "a\x1b[31mb", "a\u202eb", "a\u200bb", "\ud800", "x" * 101, "a\u2028b", "a\x85b"]
)
def test_labels_that_are_none(text: str) -> None:
    with pytest.raises(NameInvalid):
        names.label(text)


def test_labels_are_people_s_own_words() -> None:
    assert names.label("  Ünï 名 <b>{{7*7}}</b> $(x) ") == "Ünï 名 <b>{{7*7}}</b> $(x)"


def check_host_name(text: str) -> None:
    try:
        name = names.hostname(text)
    except NameInvalid:
        return
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert names.hostname(name) == name
    assert len(name) <= 253
    assert all(1 <= len(part) <= 63 for part in name.split("."))


@given(st.text(max_size=80))
def test_an_accepted_host_name_is_plain_and_stays_as_it_is(text: str) -> None:
    check_host_name(text)


@pytest.mark.long
@settings(max_examples=10_000)
@given(st.one_of(st.text(max_size=80), st.from_regex(r"[\w．。ßжК-]{1,20}(\.[\w-]{1,20}){1,3}\.?")))
def test_an_accepted_host_name_is_plain_among_many(text: str) -> None:
    check_host_name(text)


@given(st.from_regex(r"[a-z0-9äßж-]{1,12}(\.[a-z0-9äж-]{1,12}){1,3}\.?", fullmatch=True))
def test_host_names_have_one_normal_form(text: str) -> None:
    try:
        name = names.hostname(text)
    except NameInvalid:
        return
    assert names.hostname(text.upper().removesuffix(".")) == name or "ß" in text or "SS" in text.upper()


@given(st.text(max_size=40))
def test_an_accepted_mail_address_is_plain_and_stays_as_it_is(text: str) -> None:
    try:
        address = names.mail_address(f"{text}@example.org")
    except NameInvalid:
        return
    assert address.isascii()
    assert not set(address) & set(' \t\r\n\x00"\\|;:,()<>[]{}$`/%!#&*?^')
    assert names.mail_address(address) == address


@given(st.text(max_size=120))
def test_an_accepted_label_is_one_visible_line(text: str) -> None:
    try:
        label = names.label(text)
    except NameInvalid:
        return
    assert len(label.splitlines()) == 1
    assert names.label(label) == label


@given(
    st.sampled_from([names.username, names.database_name, names.relative_path, names.php_version]), st.text(max_size=60)
)
def test_strict_names_are_accepted_as_they_are_or_not_at_all(rule: object, text: str) -> None:
    assert callable(rule)
    try:
        assert rule(text) == text
    except NameInvalid:
        return
    assert text.isascii()
    assert text.isprintable()
