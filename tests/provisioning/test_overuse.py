"""What follows when a reseller really uses more than its plan has: refusing, telling or suspending, and its end."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organization, OutgoingMail, ResellerPlan
from accounts.services import organizations, plans
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Overuse, UsageNow
from provisioning.services import hosting_accounts, overuse
from tests.provisioning.ground import Ground, entries, refused

SYSTEM = Actor.system("test")
GB = 1_000_000_000


def over(ground: Ground, policy: str, used: int = 120 * GB) -> ResellerPlan:
    """Let reseller A have a plan of 100 GB, and its account really use so much."""
    provider = ground.cast.provider.organization
    values: dict[str, Any] = {"disk_bytes": 100 * GB, "oversell_disk": True, "overuse": policy}
    plan = plans.create(actor=SYSTEM, organization=provider, name=policy, resellers_allowed=True, **values)
    plans.assign(actor=SYSTEM, organization=ground.cast.reseller_a.organization, plan=plan)
    uses(ground, used)
    return plan


def uses(ground: Ground, used: int) -> None:
    """Let the account of reseller A's client really use so much from now on."""
    UsageNow.objects.update_or_create(
        hosting=ground.account_a,
        server=ground.server,
        defaults={"disk_bytes": used, "measured_at": timezone.now(), "month": timezone.now().date().replace(day=1)},
    )


def order(ground: Ground, who: str = "client_a", domain: str = "new-site.org") -> HostingAccount:
    """Order an account."""
    package = ground.package_b if who == "client_b" else ground.package_a
    owner = getattr(ground.cast, who).organization
    return hosting_accounts.create(actor=SYSTEM, organization=owner, package=package, domain=domain)[0]


def test_new_accounts_are_refused_until_less_is_used(ground: Ground):
    with everything("test"):
        over(ground, "block")
        order(ground, domain="before-site.org")
        overuse.check()
        overuse.check()
        for who in ("client_a", "client_sub"):
            with refused("limit_reached", None, 409, says="at the reseller is reached: 120"):
                order(ground, who)
        order(ground, "client_b", "b-new-site.org")
        assert Overuse.objects.count() == entries("organization.overuse") == 1
        uses(ground, 100 * GB)
        overuse.check()
        assert not Overuse.objects.exists()
        order(ground)


def test_owners_are_told_once_and_nothing_is_refused(ground: Ground):
    with everything("test"):
        over(ground, "notify")
        overuse.check()
        overuse.check()
        mails = OutgoingMail.objects.filter(recipient=ground.cast.reseller_a.user.email)
        assert [mail.kind for mail in mails] == ["limit_warning"]
        order(ground)
        assert Organization.objects.get(pk=ground.cast.reseller_a.organization.pk).status == "active"


def test_a_reseller_is_suspended_with_its_accounts_and_released_by_itself(ground: Ground):
    reseller = ground.cast.reseller_a.organization
    with everything("test"):
        over(ground, "suspend")
        overuse.check()
        reseller.refresh_from_db()
        assert (reseller.status, reseller.suspended_by) == ("suspended", ground.cast.provider.organization)
        assert "disk space" in reseller.suspended_reason
        assert HostingAccount.objects.get(pk=ground.account_a.pk).status == "suspended"
        assert HostingAccount.objects.get(pk=ground.account_b.pk).status == "active"
        uses(ground, GB)
        overuse.check()
        reseller.refresh_from_db()
        assert (reseller.status, HostingAccount.objects.get(pk=ground.account_a.pk).status) == ("active", "active")


def test_a_suspension_by_hand_stays(ground: Ground):
    reseller = ground.cast.reseller_a.organization
    with everything("test"):
        organizations.suspend(actor=ground.cast.provider.actor, organization=reseller, reason="Unpaid")
        over(ground, "suspend")
        overuse.check()
        uses(ground, GB)
        overuse.check()
        reseller.refresh_from_db()
        assert (reseller.status, reseller.suspended_reason) == ("suspended", "Unpaid")


@pytest.mark.parametrize("used", [0, 100 * GB])
def test_as_much_as_was_bought_is_not_over(ground: Ground, used: int):
    with everything("test"):
        over(ground, "suspend", used)
        overuse.check()
        assert not Overuse.objects.exists()
