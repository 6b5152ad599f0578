"""What is held back of who owes: of a reseller in stages, never its clients' work before it was announced, and what a
person has done meanwhile stays theirs.
"""

from __future__ import annotations

import pytest

from accounts.selectors.organizations import standing
from accounts.services import organizations
from billing.models import Hold
from billing.services import holds
from panel.core.errors import Conflict, Forbidden
from panel.core.scoping import everything, tenant
from provisioning.services import hosting_accounts, tenancy
from tests.billing import debt as debts
from tests.billing.debt import SYSTEM, Debt, at, letters, mails
from tests.provisioning.ground import Ground


@pytest.fixture
def debt(ground: Ground) -> Debt:
    return debts.of_client(ground)


@pytest.fixture
def reseller(ground: Ground) -> Debt:
    return debts.of_reseller(ground, sites_days=30)


def suspended(debt: Debt) -> None:
    """Let a client be suspended for an invoice."""
    debt.run(*[at(day) for day in range(8)])
    debt.report(at(7, 7))
    assert debt.holds() == {"sites": "done"}


def order(debt: Debt, person: str) -> None:
    """Order an account for client A as one of the cast."""
    cast, ground = debt.ground.cast, debt.ground
    actor = getattr(cast, person).actor if person != "system" else SYSTEM
    with tenant(actor.path):
        hosting_accounts.create(
            actor=actor, organization=cast.client_a.organization, package=ground.package_a, domain="new-shop.example"
        )


def test_an_unpaid_reseller_gets_no_new_accounts_first(reseller: Debt) -> None:
    invoice = reseller.invoice()
    reseller.run(*[at(day) for day in range(8)])
    assert (reseller.holds(), reseller.buyer().status, reseller.sites()) == ({"orders": "done"}, "active", ["active"])
    with pytest.raises(Conflict) as own:
        order(reseller, "reseller_a")
    assert invoice.label in own.value.message
    with pytest.raises(Conflict) as system:
        order(reseller, "system")
    assert system.value.code == own.value.code == "orders_held"
    assert invoice.label not in system.value.message
    reseller.pay(invoice)
    assert reseller.holds() == {"orders": "lifted"}
    order(reseller, "reseller_a")


def test_a_sub_reseller_is_told_nothing_of_those_above(reseller: Debt) -> None:
    invoice = reseller.invoice()
    reseller.run(*[at(day) for day in range(8)])
    cast = reseller.ground.cast
    with tenant(cast.sub_reseller.actor.path), pytest.raises(Conflict) as refused:
        hosting_accounts.create(
            actor=cast.sub_reseller.actor,
            organization=cast.client_sub.organization,
            package=debts.package_of(cast.sub_reseller.organization),
            domain="new-shop.example",
        )
    assert invoice.label not in refused.value.message
    assert "Northwind" not in refused.value.message


def test_then_its_panel_is_closed_and_its_clients_go_on(reseller: Debt) -> None:
    invoice = reseller.invoice()
    reseller.run(*[at(day) for day in range(15)])
    cast = reseller.ground.cast
    assert reseller.holds() == {"orders": "done", "panel": "done"}
    assert (reseller.buyer().status, reseller.sites()) == ("suspended", ["active"])
    assert standing(reseller.buyer()).own
    assert standing(cast.client_a.organization).active
    page = cast.reseller_a.browser().get("/")
    assert page.status_code == 403
    assert invoice.label in page.content.decode()
    assert cast.client_a.browser().get("/accounts/").status_code == 200
    reseller.pay(invoice)
    assert reseller.holds() == {"orders": "lifted", "panel": "lifted"}
    assert cast.reseller_a.browser().get("/accounts/").status_code == 200


def test_its_clients_sites_only_after_a_notice_and_they_are_told_no_reason(reseller: Debt) -> None:
    invoice = reseller.invoice()
    steps = reseller.run(*[at(day) for day in range(31)])
    assert steps[-2:] == ["sites_notice", "sites"]
    assert "9 Apr 2026" in letters("payment_warning")[0]
    assert {reader for _kind, reader in mails()} == {"reseller-a@people.example"}
    reseller.report(at(30, 7))
    assert reseller.holds() == {"orders": "done", "panel": "done", "sites": "done"}
    assert reseller.sites() == ["suspended"]
    reseller.ground.account_a.refresh_from_db()
    assert reseller.ground.account_a.suspended_reason == ""
    page = reseller.ground.cast.client_a.browser().get("/").content.decode()
    assert invoice.label not in page
    reseller.pay(invoice)
    reseller.report(at(30, 8))
    assert set(reseller.holds().values()) == {"lifted"}
    assert (reseller.buyer().status, reseller.sites()) == ("active", ["active"])


def test_sites_stay_on_where_nobody_asked_for_them_to_go(ground: Ground) -> None:
    reseller = debts.of_reseller(ground)
    reseller.invoice()
    assert reseller.run(*[at(day) for day in range(90)])[-1] == "panel"
    assert reseller.sites() == ["active"]


