"""Who does something: the identity that services receive, policy judges and audit keeps; it decides nothing itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Impersonator:
    """The person who really acts while somebody else is impersonated; `path` is their own organization's place."""

    user_id: str
    label: str
    path: str


@dataclass(frozen=True, slots=True)
class Actor:
    """A user acting for an organization, or the system itself.

    `kind` is provider, reseller, client or system, `role` the membership's role or system.
    `path` is the organization's place in the tree ("/" for the system), `scopes` the actions that an API token is
    restricted to (None: no restriction), `impersonator` the person behind an impersonation, `address` the IP address.
    `fresh` tells whether a person with a session proved a short while ago who they are; programs always count so.
    `suspended` tells that its organization, or one above, is suspended.
    """

    user_id: str | None
    organization_id: str | None
    path: str
    kind: str
    role: str
    label: str
    via: str = "web"
    scopes: frozenset[str] | None = None
    impersonator: Impersonator | None = None
    address: str | None = None
    fresh: bool = True
    suspended: bool = False

    @classmethod
    def system(cls, reason: str) -> "Actor":
        """Return the actor of scheduled and internal work; `reason` becomes its label in the audit log."""
        return cls(None, None, "/", "system", "system", reason, via="system")

    @classmethod
    def system_for(cls, organization_id: str, path: str, reason: str) -> "Actor":
        """Return the actor of work that the system does in the name of an organization, which can take it back."""
        return cls(None, organization_id, path, "system", "system", reason, via="system")

    @property
    def is_system(self) -> bool:
        """Tell whether no person or token stands behind this actor."""
        return self.kind == "system"
