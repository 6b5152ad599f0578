"""Attacks by names: shells, options, look-alikes, reserved and captured names. Each test bears its row.

Every refusal names the field and leaves no row, intent, operation or audit entry.
"""

from __future__ import annotations

from typing import Any

import pytest

from panel.core.actors import Actor
from panel.core.errors import DomainError
from panel.core.scoping import everything
from provisioning.models import HostingAccount, SiteName
from provisioning.services import databases, hosting_accounts, mail_aliases, mailboxes, sites
from tests.provisioning import factories
from tests.provisioning.ground import Ground, acting, refused

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"


def order(ground: Ground, domain: Any, **values: Any) -> HostingAccount:
    """Order an account for client A as reseller A."""
    with acting(ground.cast.reseller_a):
        return hosting_accounts.create(
            actor=ground.cast.reseller_a.actor,
            organization=ground.cast.client_a.organization,
            package=ground.package_a,
            domain=domain,
            **values,
        )[0]


def order_of_b(ground: Ground, domain: str) -> HostingAccount:
    """Order an account for client B as reseller B."""
    with acting(ground.cast.reseller_b):
        return hosting_accounts.create(
            actor=ground.cast.reseller_b.actor,
            organization=ground.cast.client_b.organization,
            package=ground.package_b,
            domain=domain,
        )[0]


SHELL = [
    "a;id",
    "a|id",
    "a&id",
    "a$(id)",
    "a`id`",
    "a\nid",
    "a\rid",
    "a\0id",
    "a id",
    "a'b",
    'a"b',
    "a\\b",
    "a>b",
    "a\tb",
]
OPTIONS = ["-a", "--checkpoint=1", "-oProxyCommand=id", "-"]
BEYOND_ASCII = [
    "abc\n",
    "\u0661\u0662abc",
    "a\uff0eb",
    "a\uff0fb",
    "\u0430bc",
    "a\u200bb",
    "a\u202eb",
    "ﬁle",
]


@pytest.mark.parametrize("part", SHELL)
def test_d1_shell_characters_in_names(ground: Ground, part: str):
    with refused(None, "domain"):
        order(ground, f"{part}.org")
    with refused(None, "username"):
        order(ground, "fine.org", username=part)
    everywhere(ground, part)


@pytest.mark.parametrize("part", OPTIONS)
def test_d2_values_that_look_like_options(ground: Ground, part: str):
    with refused(None, "domain"):
        order(ground, f"{part}.org")
    with refused(None, "username"):
        order(ground, "fine.org", username=part)
    everywhere(ground, part)


def everywhere(ground: Ground, part: str) -> None:
    """Offer a part of a name to every other service that takes one."""
    actor, account, mail_domain = ground.cast.client_a.actor, ground.account_a, ground.mail_domain
    with acting(ground.cast.client_a):
        with refused(None, "hostname"):
            sites.add_alias(actor=actor, site=ground.site, hostname=f"{part}.a-site.org")
        with refused(None, "name"):
            databases.create(actor=actor, hosting=account, name=part)
        if "'" not in part:  # Part of an address by RFC 5322; it is bound, never put into a text.
            with refused(None, "local"):
                mailboxes.create(actor=actor, mail_domain=mail_domain, local=part, password=PASSWORD)
            with refused(None, "destinations"):
                mail_aliases.create(actor=actor, mail_domain=mail_domain, local="x", destinations=[f"{part}@b.org"])
        with refused(None, "destinations"):
            mail_aliases.create(actor=actor, mail_domain=mail_domain, local="x", destinations=[f"x@{part}.org"])


@pytest.mark.parametrize("text", BEYOND_ASCII)
def test_k4_names_beyond_ascii(ground: Ground, text: str):
    """User names and databases refuse them; host names are normalised first and matched on ASCII only then."""
    with refused(None, "username"):
        order(ground, "fine.org", username=text)
    with acting(ground.cast.client_a):
        with refused(None, "name"):
            databases.create(actor=ground.cast.client_a.actor, hosting=ground.account_a, name=text)
        with refused(None, "local"):
            mailboxes.create(
                actor=ground.cast.client_a.actor, mail_domain=ground.mail_domain, local=text, password=PASSWORD
            )


def test_k4_the_kelvin_sign_is_a_k_at_most(ground: Ground):
    with refused("username_characters", "username"):
        order(ground, "fine.org", username="\u212aelvin")
    with acting(ground.cast.client_a):
        actor = ground.cast.client_a.actor
        with refused("database_characters", "name"):
            databases.create(actor=actor, hosting=ground.account_a, name="\u212aelvin")
        box = mailboxes.create(actor=actor, mail_domain=ground.mail_domain, local="\u212aelvin", password=PASSWORD)[0]
    assert box.local == "kelvin"


