"""The limited panel of a client: what to do first, only what the package has, and why not the rest."""

from __future__ import annotations

import pytest
from django.urls import reverse

from panel.core.scoping import everything
from provisioning.models import HostingAccount, MailDomain
from provisioning.services import packages
from tests.cast import Cast
from tests.provisioning import factories


@pytest.fixture
def account(cast: Cast) -> HostingAccount:
    """An account of client A."""
    factories.server(cast.provider.organization)
    return factories.account(
        cast.client_a.organization, factories.package(cast.reseller_a.organization), "bakery.example"
    )


def page(cast: Cast, account: HostingAccount, tab: str = "account") -> str:
    return cast.client_a.browser().get(reverse(f"provisioning:{tab}", args=[account.pk])).content.decode()


def test_a_new_account_says_what_to_do_first_with_values_to_copy(cast: Cast, account: HostingAccount):
    shown = page(cast, account)
    assert "Let your domain lead here" in shown
    assert 'data-copy="ns1.reseller-a.example"' in shown
    assert 'data-copy="mail.reseller-a.example"' in shown
    assert "northwind" not in shown.lower()
    with everything("test"):
        MailDomain.objects.update(delivery="verified")
    assert "ns1.reseller-a.example" not in page(cast, account).partition("</details>")[0]


def test_only_features_of_the_package_show_and_the_rest_says_why(cast: Cast, account: HostingAccount):
    assert "DNS" in page(cast, account)
    with everything("test"):
        packages.change(actor=cast.reseller_a.actor, package=account.package, features=["mail"])
    shown = page(cast, account)
    assert reverse("provisioning:account_mail", args=[account.pk]) in shown
    for tab in ("account_databases", "account_zones"):
        assert f'href="{reverse(f"provisioning:{tab}", args=[account.pk])}"' not in shown
        assert "Not part of this account" in page(cast, account, tab)
    assert "Add database" not in page(cast, account, "account_databases")
    assert "Add alias" not in page(cast, account, "account_sites")
    assert "Add mailbox" in page(cast, account, "account_mail")


def test_nobody_but_the_provider_reads_what_servers_are_called(cast: Cast, account: HostingAccount):
    with everything("test"):
        name = account.placements.earliest("id").server.name
    url = reverse("provisioning:account", args=[account.pk])
    shown = {role: getattr(cast, role).browser().get(url).content.decode() for role in ("provider", "reseller_a")}
    assert f"<dd>{name}</dd>" in shown["provider"]
    assert name not in shown["reseller_a"]
    assert name not in page(cast, account)
