"""The question "may this actor do this?"; the answer is given by the checker that the accounts app registers."""

from typing import Protocol

from panel.core.actors import Actor
from panel.core.errors import DomainError


class Checker(Protocol):
    """What answers: returns when allowed, raises `Forbidden` (visible) or `NotFound` (invisible) when not."""

    def __call__(self, actor: Actor, action: str, obj: object | None) -> None: ...


_checkers: list[Checker] = []


def register(checker: Checker) -> None:
    """Make `checker` the one that decides, in place of any earlier one."""
    _checkers[:] = [checker]


def require(actor: Actor, action: str, obj: object | None = None) -> None:
    """Return when `actor` may do `action` (to `obj`); raise `Forbidden` or `NotFound` otherwise."""
    if not _checkers:
        raise RuntimeError("No permission checker is registered.")
    _checkers[0](actor, action, obj)


def allowed(actor: Actor, action: str, obj: object | None = None) -> bool:
    """Tell whether `require` would return."""
    try:
        require(actor, action, obj)
    except DomainError:
        return False
    return True
