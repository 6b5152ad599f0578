"""What is noted when people sign in."""

from django.db import transaction

from accounts.models import User
from panel.core import audit
from panel.core.actors import Actor


def own_actor(user: User, address: str | None, via: str = "web") -> Actor:
    """Return the actor of a user's dealings with their own sign-in, outside any organization's rights."""
    root = user.brand_root
    return Actor(user.id, root.id, root.path, "client", "readonly", user.name or user.email, via=via, address=address)


def started(*, user: User, address: str | None) -> None:
    """Write a sign-in to the audit log."""
    with transaction.atomic():
        audit.record(own_actor(user, address), "session.start", user)
