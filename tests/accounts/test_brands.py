"""Brands: pictures, colours and links in pages and API, and what strangers get of them."""

import base64
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import Brand, BrandImage
from accounts.services import brand_images, brands
from panel.core import colors
from panel.core.errors import Forbidden, Invalid
from panel.core.models import AuditEntry
from panel.core.scoping import everything, tenant
from tests.cast import HOST_A, HOST_B, Cast

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><rect width="20" height="10" fill="#c2410c"/></svg>'


def png(color: str = "#c2410c", size: tuple[int, int] = (60, 20)) -> bytes:
    """Return a picture as a file."""
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    return out.getvalue()


def put(cast: Cast, slot: str, content: bytes) -> Brand:
    """Give reseller A's brand a picture."""
    with tenant(cast.reseller_a.actor.path):
        return brand_images.put(
            actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, slot=slot, content=content
        )


def form(**values: object) -> dict[str, object]:
    """Return what the page sends of reseller A's brand."""
    return {
        "name": "Atelier A",
        "primary_color": "#c2410c",
        "accent_color": "#0f766e",
        "panel_host": HOST_A,
        "nameservers": "ns1.reseller-a.example\nns2.reseller-a.example",
        "mail_host": "mail.reseller-a.example",
        "hostmaster": "hostmaster@reseller-a.example",
        "locale": "en",
        **values,
    }


def test_a_picture_is_served_by_what_it_shows_and_runs_nothing(cast: Cast) -> None:
    brand = put(cast, "logo", SVG)
    answer = Client(headers={"host": HOST_A}).get(f"/brand/files/{brand.logo}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "immutable" in answer.headers["cache-control"]
    assert b"#c2410c" in answer.content


@pytest.mark.parametrize("name", ["../settings", "..%2f..%2fsettings.py", "%2e%2e/x", "logo.png", "0" * 64 + ".png"])
def test_i2_no_name_leads_out_of_the_pictures(cast: Cast, name: str) -> None:
    assert Client(headers={"host": HOST_A}).get(f"/brand/files/{name}").status_code == 404


def test_i2_the_name_that_a_file_came_with_is_kept_nowhere(cast: Cast) -> None:
    upload = SimpleUploadedFile("../../etc/evil.svg.php", png(), content_type="text/x-php")
    answer = cast.reseller_a.browser().post("/brand/", form(logo=upload))
    assert answer.status_code == 302
    with everything("test"):
        image = BrandImage.objects.get()
    assert re.fullmatch(r"[0-9a-f]{64}\.png", image.name)
    assert image.content_type == "image/png"


def test_i2_a_drawing_that_runs_is_refused_at_its_field_and_nothing_is_half_done(cast: Cast) -> None:
    upload = SimpleUploadedFile("logo.svg", SVG.replace(b"<rect", b"<script>alert(1)</script><rect"))
    answer = cast.reseller_a.browser().post("/brand/", form(name="Other", logo=upload))
    assert answer.status_code == 400
    assert "script" in str(answer.context["form"].errors["logo"])
    with everything("test"):
        assert Brand.objects.get(panel_host=HOST_A).name == "Atelier A"
        assert not BrandImage.objects.exists()


def test_a_new_picture_takes_the_place_of_the_old_one(cast: Cast) -> None:
    first = put(cast, "logo", png()).logo
    brand = put(cast, "logo", png("#0f766e"))
    with everything("test"):
        assert [image.name for image in BrandImage.objects.all()] == [brand.logo] != [first]
    with tenant(cast.reseller_a.actor.path):
        brand_images.remove(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, slot="logo")
    with everything("test"):
        assert not BrandImage.objects.exists()
        assert AuditEntry.objects.filter(action="brand.change", object_id=brand.pk).count() >= 3


def test_who_follows_brands_is_told_of_pictures(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[frozenset[str]] = []
    monkeypatch.setattr(brands, "_followers", [lambda _actor, _brand, changed: told.append(changed)])
    put(cast, "logo", png())
    put(cast, "logo", png())
    assert told == [frozenset({"logo"}), frozenset()]


def test_pages_show_the_logo_of_their_host_and_no_other(cast: Cast) -> None:
    logo, dark = put(cast, "logo", png()).logo, put(cast, "logo_dark", png("#ffffff")).logo_dark
    page = Client(headers={"host": HOST_A}).get("/sign-in/").content.decode()
    assert f'src="/brand/files/{logo}" alt="Atelier A"' in page
    assert f'src="/brand/files/{dark}"' in page
    other = Client(headers={"host": HOST_B}).get("/sign-in/").content.decode()
    assert "/brand/files/" not in other


def test_the_icon_is_the_favicon_else_the_initial(cast: Cast) -> None:
    browser = Client(headers={"host": HOST_A})
    assert browser.get("/favicon.ico").headers["location"] == "/brand/icon.svg"
    icon = browser.get("/brand/icon.svg")
    assert icon.headers["content-type"] == "image/svg+xml"
    assert ">A</text>" in icon.content.decode()
    brand = put(cast, "favicon", png(size=(300, 300)))
    assert browser.get("/favicon.ico").headers["location"] == f"/brand/files/{brand.favicon}"


def test_links_phone_and_footer_stand_before_the_sign_in(cast: Cast) -> None:
    values = {
        "support_phone": "+49 (30) 123-45",
        "terms_url": "https://reseller-a.example/terms",
        "privacy_url": "https://reseller-a.example/privacy",
        "footer": "Atelier A <b>Ltd</b>, Wharf 3",
    }
    assert cast.reseller_a.browser().post("/brand/", form(**values)).status_code == 302
    page = Client(headers={"host": HOST_A}).get("/sign-in/").content.decode()
    for shown in (
        'href="tel:+493012345"',
        values["terms_url"],
        values["privacy_url"],
        "&lt;b&gt;Ltd&lt;/b&gt;, Wharf 3",
    ):
        assert shown in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("support_phone", "call me"),
        ("support_phone", "+49;ext=1"),
        ("terms_url", "javascript:alert(1)"),
        ("privacy_url", "ftp://reseller-a.example/"),
        ("footer", "x" * 301),
        ("footer", "two\nlines"),
        ("accent_color", "url(x)"),
        ("nameservers", ["ns1.reseller-a.example"]),
        ("nameservers", [f"ns{number}.reseller-a.example" for number in range(5)]),
    ],
)
def test_bad_values_are_refused_by_field(cast: Cast, field: str, value: object) -> None:
    with tenant(cast.reseller_a.actor.path), pytest.raises(Invalid) as refused:
        brands.set(actor=cast.reseller_a.actor, organization=cast.reseller_a.organization, **{field: value})
    assert refused.value.field == field


