"""Which language a page speaks: the person's own, else the browser's, else the brand's."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.services import brands
from panel.core.actors import Actor
from panel.core.scoping import everything
from tests.cast import Cast

SIGN_IN = reverse("account_login")
HOME = reverse("dashboard:home")


@pytest.fixture(autouse=True)
def languages(settings: Any) -> None:
    """A panel that speaks three languages."""
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Fran\u00e7ais")]


def spoken(client: Client, url: str, asked: str = "") -> str:
    answer = client.get(url, headers={"accept-language": asked} if asked else {})
    language: str = answer.headers["Content-Language"]
    assert f'<html lang="{language}"' in answer.content.decode()
    return language


def test_a_person_reads_the_language_of_their_profile(cast: Cast):
    cast.reseller_a.user.locale = "de"
    cast.reseller_a.user.save()
    assert spoken(cast.reseller_a.browser(), HOME, "fr") == "de"
    cast.reseller_a.user.locale = "xx"
    cast.reseller_a.user.save()
    assert spoken(cast.reseller_a.browser(), HOME, "fr") == "fr"


def test_a_stranger_reads_the_browsers_language_or_the_brands(cast: Cast):
    with everything("test"):
        brand = brands.set(actor=Actor.system("test"), organization=cast.reseller_a.organization)
        type(brand).objects.filter(pk=brand.pk).update(locale="fr")
    stranger = Client(headers={"host": cast.reseller_a.host})
    assert spoken(stranger, SIGN_IN) == "fr"
    assert spoken(stranger, SIGN_IN, "de-AT, de;q=0.9") == "de"
    assert spoken(Client(headers={"host": cast.provider.host}), SIGN_IN) == "en"


def test_times_are_in_the_readers_zone_with_the_exact_time_beside(cast: Cast):
    cast.reseller_a.user.timezone = "Asia/Kolkata"
    cast.reseller_a.user.save()
    page = cast.reseller_a.browser().get(reverse("accounts:client_list")).content.decode()
    assert '<time datetime="' in page
