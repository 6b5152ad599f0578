"""Sessions of signed-in people: begun, noted as used, ended one by one or all but one."""

import time
from datetime import timedelta

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.utils import timezone

from accounts.models import Session, User
from accounts.selectors import sign_in as selectors
from accounts.session_store import SIGN_IN
from panel.core import audit, ids, policy
from panel.core.actors import Actor
from panel.core.errors import NotFound

FRESH_SECONDS = 600
"""How long after proving who one is a dangerous act is not asked for proof again."""
_NOTED_EVERY = timedelta(minutes=1)


def own_actor(user: User, address: str | None, via: str = "web") -> Actor:
    """Return the actor of a user's dealings with their own sign-in, outside any organization's rights."""
    root = user.brand_root
    return Actor(user.id, root.id, root.path, "client", "readonly", user.name or user.email, via=via, address=address)


def started(*, user: User, session: SessionBase, address: str | None, agent: str, minutes: int) -> None:
    """Note in a session who signed in from where, let it end after `minutes`, and write that to the audit log."""
    noted = {"handle": ids.new("ses"), "at": time.time(), "address": address, "agent": agent[:300], "minutes": minutes}
    session[SIGN_IN] = noted
    bound(session)
    with transaction.atomic():
        audit.record(own_actor(user, address), "session.start", user)


def bound(session: SessionBase) -> None:
    """Let a session, and its cookie, end as long after the sign-in as was demanded then."""
    if SIGN_IN in session:
        session.set_expiry(session[SIGN_IN]["minutes"] * 60)


def over(session: SessionBase, minutes: int) -> bool:
    """Tell whether a session has lasted longer than `minutes` since its sign-in, whatever was demanded then."""
    noted = session.get(SIGN_IN)
    return noted is not None and time.time() - noted["at"] > minutes * 60


def is_fresh(session: SessionBase) -> bool:
    """Tell whether the person proved in the last ten minutes who they are, by signing in or by being asked again."""
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY) or []
    return bool(records) and time.time() - records[-1]["at"] < FRESH_SECONDS


def seen(session: SessionBase, address: str | None) -> None:
    """Note that a session is in use, at most once a minute."""
    now = timezone.now()
    noted = getattr(session, "seen_at", None)
    if noted is None or now - noted < _NOTED_EVERY:
        return
    Session.objects.filter(session_key=session.session_key).update(last_seen_at=now, address=address)


def end(*, actor: Actor, session: Session) -> None:
    """End one of one's own sessions at once."""
    policy.require(actor, "profile.secure")
    if session.user_id != actor.user_id:
        raise NotFound()
    with transaction.atomic():
        handle = session.handle  # the key opens the panel and is written nowhere
        audit.record(actor, "session.end", User.objects.get(pk=actor.user_id), {"session": (handle, "")})
        session.delete()


def end_others(*, actor: Actor, keep: str | None) -> int:
    """End all of one's own sessions but the one whose key is `keep`; returns how many."""
    policy.require(actor, "profile.secure")
    with transaction.atomic():
        user = User.objects.get(pk=actor.user_id)
        ended = drop(user, keep=keep)
        audit.record(actor, "session.end_others", user, {"sessions": (ended, 0)})
    return ended


def drop(user: User, *, keep: str | None = None) -> int:
    """Delete a person's sessions, but the one whose key is `keep`; returns how many."""
    rows = selectors.sessions(user.id).exclude(session_key=keep or "")
    return rows.delete()[1].get("accounts.Session", 0)