@pytest.mark.parametrize("color", ["#ffff00", "#ffffff", "#000000", "#c2410c", "#1f5fae", "#808080"])
def test_every_colour_is_corrected_until_everybody_can_see_it(color: str) -> None:
    for shade in colors.shades(color, color):
        assert shade.after >= shade.needed
        assert shade.corrected == (shade.before < shade.needed)
    for found in colors.variables(color).values():
        pair = colors.parse(found["--tblr-primary-fg"]), colors.parse(found["--tblr-primary"])
        assert colors.contrast(*pair) >= 4.4


def test_the_preview_shows_what_is_typed_says_why_a_colour_changes_and_changes_nothing(cast: Cast) -> None:
    answer = cast.reseller_a.browser().post(
        "/brand/preview/", {"name": "<i>New</i>", "primary_color": "#ffff00", "same_color": "on", "footer": "Foot"}
    )
    page = answer.content.decode()
    assert "&lt;i&gt;New&lt;/i&gt;" in page
    assert "#ffff00 has a contrast of 1.07 to 1" in page
    assert "Buttons on light pages become" in page
    with everything("test"):
        assert Brand.objects.get(panel_host=HOST_A).primary_color == colors.DEFAULT


def test_a_program_does_what_the_page_does(cast: Cast) -> None:
    program = cast.reseller_a.program()
    url = f"/api/v1/organizations/{cast.reseller_a.organization.pk}/brand"
    body = {"content": base64.b64encode(png()).decode()}
    brand = program.put(f"{url}/pictures/logo", body, content_type="application/json").json()
    assert program.get(brand["logo"]).headers["content-type"] == "image/png"
    changed = program.patch(url, {"accent_color": "#ffff00", "footer": "Foot"}, content_type="application/json").json()
    assert changed["footer"] == "Foot"
    assert {shade["ground"] for shade in changed["shades"] if shade["wanted"] == "#ffff00"} == {"light", "dark"}
    assert program.delete(f"{url}/pictures/logo").json()["logo"] == ""
    for wrong in ({"content": "***"}, {"content": "AAAA"}, {"content": "AAAA", "filename": "../x.png"}, {}):
        refused = program.put(f"{url}/pictures/logo", wrong, content_type="application/json")
        assert refused.status_code == 400
        assert refused.json()["field"]
    assert program.put(f"{url}/pictures/banner", body, content_type="application/json").status_code == 400


def test_who_only_reads_dresses_no_brand(cast: Cast) -> None:
    with tenant(cast.readonly_a.actor.path), pytest.raises(Forbidden):
        brand_images.put(
            actor=cast.readonly_a.actor, organization=cast.reseller_a.organization, slot="logo", content=png()
        )
