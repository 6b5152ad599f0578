"""A brand's pages reach the servers that show them and no others; accounts keep the files that they began with."""

from __future__ import annotations

import pytest

from accounts.models import Brand, BrandImage
from accounts.selectors import brand_mail
from accounts.selectors import brands as brand_selectors
from accounts.services import mail_senders, organizations
from panel.core.actors import Actor
from panel.core.errors import Invalid
from panel.core.scoping import everything
from provisioning import desired
from provisioning.models import HostingAccount, Intent, Operation, Record, Server, Slice
from provisioning.services import brand_pages, branding, relocations
from tests.cast import Cast, Person
from tests.provisioning import factories

SYSTEM = Actor.system("test")


@pytest.fixture
def server(cast: Cast) -> Server:
    with everything("test"):
        made = factories.server(cast.provider.organization)
        Slice.objects.create(server=made)
    return made


def order(person: Person, domain: str) -> HostingAccount:
    with everything("test"):
        seller = person.organization.parent
        assert seller is not None
        package = factories.package(seller, name=domain)
        return factories.account(person.organization, package, domain)


def brand_of(person: Person) -> Brand:
    with everything("test"):
        return brand_selectors.for_organization(person.organization)


def applied(server: Server) -> None:
    """As if a run had carried everything that the server's own slice has now."""
    with everything("test"):
        spec = desired.server_spec(server)
        keys = {f"directory:/var/lib/hostwright/pages/{pages.brand}": "x" for pages in spec.brand_pages}
        Slice.objects.filter(server=server, hosting=None).update(manifest=keys)
        Intent.objects.all().delete()


def dirty() -> set[str]:
    return {intent.slice.name for intent in Intent.objects.select_related("slice")}


def test_the_first_account_of_a_brand_brings_its_pages(cast: Cast, server: Server) -> None:
    first = order(cast.client_a, "one.example")
    assert dirty() == {"server", first.id}
    (carried,) = desired.server_spec(server).brand_pages
    assert carried.brand == brand_of(cast.client_a).id
    brought = Operation._base_manager.get(verb="brand.change")
    assert brought.organization == cast.provider.organization
    applied(server)
    second = order(cast.client_a, "two.example")
    assert dirty() == {second.id}
    other = order(cast.client_b, "three.example")
    assert dirty() == {second.id, other.id, "server"}
    assert len(desired.server_spec(server).brand_pages) == 2


def test_looks_dirty_the_servers_that_show_them_and_no_account(cast: Cast, server: Server) -> None:
    order(cast.client_a, "one.example")
    with everything("test"):
        elsewhere = factories.server(cast.provider.organization, "web2", "198.51.100.3")
        Slice.objects.create(server=elsewhere)
    applied(server)
    with everything("test"):
        owner = cast.reseller_a
        branding.change(actor=owner.actor, organization=owner.organization, primary_color="#993300")
        assert [str(intent.slice) for intent in Intent.objects.select_related("slice")] == [f"{server.id} server"]
        Intent.objects.all().delete()
        branding.change(actor=owner.actor, organization=owner.organization, hostmaster="dns@reseller-a.example")
        assert "server" not in dirty()
        Intent.objects.all().delete()
        branding.change(actor=cast.reseller_b.actor, organization=cast.reseller_b.organization, name="Other")
        assert dirty() == set()


def test_the_pages_say_what_the_brand_says_and_escape_it(cast: Cast, server: Server) -> None:
    order(cast.client_a, "one.example")
    brand = brand_of(cast.client_a)
    with everything("test"):
        BrandImage.objects.create(
            brand=brand, name="logo.png", content_type="image/png", content=b"PNG", width=1, height=1
        )
        Brand.objects.filter(pk=brand.pk).update(logo="logo.png")
        pages, operation = brand_pages.change(
            actor=cast.reseller_a.actor, brand=brand, suspended_title="Closed <b>today</b>", missing_text="Line\nbreak"
        )
        assert pages.suspended_title == "Closed <b>today</b>"
        assert operation is not None
        (carried,) = desired.server_spec(server).brand_pages
    assert "Closed &lt;b&gt;today&lt;/b&gt;" in carried.suspended
    assert "Line<br>break" in carried.missing
    for page in (carried.suspended, carried.missing):
        assert "data:image/png;base64,UE5H" in page
        assert "Atelier A" in page
        assert "Northwind" not in page
        assert "Hostwright" not in page


