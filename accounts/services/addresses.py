"""Another mail address for a person: asked for by them, confirmed from the old address and from the new one."""

import hashlib
import secrets

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import AddressChange, User
from accounts.models.sign_in import ADDRESS_CHANGE_LIVES
from accounts.selectors import brands
from accounts.services import notices
from accounts.services.sessions import own_actor
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Invalid, NotFound, clean_or_invalid, integrity_as_conflict


def request(*, actor: Actor, email: str, agent: str = "") -> AddressChange:
    """Ask for another address: both addresses get a link, and nothing changes before both were followed.

    An earlier request ends. Nothing tells whether somebody else is registered with the new address.
    """
    policy.require(actor, "profile.secure")
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=actor.user_id)
        AddressChange.objects.filter(user=user).delete()
        texts = {"old": secrets.token_urlsafe(32), "new": secrets.token_urlsafe(32)}
        change = AddressChange(
            user=user, email=email, old_digest=_digest(texts["old"]), new_digest=_digest(texts["new"])
        )
        clean_or_invalid(change)
        if change.email == user.email:
            raise Invalid("same", _("This is your address already."), "email")
        change.save(force_insert=True)
        audit.record(actor, "user.address_request", user, {"email": (user.email, change.email)})
        for side, to, kind in (("old", user.email, "address_changing"), ("new", change.email, "address_confirm")):
            path = reverse("accounts:address_confirm", args=[texts[side]])
            notices.send(
                user=user,
                kind=kind,
                to=to,
                thing=change.email,
                url=brands.base_url(brands.of_user(user)) + path,
                address=actor.address,
                agent=agent,
            )
    return change


def cancel(*, actor: Actor) -> None:
    """Drop one's own request; its links end."""
    policy.require(actor, "profile.secure")
    with transaction.atomic():
        if AddressChange.objects.filter(user_id=actor.user_id).delete()[0]:
            audit.record(actor, "user.address_cancel", User.objects.get(pk=actor.user_id))


def find(text: str) -> AddressChange:
    """Return the change whose link this is; raises NotFound for what is unknown, used or too old."""
    since = timezone.now() - ADDRESS_CHANGE_LIVES
    digest = _digest(text)
    rows = AddressChange.objects.filter(Q(old_digest=digest) | Q(new_digest=digest), created_at__gt=since)
    change = rows.select_related("user__brand_root").first()
    if change is None:
        raise NotFound(_("This link has ended. Ask for the change again."))
    return change


def confirm(*, text: str, address: str | None) -> AddressChange:
    """Say yes from one side; with the second yes the person's address is changed and every reset link ends.

    Returns the change, whose `pk` is None once it is carried out. Raises Conflict when the address cannot be used here.
    """
    with transaction.atomic():
        change = find(text)
        user = (
            User.objects.select_for_update(of=("self",), no_key=True)
            .select_related("brand_root")
            .get(pk=change.user_id)
        )
        change = find(text)
        side = "old_confirmed_at" if _digest(text) == change.old_digest else "new_confirmed_at"
        setattr(change, side, timezone.now())
        change.save(update_fields=[side])
        if change.old_confirmed_at and change.new_confirmed_at:
            _carry_out(change, user, address)
    return change


def forget_old() -> None:
    """Delete requests whose links have ended."""
    AddressChange.objects.filter(created_at__lt=timezone.now() - ADDRESS_CHANGE_LIVES).delete()


def _carry_out(change: AddressChange, user: User, address: str | None) -> None:
    before, user.email = user.email, change.email
    user.reset_serial += 1
    with integrity_as_conflict(_("This address can't be used here."), field="email"):
        user.save(update_fields=["email", "reset_serial"])
    change.delete()
    audit.record(own_actor(user, address), "user.address", user, {"email": (before, user.email)})
    for to in (before, user.email):
        notices.send(user=user, kind="address_changed", to=to, thing=user.email, address=address)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
