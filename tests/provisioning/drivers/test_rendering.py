"""A filter holds a value as data or refuses it, and no template prints one that passed none."""

from __future__ import annotations

import re
from collections.abc import Callable

import dns.name
import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning import render as rendering
from provisioning.planning.resources import SERIAL
from provisioning.render import Quoted, Unquoted, Unrepresentable, quoting, render
from tests.provisioning import parsers, strategies

many = settings(max_examples=strategies.EXAMPLES, deadline=None)
anything = st.one_of(st.sampled_from(strategies.ATTACKS), st.text(max_size=40))
FILTERS = ("nginx", "apache", "ini", "dovecot", "postfix", "systemd")


def quoted(language: str, text: str) -> str | None:
    """What the filter makes of the text; None when it refuses."""
    try:
        return str(quoting.FILTERS[language](text))
    except Unrepresentable:
        return None


@many
@given(anything)
def test_nginx_reads_back_one_parameter(text: str) -> None:
    value = quoted("nginx", text)
    if value is not None:
        (directive,) = parsers.nginx(f"root {value};\n").inside
        assert (directive.name, directive.arguments, directive.inside) == ("root", [text], [])


@many
@given(anything)
def test_apache_reads_back_one_argument(text: str) -> None:
    value = quoted("apache", text)
    if value is not None:
        (directive,) = parsers.apache(f"DocumentRoot {value}\n").inside
        assert (directive.name, directive.arguments) == ("DocumentRoot", [text])


@many
@given(anything)
def test_ini_reads_back_one_value(text: str) -> None:
    value = quoted("ini", text)
    if value is not None:
        assert parsers.ini(f"[a]\nuser = {value}\n") == {"a": {"user": text}}


@many
@given(anything)
def test_dovecot_value_ends_where_its_quotes_do(text: str) -> None:
    value = quoted("dovecot", text)
    if value is not None:
        assert re.fullmatch(r'"(?:[^"\\]|\\["\\])*"', value)
        assert re.sub(r"\\(.)", r"\1", value[1:-1]) == text
        assert not set("%$") & set(value)


@many
@given(anything)
def test_postfix_and_systemd_take_plain_words_only(text: str) -> None:
    for language in ("postfix", "systemd"):
        value = quoted(language, text)
        assert value is None or (value == text and re.fullmatch(r"[A-Za-z0-9_./:@+=-]+", text))


@pytest.mark.parametrize("language", FILTERS)
@pytest.mark.parametrize("text", ["a\nb", "a\rb", "\x00", "a\x1bb", "a\u2028b", "a\u202eb", "a\u200bb"])
def test_control_characters_are_refused(language: str, text: str) -> None:
    with pytest.raises(Unrepresentable, match="control or invisible"):
        quoting.FILTERS[language](text)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("nginx", "$host"),
        ("nginx", "~^(.*)$"),
        ("nginx", "*.example.org"),
        ("nginx", "a\\"),
        ("apache", "${PATH}"),
        ("apache", "%{HTTP_HOST}"),
        ("apache", "/home/*/public_html"),
        ("apache", "~ evil"),
        ("ini", "a$pool"),
        ("ini", 'a"b'),
        ("dovecot", "%{user}"),
        ("dovecot", "$ENV:HOME"),
        ("postfix", "a b"),
        ("postfix", "$myhostname"),
        ("postfix", "a,b"),
        ("systemd", "%h"),
        ("systemd", "a b"),
    ],
)
def test_what_would_expand_is_refused(language: str, text: str) -> None:
    with pytest.raises(Unrepresentable):
        quoting.FILTERS[language](text)


@pytest.mark.parametrize("language", [*FILTERS, "zone", "ini_section"])
@pytest.mark.parametrize("value", [None, True, 1.5, ["a"], b"a"])
def test_only_text_and_numbers_are_quoted(language: str, value: object) -> None:
    with pytest.raises(TypeError):
        quoting.FILTERS[language](value)


def test_a_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(Unrepresentable) as refused:
        quoting.nginx("$secret")
    assert "secret" not in str(refused.value)


def test_zone_refuses_a_relative_name() -> None:
    with pytest.raises(Unrepresentable, match="relative"):
        quoting.zone(dns.name.from_text("www", None))


def test_zone_refuses_plain_text() -> None:
    with pytest.raises(TypeError):
        quoting.zone("www.example.org.")  # type: ignore[arg-type]


def test_zone_breaks_up_the_place_of_the_serial() -> None:
    name = dns.name.Name([SERIAL.encode(), b"example", b""])
    written = quoting.zone(name)
    assert SERIAL not in written
    assert dns.name.from_text(written) == name


@pytest.fixture
def template(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Callable[..., str]]:
    """Renders a text as if it were a template of ours."""

    def use(text: str) -> Callable[..., str]:
        environment = rendering._environment()
        environment.loader = jinja2.DictLoader({"x.j2": text})
        monkeypatch.setattr(rendering, "_ENVIRONMENT", environment)
        return lambda **values: render("x.j2", **values)

    return use


@pytest.mark.parametrize(
    "text",
    [
        "{{ a }}",
        "{{ a | nginx ~ a }}",
        "{{ 'constant' }}",
        "{{ (a | nginx) + 'x' }}",
        "{% set b %}{{ a | nginx }}{% endset %}{{ b }}",
        "{% macro m() %}x{% endmacro %}{{ m() }}",
    ],
)
def test_an_expression_without_its_filter_is_an_error(text: str, template: Callable[[str], Callable[..., str]]) -> None:
    with pytest.raises(Unquoted):
        template(text)(a="x")


def test_a_missing_value_is_an_error(template: Callable[[str], Callable[..., str]]) -> None:
    with pytest.raises(jinja2.UndefinedError):
        template("{% if a %}{% endif %}")()


def test_a_value_is_not_a_template(template: Callable[[str], Callable[..., str]]) -> None:
    assert template("x {{ a | apache }}")(a="{{ 7+7 }}") == 'x "{{ 7+7 }}"'


def test_no_filter_of_jinjas_own_is_left(template: Callable[[str], Callable[..., str]]) -> None:
    with pytest.raises(jinja2.TemplateAssertionError):
        template("{{ a | nginx | upper }}")(a="x")


def test_every_expression_of_every_template_names_its_language() -> None:
    languages = {"unix": {"systemd"}, "mail": {"systemd"}, "bind": {"zone"}, "php": {"ini", "ini_section"}}
    languages |= {"nginx": {"nginx", "address"}, "apache": {"apache", "address"}}
    languages |= {"postfix": {"postfix", "address"}, "dovecot": {"dovecot", "dovecot_word"}}
    plain_words = {"sql-2.3.conf.j2": {"systemd"}}
    for path in sorted(rendering.TEMPLATES.glob("*/*.j2")):
        folder = path.parent.name
        allowed = plain_words.get(path.name) or languages.get(folder, {folder})
        for expression in re.findall(r"\{\{(.*?)\}\}", path.read_text(encoding="utf-8")):
            assert expression.rpartition("|")[2].strip() in allowed, (path.name, expression)


def test_quoted_is_text() -> None:
    assert isinstance(quoting.nginx("a"), Quoted)
    assert quoting.nginx("a b") == '"a b"'
