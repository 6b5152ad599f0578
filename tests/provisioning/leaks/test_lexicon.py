"""Which texts hold a name and which only look like it."""

import pytest

from provisioning.leaks.lexicon import Lexicon, Word

NAME = Word("Ferrum Hosting", "name", "org_1")
HOST = Word("ferrum.example", "host", "org_1")
IDN = Word("xn--bcher-kva.example", "host", "org_2")
SOFTWARE = Word("hostwright", "software")
WORDS = (NAME, HOST, IDN, SOFTWARE)


def found(text: str, *own: str) -> set[str]:
    return {hit.word.shown for hit in Lexicon(WORDS, own).find(text)}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Powered by Ferrum Hosting", NAME),
        ("X-Powered-By: FERRUM-HOSTING/2", NAME),
        ("/static/ferrumhosting.css", NAME),
        ("ferrum_hosting_session=; Path=/", NAME),
        ("Ferrum&nbsp;Hosting", NAME),
        ("Ferrum&#32;Hosting", NAME),
        ("ns1.ferrum.example. 3600 IN A 198.51.100.1", HOST),
        ("v=spf1 include:_spf.ferrum.example ~all", HOST),
        ("hostmaster@FERRUM.example", HOST),
        ("https://ferrum.example/help", HOST),
        ("see bücher.example for help", IDN),
        ("mail.xn--bcher-kva.example ESMTP", IDN),
        ("Set-Cookie: hostwright_session=; Path=/", SOFTWARE),
        ("urn:hostwright:problem:x", SOFTWARE),
    ],
)
def test_a_name_is_found_however_it_is_written(text: str, word: Word) -> None:
    assert found(text) == {word.shown}


@pytest.mark.parametrize(
    "text",
    [
        "Hosting by ferrum and others",
        "ferrum and hosting",
        "notferrum.example",
        "ferrum.example.org",
        "ferrumhostingplus",
        "ferrum.examples",
        "a ferrum-x hosting",
    ],
)
def test_what_only_looks_like_a_name_is_none(text: str) -> None:
    assert found(text) == set()


def test_a_name_inside_the_brands_own_name_is_no_leak_and_beside_it_is() -> None:
    assert found("Welcome to Ferrum Hosting Deluxe", "Ferrum Hosting Deluxe") == set()
    assert found("Ferrum Hosting Deluxe, a service of Ferrum Hosting", "Ferrum Hosting Deluxe") == {NAME.shown}


def test_the_brands_own_name_hides_no_host() -> None:
    assert found("panel.ferrum.example", "Ferrum Example") == {HOST.shown}


@pytest.mark.parametrize("name", ["Web", "Host", "Web Hosting", "Mail Support", "A B"])
def test_names_that_are_too_common_are_told_and_not_looked_for(name: str) -> None:
    lexicon = Lexicon([Word(name, "name", "org_1")])
    assert [word.shown for word in lexicon.skipped] == [name]
    assert lexicon.find(f"{name} of ours") == []


def test_an_excerpt_shows_what_stands_around() -> None:
    (hit,) = Lexicon([HOST]).find("x" * 500 + " ns1.ferrum.example " + "y" * 500)
    assert "ns1.ferrum.example" in hit.excerpt
    assert len(hit.excerpt) < 150
