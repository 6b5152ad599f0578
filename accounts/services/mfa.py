"""Second factors: sealed at rest, their codes used once, passkeys removed by their owners."""

from typing import cast

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.selectors import sign_in as selectors
from accounts.services import notices
from panel.core import audit, policy, vault
from panel.core.actors import Actor
from panel.core.errors import Forbidden, NotFound

LAST = "last_counter"


def seal(text: str) -> str:
    """Return `text` encrypted."""
    return vault.seal(text)


def unseal(sealed: str) -> str:
    """Return what `seal` was given."""
    return vault.unseal(sealed)


def spend(authenticator: Authenticator, code: str) -> bool:
    """Use up a code of an authenticator app that was found right; False when it, or a later one, was used before.

    RFC 6238, section 5.2: a verifier accepts a code once. The step of the last accepted code is kept with the secret,
    so that neither another process nor an emptied cache forgets it.
    """
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        secret = unseal(row.data["secret"])
        for counter in yield_hotp_counters_from_time():
            if counter <= row.data.get(LAST, -1):
                continue
            if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, counter))):
                row.data[LAST] = counter
                row.save(update_fields=["data"])
                return True
    return False


def remove_passkey(*, actor: Actor, passkey: Authenticator) -> None:
    """Remove one of one's own passkeys; recovery codes without any second factor left go with it.

    A program cannot: whoever has a person's token must not weaken their sign-in.
    """
    policy.require(actor, "profile.weaken")
    if passkey.user_id != actor.user_id or passkey.type != Authenticator.Type.WEBAUTHN:
        raise NotFound()
    if actor.via == "api":
        raise Forbidden(_("A second factor is removed by the person, signed in to the panel."), code="session_required")
    user = cast(User, passkey.user)
    with transaction.atomic():
        noted(user=user, actor=actor, action="second_factor.remove", thing=str(passkey))
        passkey.delete()
        if not selectors.has_second_factor(user.id):
            Authenticator.objects.filter(user=user).delete()
        notices.send(user=user, kind="second_factor_removed", thing=str(passkey), address=actor.address)


def noted(*, user: User, actor: Actor, action: str, thing: str = "") -> None:
    """Write a change of a person's second factors to the audit log."""
    with transaction.atomic():
        audit.record(actor, action, user, {"factor": ("", thing)} if thing else None)
