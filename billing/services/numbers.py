"""The numbers of papers: the next of a seller's series in a year, without gaps, and the payment reference."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from stdnum.iso7064 import mod_97_10

from accounts.models import Organization
from billing.models import Invoice, SeriesCounter
from panel.core.scoping import everything


def next_number(seller: Organization, series: str, year: int) -> int:
    """Return the next number of a series: the first is 1, and none is given twice or left out."""
    return next_numbers(seller, series, year, 1)


def next_numbers(seller: Organization, series: str, year: int, count: int) -> int:
    """Take the next `count` numbers of a series and return the first of them.

    The counter stays locked until the transaction ends, and goes back with it: who takes a number and fails leaves no
    gap. Raises RuntimeError outside of a transaction.
    """
    counter = _locked(seller, series, year)
    counter.last += count
    with everything("numbers of papers"):
        counter.save(update_fields=["last"])
    return counter.last - count + 1


def earliest_day(seller: Organization, series: str, on: date) -> date:
    """Return the day that a paper of a series may have which was due on a day: that, or the newest paper's if it is
    later, so that numbers follow days. The series' counter stays locked until the transaction ends.
    """
    counter = _locked(seller, series, on.year)
    with everything("numbers of papers"):
        papers = Invoice.objects.filter(seller=seller, series=series, year=on.year, number=counter.last)
        newest = papers.values_list("issued_on", flat=True).first()
    return max(on, newest or on)


def _locked(seller: Organization, series: str, year: int) -> SeriesCounter:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A number is taken in the transaction of the paper that has it.")
    with everything("numbers of papers"):
        counters = SeriesCounter.objects.filter(seller=seller, series=series, year=year)
        counter = counters.select_for_update().first()
        if counter is None:
            new = SeriesCounter(seller=seller, series=series, year=year)
            SeriesCounter.objects.bulk_create([new], ignore_conflicts=True)
            counter = counters.select_for_update().get()
    return counter


def label(series: str, year: int, number: int) -> str:
    """Return a number as papers write it, as in INV-2026-00012."""
    return f"{series}-{year}-{number:05d}"


def reference(series: str, year: int, number: int) -> str:
    """Return the creditor reference (ISO 11649) that a payment names: `RF`, check digits, series, year and number.

    Banks check it while it is typed, so that a payment finds its invoice. It has no hyphens: series of one seller
    differ without them, too, which services.sellers sees to.
    """
    body = f"{plain(series)}{year}{number:05d}"
    return f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"


def plain(series: str) -> str:
    """Return what stands in a reference for a series: its letters and digits."""
    return "".join(char for char in series.upper() if char.isascii() and char.isalnum())
