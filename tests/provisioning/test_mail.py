"""Mail domains, mailboxes and aliases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import bcrypt
import pytest
from django.utils import timezone

from accounts.models import Organization
from accounts.services import limits
from panel.core.actors import Actor
from panel.core.errors import NotFound
from panel.core.scoping import everything
from provisioning import mx_check
from provisioning.models import MailAlias, Mailbox, MailDomain
from provisioning.services import hosting_accounts, mail_aliases, mail_domains, mailboxes
from tests.provisioning import factories
from tests.provisioning.ground import Ground, acting, dirty, entries, last_operation, refused, used

SYSTEM = Actor.system("test")
PASSWORD = "correct horse 42"


def box(ground: Ground, local: str = "anna", **values: Any) -> Mailbox:
    """Create a mailbox as client A does."""
    with acting(ground.cast.client_a):
        return mailboxes.create(
            actor=ground.cast.client_a.actor,
            mail_domain=ground.mail_domain,
            **{"local": local, "password": PASSWORD, **values},
        )[0]


def alias(ground: Ground, local: str = "info", destinations: Any = ("anna@a-site.org",)) -> MailAlias:
    """Create an alias as client A does."""
    with acting(ground.cast.client_a):
        return mail_aliases.create(
            actor=ground.cast.client_a.actor, mail_domain=ground.mail_domain, local=local, destinations=destinations
        )[0]


def test_a_mailbox_keeps_a_hash_and_counts(ground: Ground):
    mailbox = box(ground, "Anna.B", quota_bytes=1024**3)
    assert mailbox.address == "anna.b@a-site.org"
    assert bcrypt.checkpw(PASSWORD.encode(), mailbox.password_hash.encode())
    assert used(ground.account_a.id, "mailboxes") == 1
    assert len(dirty(ground.account_a)) == 2


@pytest.mark.parametrize("quota", [0, -1, True, "5", 2**63])
def test_a_quota_is_a_size(ground: Ground, quota: Any):
    with acting(ground.cast.client_a), refused("quota", "quota_bytes"):
        mailboxes.create(
            actor=ground.cast.client_a.actor,
            mail_domain=ground.mail_domain,
            local="a",
            password=PASSWORD,
            quota_bytes=quota,
        )
    mailbox = box(ground)
    with acting(ground.cast.client_a), refused("quota", "quota_bytes"):
        mailboxes.change(actor=ground.cast.client_a.actor, mailbox=mailbox, quota_bytes=quota)


def test_two_changes_of_one_mailbox_both_stay(ground: Ground):
    mailbox = box(ground)
    with acting(ground.cast.client_a):
        actor, stale = ground.cast.client_a.actor, Mailbox.objects.get(pk=mailbox.pk)
        mailboxes.change(actor=actor, mailbox=mailbox, quota_bytes=5000)
        mailboxes.change(actor=actor, mailbox=stale, enabled=False)
        with refused("unknown", "uid"):
            mailboxes.change(actor=actor, mailbox=mailbox, uid=0)
        kept = Mailbox.objects.get(pk=mailbox.pk)
    assert (kept.quota_bytes, kept.enabled) == (5000, False)


def test_a_mailbox_goes_once_and_by_its_address(ground: Ground):
    mailbox = box(ground)
    box(ground, "berta")
    with acting(ground.cast.client_a):
        actor = ground.cast.client_a.actor
        with refused("confirm", "confirm"):
            mailboxes.remove(actor=actor, mailbox=mailbox, confirm="anna")
        mailboxes.remove(actor=actor, mailbox=mailbox, confirm="anna@a-site.org")
        mailbox.pk = mailbox.id
        with pytest.raises(NotFound):
            mailboxes.remove(actor=actor, mailbox=mailbox, confirm="anna@a-site.org")
    assert used(ground.account_a.id, "mailboxes") == 1


def test_an_address_is_either_mailbox_or_alias(ground: Ground):
    box(ground)
    alias(ground)
    with acting(ground.cast.client_a):
        actor, domain = ground.cast.client_a.actor, ground.mail_domain
        with refused("conflict", "local", 409):
            mailboxes.create(actor=actor, mail_domain=domain, local="INFO", password=PASSWORD)
        with refused("conflict", "local", 409):
            mail_aliases.create(actor=actor, mail_domain=domain, local="anna", destinations=["x@y.org"])
        with refused("conflict", "local", 409):
            mailboxes.create(actor=actor, mail_domain=domain, local="anna", password=PASSWORD)
        with refused("conflict", "local", 409):
            mail_aliases.create(actor=actor, mail_domain=domain, local="info", destinations=["x@y.org"])


def test_a_mailbox_has_no_plus_in_its_name(ground: Ground):
    with acting(ground.cast.client_a), refused("plus", "local"):
        mailboxes.create(
            actor=ground.cast.client_a.actor, mail_domain=ground.mail_domain, local="lena+shop", password=PASSWORD
        )


@pytest.mark.parametrize("local", ["postmaster", "Abuse", "hostmaster", "mailer-daemon"])
def test_g5_role_names_are_nobodys_private_mailbox(ground: Ground, local: str):
    with acting(ground.cast.client_a), refused("role_name", "local"):
        mailboxes.create(
            actor=ground.cast.client_a.actor, mail_domain=ground.mail_domain, local=local, password=PASSWORD
        )
    assert alias(ground, "postmaster").address == "postmaster@a-site.org"


@pytest.mark.parametrize(
    "destination",
    [
        "|/bin/sh",
        '"|/bin/sh"@a-site.org',
        "/etc/passwd",
        ":include:/etc/passwd",
        "anna",
        "@a-site.org",
        "a@b.org, c@d.org",
        "a@b.org\nc@d.org",
        "a@[127.0.0.1]",
        "a@b.org.",
        "",
        None,
        7,
    ],
)
def test_g5_destinations_are_addresses_only(ground: Ground, destination: Any):
    for destinations in ([destination], ["fine@a-site.org", destination]):
        with acting(ground.cast.client_a), refused(None, "destinations"):
            mail_aliases.create(
                actor=ground.cast.client_a.actor, mail_domain=ground.mail_domain, local="x", destinations=destinations
            )


def test_an_alias_needs_somewhere_to_go(ground: Ground):
    with acting(ground.cast.client_a):
        for destinations, code in (
            ([], "required"),
            ("anna@a-site.org", "required"),
            (["x@a-site.org"], "loop"),
            ([f"a{number}@b.org" for number in range(51)], "too_many"),
        ):
            with refused(code, "destinations"):
                mail_aliases.create(
                    actor=ground.cast.client_a.actor,
                    mail_domain=ground.mail_domain,
                    local="x",
                    destinations=destinations,
                )


def test_destinations_are_normal_and_each_once(ground: Ground):
    made = alias(ground, destinations=["Anna@Bücher.org", "anna@xn--bcher-kva.ORG", "b@b.org"])
    assert made.destinations == ["anna@xn--bcher-kva.org", "b@b.org"]
    with acting(ground.cast.client_a):
        actor = ground.cast.client_a.actor
        changed, _operation = mail_aliases.change(actor=actor, alias=made, destinations=["c@c.org"])
        assert changed.destinations == ["c@c.org"]
        mail_aliases.remove(actor=actor, alias=changed)
        made.pk = made.id
        with pytest.raises(NotFound):
            mail_aliases.change(actor=actor, alias=made, destinations=["d@d.org"])
    assert used(ground.account_a.id, "aliases") == 0


def test_limits_hold(ground: Ground):
    with everything("test"):
        limits.set_limit(subject=ground.account_a.id, resource="mailboxes", limit=1)
        limits.set_limit(subject=ground.account_a.id, resource="aliases", limit=1)
    box(ground)
    alias(ground)
    with acting(ground.cast.client_a):
        with refused("limit_reached", None, 409, says="mailboxes at this hosting account is reached: 1 of 1"):
            mailboxes.create(
                actor=ground.cast.client_a.actor, mail_domain=ground.mail_domain, local="b", password=PASSWORD
            )
        with refused("limit_reached", None, 409, says="aliases"):
            mail_aliases.create(
                actor=ground.cast.client_a.actor, mail_domain=ground.mail_domain, local="c", destinations=["x@y.org"]
            )


def test_mail_waits_for_the_mx_unless_staff_vouched(ground: Ground):
    Organization._base_manager.update(mail_vouched=False)
    hosting = factories.account(ground.cast.client_a.organization, ground.package_a, "waiting.org")
    mail_domain = MailDomain._base_manager.get(hosting=hosting)
    assert (mail_domain.delivery, mail_domain.delivers) == ("pending", False)
    with everything("test"):
        mail_domains.vouch(actor=ground.cast.provider.actor, mail_domain=mail_domain)
        vouched = MailDomain.objects.get(pk=mail_domain.pk)
        assert (vouched.delivery, vouched.vouched_by) == ("vouched", ground.cast.provider.user.id)
        with refused("delivers", None, 409):
            mail_domains.vouch(actor=ground.cast.provider.actor, mail_domain=mail_domain)


def test_only_staff_vouches(ground: Ground):
    MailDomain._base_manager.update(delivery="pending", vouched_by="")
    with everything("test"):
        for person in (ground.cast.client_a, ground.cast.readonly_a, ground.cast.reseller_a):
            with refused("forbidden", None, 403):
                mail_domains.vouch(actor=person.actor, mail_domain=ground.mail_domain)
        with refused("not_found", None, 404):
            mail_domains.vouch(actor=ground.cast.reseller_b.actor, mail_domain=ground.mail_domain)


def test_a_verified_mx_begins_delivery_once(ground: Ground):
    MailDomain._base_manager.update(delivery="pending", vouched_by="")
    with everything("test"):
        mail_domain = ground.mail_domain
        mail_domains.record_check(mail_domain_id=mail_domain.id, points_here=False)
        assert ground.mail_domain.delivery == "pending"
        assert ground.mail_domain.checked_at is not None
        mail_domains.record_check(mail_domain_id=mail_domain.id, points_here=True)
        mail_domains.record_check(mail_domain_id=mail_domain.id, points_here=True)
    assert ground.mail_domain.delivery == "verified"
    assert entries("mail_domain.verify") == 1
    assert last_operation(ground.account_a).verb == "mail_domain.verify"


def test_an_mx_check_that_comes_late_changes_nothing(ground: Ground):
    MailDomain._base_manager.update(delivery="pending", vouched_by="")
    with everything("test"):
        hosting_accounts.terminate(actor=SYSTEM, hosting=ground.account_a, confirm="a-site.org")
        mail_domains.record_check(mail_domain_id=ground.mail_domain.id, points_here=True)
        mail_domains.record_check(mail_domain_id="mdo_gone", points_here=True)
    assert ground.mail_domain.delivery == "pending"
    assert entries("mail_domain.verify") == 0


def test_mail_domains_are_looked_at_often_at_first_and_by_one_worker_each(ground: Ground):
    MailDomain._base_manager.update(delivery="pending", vouched_by="")
    with everything("test"):
        due = MailDomain.objects.filter(mx_check.due())
        one = due.get(hosting=ground.account_a)
        assert mail_domains.take_check(mail_domain=one)
        assert not mail_domains.take_check(mail_domain=one)
        assert not due.filter(pk=one.pk).exists()
        now = timezone.now()
        MailDomain.objects.filter(pk=one.pk).update(checked_at=now - timedelta(seconds=31))
        assert due.filter(pk=one.pk).exists()
        MailDomain.objects.filter(pk=one.pk).update(created_at=now - timedelta(hours=2))
        assert not due.filter(pk=one.pk).exists()
        MailDomain.objects.filter(pk=one.pk).update(checked_at=now - timedelta(minutes=61))
        assert due.filter(pk=one.pk).exists()
        hosting_accounts.suspend(actor=SYSTEM, hosting=ground.account_a)
        assert not due.filter(pk=one.pk).exists()


def test_others_can_not_touch_mail(ground: Ground):
    mailbox, made = box(ground), alias(ground)
    for person in (ground.cast.client_b, ground.cast.reseller_b, ground.cast.outsider):
        with everything("test"):
            with refused("not_found", None, 404):
                mailboxes.create(actor=person.actor, mail_domain=ground.mail_domain, local="x", password=PASSWORD)
            with refused("not_found", None, 404):
                mailboxes.change(actor=person.actor, mailbox=mailbox, password="my own secret 1")
            with refused("not_found", None, 404):
                mail_aliases.change(actor=person.actor, alias=made, destinations=["x@y.org"])
            with refused("not_found", None, 404):
                mail_aliases.remove(actor=person.actor, alias=made)
