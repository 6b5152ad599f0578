"""Mail domains, and when mail for them is taken here."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from panel.core.actors import Actor
from panel.core.errors import Conflict, insert
from provisioning.models import Domain, HostingAccount, MailDomain, Operation
from provisioning.services import holding


def make(*, actor: Actor, hosting: HostingAccount, domain: Domain) -> MailDomain:
    """Make the mail domain of a domain. Runs in the caller's transaction.

    Mail is taken at once only where staff vouched on record for the accounts of an organization above; else when the
    public MX points here.
    """
    mail_domain = MailDomain(hosting=hosting, domain=domain, name=domain.name)
    forget_delivery(mail_domain)
    insert(mail_domain, taken=_("This mail domain exists already."), field="domain")
    return mail_domain


def forget_delivery(mail_domain: MailDomain) -> None:
    """Set whether mail is taken as for a new mail domain; what was known was of another name. The caller saves it."""
    ancestors = mail_domain.hosting.organization.path.strip("/").split("/")
    voucher = Organization._base_manager.filter(pk__in=ancestors, mail_vouched=True).order_by("path").first()
    known = (MailDomain.Delivery.VOUCHED, voucher.pk) if voucher else (MailDomain.Delivery.PENDING, "")
    mail_domain.delivery, mail_domain.vouched_by = known
    mail_domain.checked_at = None


def vouch(*, actor: Actor, mail_domain: MailDomain) -> Operation:
    """Staff vouch on record that this domain's mail belongs here, though its MX does not point here yet."""
    with holding.changing(actor, "mail_domain.vouch", mail_domain.hosting) as hosting:
        mail_domain = holding.current(mail_domain)
        if mail_domain.delivery != MailDomain.Delivery.PENDING:
            raise Conflict(_("Mail for this domain is taken here already."), code="delivers")
        mail_domain.delivery = MailDomain.Delivery.VOUCHED
        mail_domain.vouched_by = actor.user_id or "system"
        mail_domain.save(update_fields=["delivery", "vouched_by"])
        return holding.finish(
            actor=actor,
            action="mail_domain.vouch",
            hosting=hosting,
            obj=mail_domain,
            services=("mail",),
            changes={"delivery": ["pending", "vouched"]},
        )


def take_check(*, mail_domain: MailDomain) -> bool:
    """Whether it is up to the caller to look up the MX of `mail_domain` now; False for all others. For the worker."""
    seen = MailDomain.objects.filter(pk=mail_domain.pk, checked_at=mail_domain.checked_at)
    return bool(seen.update(checked_at=timezone.now()))


def record_check(*, mail_domain_id: str, points_here: bool) -> None:
    """Keep what the public DNS said; from the first time that the MX points here on, mail is taken. For the worker."""
    seen = MailDomain.objects.filter(pk=mail_domain_id)
    with transaction.atomic():
        seen.update(checked_at=timezone.now())
        found = seen.select_related("hosting").first()
        if not points_here or found is None:
            return
        hosting = holding.locked(found.hosting)
        pending = seen.filter(delivery=MailDomain.Delivery.PENDING)
        if hosting.status == HostingAccount.Status.TERMINATED or not pending.update(
            delivery=MailDomain.Delivery.VERIFIED
        ):
            return
        holding.finish(
            actor=Actor.system("MX check"),
            action="mail_domain.verify",
            hosting=hosting,
            obj=found,
            services=("mail",),
            changes={"delivery": ["pending", "verified"]},
        )
