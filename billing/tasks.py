"""Celery tasks of billing: they carry ids only; all they need is in the database."""

from __future__ import annotations

from celery import shared_task

from billing.services import vat_checks


@shared_task(name="billing.tasks.check_vat_number")
def check_vat_number(customer_id: str) -> None:
    """Ask whether a customer's VAT number is valid."""
    vat_checks.check(customer_id)


@shared_task(name="billing.tasks.check_vat_numbers")
def check_vat_numbers() -> None:
    """Ask about VAT numbers that have no answer yet, and again about those whose answer is old."""
    for customer_id in vat_checks.due():
        vat_checks.check(customer_id)
