"""API tokens: made, found by their text, revoked. The text itself is shown once and kept nowhere."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import policy as table
from accounts.models import ApiToken
from accounts.services import notices
from panel.core import audit, policy
from panel.core.actors import Actor
from panel.core.errors import Forbidden, Invalid, clean_or_invalid
from panel.core.scoping import everything

_MARK = "hw"
_NOTED_EVERY = timedelta(minutes=1)


def create(
    *, actor: Actor, name: str, scopes: Sequence[str] = ("*",), expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Create a token of the actor's own organization; returns it and its text `hw_<id>_<secret>`, which is shown once.

    It can never do more than its user may; `scopes` (`account.create`, `account.*`, `*.view`, `*`) narrow that further.
    """
    policy.require(actor, "token.create")
    if actor.user_id is None or actor.organization_id is None:
        raise Forbidden(_("A token belongs to a person."))
    unknown = [scope for scope in scopes if not table.known_scope(scope)]
    if unknown or not scopes:
        raise Invalid("scope", _("Give scopes such as account.create, account.*, *.view or *."), "scopes")
    if actor.scopes is not None and not all(table.covers(actor.scopes, scope) for scope in scopes):
        raise Forbidden(_("A token can't give more than it has itself."), code="scope")
    if expires_at is not None and expires_at <= timezone.now():
        raise Invalid("expires_at", _("Give a time in the future."), "expires_at")
    with transaction.atomic():
        token = ApiToken(
            organization_id=actor.organization_id,
            user_id=actor.user_id,
            name=name,
            scopes=list(scopes),
            expires_at=expires_at,
        )
        part = token.id.removeprefix("tok_")
        text = f"{_MARK}_{part}_{secrets.token_hex(24)}"
        token.prefix = f"{_MARK}_{part[:8]}"
        token.digest = _digest(text)
        clean_or_invalid(token)
        token.save(force_insert=True)
        audit.record(actor, "token.create", token, {"scopes": ([], list(scopes))})
        notices.send(user=token.user, kind="token_created", thing=token.name, address=actor.address)
    return token, text


def revoke(*, actor: Actor, token: ApiToken, confirm: str) -> ApiToken:
    """End a token at once, for ever; again is the same. `confirm` must be its name."""
    policy.require(actor, "token.revoke", token)
    if confirm != token.name:
        raise Invalid("confirm", _("Type the token's name to confirm."), "confirm")
    with transaction.atomic():
        token = ApiToken.objects.select_for_update().get(pk=token.pk)
        if token.revoked_at is None:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            audit.record(actor, "token.revoke", token)
    return token


def find(text: str) -> ApiToken | None:
    """Return the token whose text this is, usable or not, and note its use; None for anything else."""
    mark, _underscore, rest = text.partition("_")
    part, _underscore, secret = rest.partition("_")
    if mark != _MARK or len(part) != 26 or not secret or not text.isascii():
        return None
    with everything("a token comes before the scope"):
        tokens = ApiToken.objects.select_related("user__brand_root", "organization")
        token = tokens.filter(pk=f"tok_{part}").first()
        if token is None or not hmac.compare_digest(token.digest, _digest(text)):
            return None
        now = timezone.now()
        if token.usable and (token.last_used_at is None or now - token.last_used_at > _NOTED_EVERY):
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
