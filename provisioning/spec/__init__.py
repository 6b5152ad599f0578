"""What a server and an account should be, as plain frozen values: the only thing drivers see. Not for storage."""

from provisioning.spec.account import (
    AccountSpec,
    DatabaseSpec,
    DatabaseUserSpec,
    MailAliasSpec,
    MailboxSpec,
    MailDomainSpec,
    RecordSpec,
    SiteSpec,
    ZoneSpec,
)
from provisioning.spec.server import AddressSpec, BrandPagesSpec, IdentitySpec, ServerSpec, Target

__all__ = [
    "AccountSpec",
    "AddressSpec",
    "BrandPagesSpec",
    "DatabaseSpec",
    "DatabaseUserSpec",
    "IdentitySpec",
    "MailAliasSpec",
    "MailDomainSpec",
    "MailboxSpec",
    "RecordSpec",
    "ServerSpec",
    "SiteSpec",
    "Target",
    "ZoneSpec",
]
