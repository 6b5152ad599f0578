"""The demo's reseller on a plan of 30 earned 20, 70 and 220: what the demo proves from outside, by selectors."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from accounts.models import Organization
from billing.models import Invoice, Receivable
from billing.selectors import reports
from panel.core.scoping import everything, tenant
from panel.demo import earnings
from panel.demo.world import actor_of
from tests.cast import Cast


def test_ten_clients_at_5_then_10_then_25_leave_20_then_70_then_220(cast: Cast):
    made = earnings.make(cast.provider.actor, cast.provider.organization)
    with everything("test"):
        reseller = Organization.objects.get(name=earnings.RESELLER)
        member = reseller.memberships.select_related("user").get()
        issued = Invoice.objects.filter(status=Invoice.Status.ISSUED)
        assert issued.filter(seller=reseller).count() == 30
        assert issued.filter(buyer=reseller).count() == 3
        assert not Receivable.objects.filter(settled_at__isnull=True).exists()
    actor = actor_of(member.user, reseller)
    with tenant(actor.path):
        months = [date.fromisoformat(f"{month}-01") for month in made["months"]]
        earned = [reports.of_month(actor, "USD", month).profit for month in months]
    assert [profit.net for profit in earned] == [Decimal(20), Decimal(70), Decimal(220)]
    assert [profit.income for profit in earned] == [Decimal(50), Decimal(100), Decimal(250)]
    assert {profit.cost for profit in earned} == {Decimal(30)}
