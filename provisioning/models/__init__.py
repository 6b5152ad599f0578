"""The desired state and the record of what was done about it. Fields, constraints and pure properties only."""

from provisioning.models.accounts import Counter, HostingAccount, Placement
from provisioning.models.databases import Database, DatabaseUser
from provisioning.models.domains import Domain, Site, SiteName
from provisioning.models.drift import DriftCheck, DriftItem, Pin
from provisioning.models.mail import MailAlias, Mailbox, MailDomain
from provisioning.models.nameservers import NameServerCheck
from provisioning.models.operations import Operation, OperationEvent, OperationTarget, Preview, Run, RunStep
from provisioning.models.overuse import Overuse
from provisioning.models.packages import LimitOverride, Package, PlanServer
from provisioning.models.rebuilds import Rebuild
from provisioning.models.scans import BrandScan
from provisioning.models.servers import Address, Server
from provisioning.models.slices import Intent, Lease, Move, Slice, Tombstone
from provisioning.models.usage import ServerReading, UsageDay, UsageMonth, UsageNow
from provisioning.models.zones import Record, Zone

__all__ = [
    "Address",
    "BrandScan",
    "Counter",
    "Database",
    "DatabaseUser",
    "Domain",
    "DriftCheck",
    "DriftItem",
    "HostingAccount",
    "Intent",
    "Lease",
    "LimitOverride",
    "MailAlias",
    "MailDomain",
    "Mailbox",
    "Move",
    "NameServerCheck",
    "Operation",
    "OperationEvent",
    "OperationTarget",
    "Overuse",
    "Package",
    "Pin",
    "Placement",
    "PlanServer",
    "Preview",
    "Rebuild",
    "Record",
    "Run",
    "RunStep",
    "Server",
    "ServerReading",
    "Site",
    "SiteName",
    "Slice",
    "Tombstone",
    "UsageDay",
    "UsageMonth",
    "UsageNow",
    "Zone",
]
