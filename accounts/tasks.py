"""Celery tasks of mail and sign-in: they carry ids only; all they need is in the database."""

from __future__ import annotations

from celery import shared_task

from accounts.services import addresses, devices, mail_senders, outgoing_mails


@shared_task(name="accounts.tasks.deliver_mail")
def deliver_mail(mail_id: str) -> None:
    """Send one mail."""
    outgoing_mails.deliver(mail_id)


@shared_task(name="accounts.tasks.sweep_mail")
def sweep_mail() -> None:
    """Send what waits, look whether keys are still published, and forget what is old."""
    for mail_id in outgoing_mails.due():
        outgoing_mails.deliver(mail_id)
    for sender_id in mail_senders.due():
        mail_senders.look(sender_id)
    outgoing_mails.forget()


@shared_task(name="accounts.tasks.check_sender")
def check_sender(sender_id: str) -> None:
    """Look up whether a brand's key is published."""
    mail_senders.look(sender_id)


@shared_task(name="accounts.tasks.try_sender")
def try_sender(sender_id: str) -> None:
    """Try a brand's own SMTP account."""
    mail_senders.try_out(sender_id)


@shared_task(name="accounts.tasks.forget_sign_in")
def forget_sign_in() -> None:
    """Delete browsers that nobody uses any more, and changes of address that nobody confirmed."""
    devices.forget_old()
    addresses.forget_old()