def test_the_first_page_is_for_new_sites_only(cast: Cast, server: Server) -> None:
    hosting = order(cast.client_a, "one.example")
    applied(server)
    with everything("test"):
        owner = cast.reseller_a.actor
        _pages, operation = brand_pages.change(
            actor=owner, brand=brand_of(cast.client_a), first_title="Welcome to {{domain}}", first_text="By {{brand}}"
        )
        assert operation is None
        assert dirty() == set()
        found = desired.accounts(server, [hosting.id])[hosting.id]
    assert not isinstance(found, Exception)
    assert "Welcome to one.example" in found.default_page
    assert "By Atelier A" in found.default_page


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("first_title", "{{password}}", "unknown_placeholder"),
        ("first_text", "{{#domain}}", "section"),
        ("first_text", "{% include 'x' %}{{ 7*7 }}", "placeholder"),
        ("suspended_title", "two\nlines", "label_characters"),
        ("missing_text", "x" * 2001, "max_length"),
        ("color", "red", "unknown"),
    ],
)
def test_what_pages_cannot_say(cast: Cast, server: Server, field: str, text: str, code: str) -> None:
    with everything("test"), pytest.raises(Invalid) as refused:
        brand_pages.change(actor=cast.reseller_a.actor, brand=brand_of(cast.client_a), **{field: text})
    assert (refused.value.code, refused.value.field) == (code, field)


def test_an_account_keeps_the_files_that_it_began_with(cast: Cast, server: Server) -> None:
    brand, owner = brand_of(cast.client_a), cast.reseller_a.actor
    before = order(cast.client_a, "one.example")
    with everything("test"):
        brand_pages.set_skeleton(actor=owner, brand=brand, files={"robots.txt": "User-agent: *\n"})
    between = order(cast.client_a, "two.example")
    with everything("test"):
        brand_pages.set_skeleton(actor=owner, brand=brand, files={"humans.txt": "Us\n"})
    after = order(cast.client_a, "three.example")
    found = desired.accounts(server, [before.id, between.id, after.id])
    files = {key: dict(spec.skeleton) for key, spec in found.items() if not isinstance(spec, Exception)}
    assert files == {before.id: {}, between.id: {"robots.txt": "User-agent: *\n"}, after.id: {"humans.txt": "Us\n"}}


@pytest.mark.parametrize(
    "files",
    [
        {"../index.html": "x"},
        {".htaccess": "x"},
        {"css/site.css": "x"},
        {"a.txt": "x" * 32_769},
        {f"{number}.txt": "x" for number in range(21)},
        {f"{number}.txt": "x" * 32_000 for number in range(5)},
        {"a.txt": 1},
        ["a.txt"],
    ],
)
def test_a_skeleton_is_a_few_small_texts(cast: Cast, server: Server, files: dict[str, str]) -> None:
    with everything("test"), pytest.raises(Invalid):
        brand_pages.set_skeleton(actor=cast.reseller_a.actor, brand=brand_of(cast.client_a), files=files)


def test_a_key_gets_into_the_brands_own_zone_and_into_nobody_elses(cast: Cast, server: Server) -> None:
    owner = cast.reseller_a
    with everything("test"):
        own = organizations.create_client(actor=SYSTEM, parent=owner.organization, name="Ourselves")
        package = factories.package(owner.organization, name="Own")
        mine = factories.account(own, package, "reseller-a.example")
        sender = mail_senders.make_key(actor=owner.actor, brand=brand_of(cast.client_a))
        name, text = brand_mail.key_record(sender)
        (record,) = Record.objects.filter(type="TXT")
        assert (record.zone.hosting_id, f"{record.name}.{record.zone.name}", record.content) == (mine.id, name, text)
        mail_senders.make_key(actor=cast.reseller_b.actor, brand=brand_of(cast.client_b))
        assert Record.objects.filter(type="TXT").count() == 1


def test_an_account_that_gets_another_client_brings_the_pages_of_its_brand(cast: Cast, server: Server) -> None:
    hosting = order(cast.client_a, "one.example")
    applied(server)
    with everything("test"):
        shared = factories.package(cast.provider.organization, name="Everybody's")
        relocations.move_account(
            actor=cast.provider.actor, hosting=hosting, organization=cast.client_b.organization, package=shared
        )
        assert dirty() == {"server", hosting.id}
        assert [pages.brand for pages in desired.server_spec(server).brand_pages] == [brand_of(cast.client_b).id]