def test_of_two_invoices_of_a_reseller_the_later_one_keeps_the_earlier_stage(reseller: Debt) -> None:
    first = reseller.invoice()
    second = reseller.invoice(issued=debts.ISSUED.replace(day=28))
    reseller.run(*[at(day) for day in range(31)])
    reseller.report(at(30, 7))
    reseller.pay(first)
    reseller.report(at(30, 8))
    assert reseller.holds() == {"orders": "done", "panel": "done", "sites": "lifted"}
    assert (reseller.buyer().suspended_alone, reseller.sites()) == (True, ["active"])
    reseller.pay(second)
    assert set(reseller.holds().values()) == {"lifted"}


def test_a_payment_never_lifts_what_a_person_has_suspended(debt: Debt) -> None:
    invoice, cast = debt.invoice(), debt.ground.cast
    with everything("test"):
        tenancy.suspend(actor=cast.reseller_a.actor, organization=debt.buyer(), reason="Spam was sent.", accounts=True)
    assert debt.run(*[at(day) for day in range(20)])[-1] == "reminder:5"
    debt.pay(invoice)
    assert (debt.buyer().status, debt.buyer().suspended_reason) == ("suspended", "Spam was sent.")
    assert debt.holds() == {}


def test_a_hold_waits_until_the_person_has_released(debt: Debt) -> None:
    debt.invoice()
    with everything("test"):
        tenancy.suspend(actor=debt.ground.cast.reseller_a.actor, organization=debt.buyer())
    assert debt.run(*[at(day) for day in range(20)])[-1] == "reminder:5"
    with everything("test"):
        tenancy.unsuspend(actor=debt.ground.cast.reseller_a.actor, organization=debt.buyer())
    assert debt.run(at(20))[-1] == "suspend"


def test_the_seller_can_release_by_hand_and_is_not_overruled(debt: Debt) -> None:
    invoice = debt.invoice()
    suspended(debt)
    with everything("test"):
        tenancy.unsuspend(actor=debt.ground.cast.reseller_a.actor, organization=debt.buyer())
    debt.run(at(7, 9), *[at(day) for day in range(8, 30)])
    assert (debt.buyer().status, debt.holds()) == ("active", {"sites": "lifted"})
    assert mails()[-1][0] == "payment_hold"
    with everything("test"):
        tenancy.suspend(actor=debt.ground.cast.reseller_a.actor, organization=debt.buyer(), reason="Spam was sent.")
    debt.pay(invoice)
    debt.report(at(30))
    assert debt.buyer().status == "suspended"


@pytest.mark.parametrize("person", ["reseller_a", "provider"])
def test_what_a_person_has_suspended_anew_stays_so_when_it_is_paid(debt: Debt, person: str) -> None:
    invoice = debt.invoice()
    suspended(debt)
    with everything("test"):
        actor = getattr(debt.ground.cast, person).actor
        tenancy.unsuspend(actor=actor, organization=debt.buyer())
        tenancy.suspend(actor=actor, organization=debt.buyer(), reason="Spam was sent.", accounts=True)
    debt.pay(invoice)
    debt.report(at(8))
    assert (debt.buyer().status, debt.buyer().suspended_reason) == ("suspended", "Spam was sent.")
    assert debt.sites() == ["suspended"]


def test_who_stands_above_takes_a_suspension_over(debt: Debt) -> None:
    invoice = debt.invoice()
    suspended(debt)
    with everything("test"):
        tenancy.suspend(
            actor=debt.ground.cast.provider.actor, organization=debt.buyer(), reason="Police", accounts=True
        )
        with pytest.raises(Forbidden):
            tenancy.unsuspend(actor=holds.acting(debt.customer), organization=debt.buyer())
    debt.pay(invoice)
    debt.report(at(8))
    assert (debt.buyer().status, debt.buyer().suspended_reason) == ("suspended", "Police")


def test_a_buyer_that_was_closed_when_it_paid_is_active_once_it_is_opened_again(debt: Debt) -> None:
    invoice = debt.invoice()
    suspended(debt)
    with everything("test"):
        buyer = debt.buyer()
        tenancy.close(actor=SYSTEM, organization=buyer, accounts=True, confirm=buyer.name)
    debt.pay(invoice)
    with everything("test"):
        tenancy.reopen(actor=SYSTEM, organization=debt.buyer())
    debt.report(at(9))
    assert (debt.buyer().status, debt.sites()) == ("active", ["active"])


def test_who_buys_from_somebody_else_now_is_not_held_back(debt: Debt) -> None:
    debt.invoice()
    with everything("test"):
        cast = debt.ground.cast
        other = organizations.create_client(actor=SYSTEM, parent=cast.reseller_b.organization, name="Moved")
        debt.customer.buyer = other
        debt.customer.save()
    assert debt.run(*[at(day) for day in range(20)])[-1] == "reminder:5"
    with everything("test"):
        assert not Hold.objects.exists()
