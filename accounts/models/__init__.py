"""The tables of accounts: fields and constraints only; what may be done with them is in accounts.services."""

from accounts.models.brand_images import BrandImage
from accounts.models.brand_mail import MailSender, MailTemplate, OutgoingMail
from accounts.models.brand_pages import BrandPages, Skeleton
from accounts.models.brands import Brand, HostClaim, OldHost
from accounts.models.impersonations import Impersonation
from accounts.models.invitations import Invitation
from accounts.models.limits import LimitCounter, LimitUse
from accounts.models.organizations import Organization
from accounts.models.plans import ResellerPlan
from accounts.models.sign_in import AddressChange, Device, Session, SignInPolicy
from accounts.models.tokens import ApiToken
from accounts.models.users import Membership, User

__all__ = [
    "AddressChange",
    "ApiToken",
    "Brand",
    "BrandImage",
    "BrandPages",
    "Device",
    "HostClaim",
    "Impersonation",
    "Invitation",
    "LimitCounter",
    "LimitUse",
    "MailSender",
    "MailTemplate",
    "Membership",
    "OldHost",
    "Organization",
    "OutgoingMail",
    "ResellerPlan",
    "Session",
    "SignInPolicy",
    "Skeleton",
    "User",
]
