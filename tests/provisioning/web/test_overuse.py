"""What home pages tell of a plan: what is over it, since when, what follows, and where what is oversold is heading."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.services import plans
from panel.core.actors import Actor
from panel.core.scoping import everything
from provisioning.models import UsageDay, UsageNow
from provisioning.services import overuse
from tests.cast import Person
from tests.provisioning.ground import Ground

HOME = reverse("dashboard:home")
SYSTEM = Actor.system("test")
GB = 1_000_000_000


def sell(ground: Ground, policy: str = "notify") -> None:
    """Sell reseller A a plan of 100 GB, which it may sell more than once."""
    provider = ground.cast.provider.organization
    values: dict[str, Any] = {"disk_bytes": 100 * GB, "oversell_disk": True, "overuse": policy}
    with everything("test"):
        plan = plans.create(actor=SYSTEM, organization=provider, name="Big", resellers_allowed=True, **values)
        plans.assign(actor=SYSTEM, organization=ground.cast.reseller_a.organization, plan=plan)


def use(ground: Ground, *gigabytes: int) -> None:
    """Let reseller A's only account have used so much, day by day until today."""
    now = timezone.now()
    with everything("test"):
        for ago, used in enumerate(reversed(gigabytes)):
            figures = {"disk_bytes": used * GB, "measured_at": now - timedelta(days=ago)}
            day = (now - timedelta(days=ago)).date()
            UsageDay.objects.create(hosting=ground.account_a, server=ground.server, date=day, **figures)
        figures = {"disk_bytes": gigabytes[-1] * GB, "measured_at": now, "month": now.date().replace(day=1)}
        UsageNow.objects.create(hosting=ground.account_a, server=ground.server, **figures)
        overuse.check()


def read(person: Person) -> str:
    """Return the person's home, with plain spaces between figures and units."""
    return person.browser().get(HOME).content.decode().replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("policy", "own", "below"),
    [
        ("block", "No new accounts can be made until", "No new accounts can be made there until"),
        ("notify", "Nothing is refused for it. Use less", "Nothing is refused for it, as the plan says."),
    ],
)
def test_what_is_over_a_plan_is_told_to_both_ends_of_it_and_nobody_else(
    ground: Ground, policy: str, own: str, below: str
):
    sell(ground, policy)
    use(ground, 120)
    cast = ground.cast
    reseller, provider = read(cast.reseller_a), read(cast.provider)
    assert "You use more than your plan has: 120 GB of 100 GB (disk space)." in reseller
    assert own in reseller
    assert f'href="{reverse("accounts:own_limits")}"' in reseller
    name = cast.reseller_a.organization.name
    assert f"{name} uses more than its plan has: 120 GB of 100 GB (disk space)." in provider
    assert below in provider
    for stranger in (cast.reseller_b, cast.client_a, cast.client_b):
        assert "plan has:" not in stranger.browser().get(HOME, follow=True).content.decode()


def test_a_suspended_reseller_is_named_with_what_it_waits_for(ground: Ground):
    sell(ground, "suspend")
    use(ground, 120)
    assert "It is suspended with its accounts for it" in read(ground.cast.provider)


def test_a_notice_goes_with_what_it_is_about(ground: Ground):
    sell(ground)
    use(ground, 120)
    with everything("test"):
        UsageNow.objects.update(disk_bytes=90 * GB)
        overuse.check()
    assert "plan has:" not in read(ground.cast.reseller_a)


def test_what_is_oversold_shows_its_real_use_with_a_forecast(ground: Ground):
    sell(ground)
    use(ground, 50, 60, 70, 80)
    page = read(ground.cast.reseller_a).partition('id="plan-title"')[2].partition("</section>")[0]
    assert "80 GB of 100 GB" in page
    assert "Sold more than once: what is really used counts." in page
    assert "At the present pace (10 GB a day) the limit is reached on" in page


def test_the_days_of_a_chart_follow_what_is_measured(ground: Ground):
    sell(ground)
    use(ground, 10, 20, 30)
    before = read(ground.cast.reseller_a)
    assert "(10 GB a day)" in before
    with everything("test"):
        UsageDay.objects.filter(date=timezone.now().date()).update(disk_bytes=50 * GB)
        UsageNow.objects.update(disk_bytes=50 * GB)
    assert "(20 GB a day)" in read(ground.cast.reseller_a)