@pytest.mark.parametrize(
    ("domain", "stored"),
    [
        ("\u212aelvin.org", "kelvin.org"),
        ("foo\uff0eorg", "foo.org"),
        ("BÜCHER.org", "xn--bcher-kva.org"),
        ("xn--BCHER-kva.org", "xn--bcher-kva.org"),
        ("Straße.org", "xn--strae-oqa.org"),
    ],
)
def test_k4_host_names_are_normalised_before_they_are_matched(ground: Ground, domain: str, stored: str):
    hosting = order(ground, domain)
    assert hosting.domain == stored
    with everything("test"):
        assert set(SiteName.objects.filter(site__hosting=hosting).values_list("hostname", flat=True)) == {
            stored,
            f"www.{stored}",
        }


@pytest.mark.parametrize(
    "domain", ["foo\uff0fbar.org", "fine.org\n", "a..org", ".org.example.", "xn--\u0661.org", "xn--a.org"]
)
def test_k4_host_names_that_stay_unfit(ground: Ground, domain: str):
    with refused(None, "domain"):
        order(ground, domain)


@pytest.mark.parametrize(
    "name", ["root", "www-data", "mysql", "bind", "_apt", "systemd-x", "0", "nobody", "hostwright", "vmail", "Root"]
)
def test_k3_user_names_of_the_system(ground: Ground, name: str):
    with refused(None, "username"):
        order(ground, "fine.org", username=name)


@pytest.mark.parametrize("part", ["root", "mysql", "nobody", "vmail"])
def test_k3_a_derived_user_name_is_never_the_systems(ground: Ground, part: str):
    assert order(ground, f"{part}.org").username == f"{part}1"


def test_k6_the_longest_names_fit_everywhere(ground: Ground):
    label = "a" * 63
    longest = ".".join([label, label, label, "a" * 44, "org"])
    assert len(longest) == 240
    hosting = order(ground, longest, username="a" * 16)
    with everything("test"):
        mail_domain = hosting.mail_domains.get()
    with acting(ground.cast.client_a):
        actor = ground.cast.client_a.actor
        with refused("mail_address_length", "local"):
            mailboxes.create(actor=actor, mail_domain=mail_domain, local="a" * 14, password=PASSWORD)
        mailboxes.create(actor=actor, mail_domain=mail_domain, local="a" * 13, password=PASSWORD)
        with refused("mail_address_length", "local"):
            mail_aliases.create(actor=actor, mail_domain=mail_domain, local="b" * 14, destinations=["x@y.org"])
        with refused("database_length", "name"):
            databases.create(actor=actor, hosting=hosting, name="d" * 48)
        databases.create(actor=actor, hosting=hosting, name="d" * 47)


@pytest.mark.parametrize(
    "domain", [".".join(["a" * 63] * 3 + ["a" * 45, "org"]), "a" * 64 + ".org", ".".join(["a" * 60] * 5)]
)
def test_k6_longer_ones_are_refused_before_anything_is_made(ground: Ground, domain: str):
    with refused(None, "domain"):
        order(ground, domain)


@pytest.mark.parametrize("username", ["a" * 17, "a" * 33, "a" * 256])
def test_k6_user_names_are_short(ground: Ground, username: str):
    with refused("username_characters", "username"):
        order(ground, "fine.org", username=username)


def test_k2_one_name_one_winner(ground: Ground):
    """Parallel orders are in tests/concurrency; one after the other, the second learns nothing of the first."""
    order(ground, "both.org", username="both")
    with pytest.raises(DomainError) as caught:
        order_of_b(ground, "both.org")
    assert (caught.value.status, caught.value.field) == (409, "domain")
    assert "client" not in caught.value.message.lower()
    assert "Atelier" not in caught.value.message
    with refused("conflict", "username", 409), acting(ground.cast.reseller_b):
        hosting_accounts.create(
            actor=ground.cast.reseller_b.actor,
            organization=ground.cast.client_b.organization,
            package=ground.package_b,
            domain="other.org",
            username="both",
        )


@pytest.mark.parametrize("name", ["sub.b-site.org", "a.b.c.b-site.org", "www.b-site.org", "b-site.org"])
def test_g1_names_of_another_tenant_and_below(ground: Ground, name: str):
    with refused("name_taken", "domain", 409):
        order(ground, name)
    with acting(ground.cast.client_a), refused("name_taken", "hostname", 409):
        sites.add_alias(actor=ground.cast.client_a.actor, site=ground.site, hostname=name)


