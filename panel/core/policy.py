"""The question "may this actor do this?"; the answer is given by the checker that the accounts app registers."""

from typing import Protocol

import structlog
from django.utils.translation import gettext as _

from panel.core.actors import Actor
from panel.core.errors import DomainError, Forbidden

log = structlog.get_logger(__name__)


class Checker(Protocol):
    """What answers: returns when allowed, raises `Forbidden` (visible) or `NotFound` (invisible) when not."""

    def __call__(self, actor: Actor, action: str, obj: object | None) -> None: ...


SIGN_IN_AGAIN = "sign_in_again"

_checkers: list[Checker] = []
_fresh: frozenset[str] = frozenset()


def register(checker: Checker, *, fresh: frozenset[str] = frozenset()) -> None:
    """Make `checker` the one that decides and `fresh` what wants a fresh sign-in, in place of earlier ones."""
    global _fresh
    _checkers[:] = [checker]
    _fresh = fresh


def require_fresh(actor: Actor) -> None:
    """Return when the actor proved a short while ago who they are; raise `Forbidden` (`sign_in_again`) otherwise.

    Who acts as somebody else can't prove it meanwhile, and is told so (`impersonating`).
    """
    if not actor.fresh and actor.impersonator is not None:
        raise Forbidden(
            _("This wants a fresh sign-in. End the impersonation, and begin it anew."), code="impersonating"
        )
    if not actor.fresh:
        raise Forbidden(_("You signed in a while ago. Prove again that it is you."), code=SIGN_IN_AGAIN)


def wants_fresh(action: str) -> bool:
    """Tell whether pages, and programs with a page's session, have to prove anew who they are before `action`."""
    return action in _fresh


def require(actor: Actor, action: str, obj: object | None = None) -> None:
    """Return when `actor` may do `action` (to `obj`); raise `Forbidden` or `NotFound`, and log it, otherwise."""
    try:
        _decide(actor, action, obj)
    except DomainError as refusal:
        log.warning("policy.refused", action=action, user=actor.user_id, path=actor.path, code=refusal.code)
        raise


def allowed(actor: Actor, action: str, obj: object | None = None) -> bool:
    """Tell whether `require` would return."""
    try:
        _decide(actor, action, obj)
    except DomainError:
        return False
    return True


def _decide(actor: Actor, action: str, obj: object | None) -> None:
    if not _checkers:
        raise RuntimeError("No permission checker is registered.")
    _checkers[0](actor, action, obj)
