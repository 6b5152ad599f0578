"""The tables of accounts: fields and constraints only; what may be done with them is in accounts.services."""

from accounts.models.brands import Brand
from accounts.models.impersonations import Impersonation
from accounts.models.invitations import Invitation
from accounts.models.limits import LimitCounter, LimitUse
from accounts.models.organizations import Organization
from accounts.models.plans import ResellerPlan
from accounts.models.tokens import ApiToken
from accounts.models.users import Membership, User

__all__ = [
    "ApiToken",
    "Brand",
    "Impersonation",
    "Invitation",
    "LimitCounter",
    "LimitUse",
    "Membership",
    "Organization",
    "ResellerPlan",
    "User",
]