@pytest.mark.parametrize("name", ["*.b-site.org", "*.org", "*"])
def test_g1_wildcards_are_no_host_names(ground: Ground, name: str):
    with refused("hostname_characters", "domain"):
        order(ground, name)
    with acting(ground.cast.client_a), refused("hostname_characters", "hostname"):
        sites.add_alias(actor=ground.cast.client_a.actor, site=ground.site, hostname=name)


def test_g1_an_alias_domain_of_another_tenant_is_held_as_well(ground: Ground):
    with acting(ground.cast.client_b):
        with everything("test"):
            site = ground.account_b.sites.get()
        sites.add_alias(actor=ground.cast.client_b.actor, site=site, hostname="alias-of-b.net")
    for name in ("alias-of-b.net", "x.alias-of-b.net"):
        with refused("name_taken", "domain", 409):
            order(ground, name)


def test_g2_the_parent_of_a_held_name(ground: Ground):
    factories.account(ground.cast.client_b.organization, ground.package_b, "a.parent.org")
    with refused("name_taken", "domain", 409):
        order(ground, "parent.org")
    with acting(ground.cast.client_a), refused("name_taken", "hostname", 409):
        sites.add_alias(actor=ground.cast.client_a.actor, site=ground.site, hostname="parent.org")
    assert order(ground, "b.sibling.org").domain == "b.sibling.org"
    assert order_of_b(ground, "c.sibling.org").domain == "c.sibling.org"


@pytest.mark.parametrize("name", ["org", "com", "co.uk", "github.io", "com.", "CO.UK", "s3.amazonaws.com"])
def test_g2_public_suffixes(ground: Ground, name: str):
    with refused(None, "domain"):
        order(ground, name)
    with acting(ground.cast.client_a), refused(None, "hostname"):
        sites.add_alias(actor=ground.cast.client_a.actor, site=ground.site, hostname=name)


@pytest.mark.parametrize(
    "name", ["localhost", "x.localhost", "printer.local", "x.onion", "10.in-addr.arpa", "x.invalid"]
)
def test_g2_names_that_the_dns_reserves(ground: Ground, name: str):
    with refused(None, "domain"):
        order(ground, name)


@pytest.mark.parametrize(
    "name",
    [
        "gmail.com",
        "GMAIL.COM.",
        "mail.gmail.com",
        "web.de",
        "panel.reseller-a.example",
        "x.panel.reseller-a.example",
        "panel.reseller-b.example",
        "ns1.reseller-b.example",
        "mail.reseller-b.example",
        "ns1.northwind.example",
        "web1.platform.example",
        "reseller-b.example",
        "platform.example",
        "northwind.example",
    ],
)
def test_g4_names_of_mail_providers_and_of_the_installation(ground: Ground, name: str):
    with refused("reserved", "domain"):
        order(ground, name)
    with acting(ground.cast.client_a), refused("reserved", "hostname"):
        sites.add_alias(actor=ground.cast.client_a.actor, site=ground.site, hostname=name)


def test_g4_a_reseller_hosts_the_domain_above_its_own_panel_but_not_the_panel(ground: Ground):
    hosting = order(ground, "reseller-a.example")
    with everything("test"):
        site = hosting.sites.get()
    for name in ("panel.reseller-a.example", "ns2.reseller-a.example", "x.mail.reseller-a.example"):
        with acting(ground.cast.client_a), refused("reserved", "hostname"):
            sites.add_alias(actor=ground.cast.client_a.actor, site=site, hostname=name)
    with acting(ground.cast.reseller_a):
        sites.add_alias(actor=ground.cast.reseller_a.actor, site=site, hostname="shop.reseller-a.example")


@pytest.mark.parametrize("name", ["B-Site.ORG", "b-site.org.", "b\uff0dsite.org", "b-site。org"])
def test_g7_one_name_in_other_clothes(ground: Ground, name: str):
    with refused("name_taken", "domain", 409):
        order(ground, name)


def test_g7_u_label_and_a_label_are_one_name_on_all_servers(ground: Ground):
    other = factories.server(ground.cast.provider.organization, "web2")
    factories.account(ground.cast.client_b.organization, ground.package_b, "bücher.org", server=other)
    for name in ("bücher.org", "BÜCHER.org.", "xn--bcher-kva.org", "bu\u0308cher.org"):
        with refused("name_taken", "domain", 409):
            order(ground, name, server=None)
