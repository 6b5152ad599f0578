"""The bench of billing: how long a year of subscriptions takes to be charged and invoiced, and with how much memory.

Each size runs on a PostgreSQL of its own and in a process of its own: `python -m tests.bench.billing COUNT`.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import services

from tests.bench import panel
from tests.bench.figures import Figures, Line

MONTHS = 12
MOST_SECONDS = 600
MOST_MIB = 300
MOST_GROWTH = 1.3
SIZES, QUICK = (1_000, 10_000), (100, 1_000)
FIRST = date(2025, 1, 1)


def run(*, quick: bool) -> Figures:
    """Bill a year of few subscriptions and of ten times as many."""
    figures = Figures()
    each: list[float] = []
    for count in QUICK if quick else SIZES:
        told = _measured(count)
        papers, seconds, mib = int(told["invoices"]), float(told["seconds"]), float(told["mib"])
        if papers != count * MONTHS:
            raise panel.BenchFailed(f"{count} subscriptions had {papers} invoices in {MONTHS} months")
        each.append(seconds / papers * 1000)
        full = count == SIZES[-1]
        figures.limit(f"seconds_{count}", f"{papers} invoices", seconds, "s", MOST_SECONDS if full else None)
        figures.limit(f"mib_{count}", f"{papers} invoices, memory", mib, "MiB", MOST_MIB)
        figures.add(f"each_{count}", Line(f"{papers} invoices, each", f"{each[-1]:.2f} ms"), each[-1])
    growth = each[1] / each[0]
    line = Line("an invoice of ten times as many", f"{growth:.2f} times", "", f"≤ {MOST_GROWTH}", growth <= MOST_GROWTH)
    figures.add("growth", line, growth)
    return figures


def _measured(count: int) -> dict[str, Any]:
    with services.postgresql() as database, services.redis() as queue:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "panel.settings.production",
            "HOSTWRIGHT_SECRET_KEY": secrets.token_hex(32),
            "HOSTWRIGHT_VAULT_KEY": panel.vault_key(),
            "HOSTWRIGHT_DATABASE_URL": database,
            "HOSTWRIGHT_REDIS_URL": queue,
            "HOSTWRIGHT_LOG_LEVEL": "ERROR",
            "PYTHONPATH": os.pathsep.join(str(panel.ROOT / part) for part in (".", "script/lib")),
        }
        for words in (["manage.py", "migrate", "--verbosity=0"], ["-m", "tests.bench.billing", str(count)]):
            done = subprocess.run(
                ["setpriv", "--pdeathsig=TERM", "--", sys.executable, *words],
                cwd=panel.ROOT,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise panel.BenchFailed(f"{' '.join(words)}: {done.stderr[-2000:]}")
        told: dict[str, Any] = json.loads(done.stdout)
        return told


def main(count: int) -> None:
    """Make `count` subscriptions and bill a year of them, month by month; prints what it took as JSON."""
    import django

    django.setup()
    from billing.pricing import calendar
    from billing.services import runs

    _fill(count)
    seconds, invoices = 0.0, 0
    for month in range(1, MONTHS + 1):
        last = calendar.add_months(FIRST, month) - timedelta(days=1)
        began = time.perf_counter()
        report = runs.bill(datetime.combine(last, datetime.min.time(), UTC))
        seconds += time.perf_counter() - began
        if not report.is_clean:
            raise panel.BenchFailed(f"left out: {[*report.parked, *report.failed][:3]}")
        invoices += report.invoices
        _pay()
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "mib": mib, "invoices": invoices}))


def _pay() -> None:
    """Settle what was invoiced, as customers do meanwhile: dunning is not measured."""
    from django.utils import timezone

    from billing.models import Receivable
    from panel.core.scoping import everything

    with everything("bench"):
        Receivable.objects.filter(settled_at=None).update(open=0, settled_at=timezone.now())


def _fill(count: int) -> None:
    """Make a reseller with `count` clients, each with one subscription; their days are spread over the month."""
    from django.db import connection

    from accounts.models import Organization
    from billing.models import Component, Customer, Price, Product, Seller, Subscription
    from panel.core.scoping import everything
    from panel.demo import world

    with everything("bench"):
        _logins, nodes, _actors = world.make_people()
        reseller = nodes["reseller"]
        Seller.objects.update_or_create(
            organization=reseller,
            defaults={
                "legal_name": "Bench",
                "days_ahead": 0,
                "due_days": 60,
                "reminder_days": [],
                "suspend_days": None,
            },
        )
        product = Product.objects.create(organization=reseller, kind="addon", name="Support")
        price = Price.objects.create(product=product, currency="USD", amount=Decimal(10), valid_from=FIRST)
        buyers = [Organization(kind="client", name=f"Client {number:05}", parent=reseller) for number in range(count)]
        for buyer in buyers:
            buyer.path = f"{reseller.path}{buyer.pk}/"
        Organization.objects.bulk_create(buyers, batch_size=2000)
        customers = Customer.objects.bulk_create(
            [Customer(seller=reseller, buyer=row, name=row.name, currency="USD", since=FIRST) for row in buyers],
            batch_size=2000,
        )
        days = [FIRST + timedelta(days=number % 28) for number in range(count)]
        made = Subscription.objects.bulk_create(
            [
                Subscription(customer=row, status="active", anchor=day, starts_on=day, billed_until=day, label="bench")
                for row, day in zip(customers, days, strict=True)
            ],
            batch_size=2000,
        )
        Component.objects.bulk_create(
            [
                Component(subscription=row, product=product, price=price, amount=price.amount, starts_on=row.starts_on)
                for row in made
            ],
            batch_size=2000,
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main(int(sys.argv[1]))
