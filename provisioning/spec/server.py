"""What one target server is to be: its roles, stack, versions and addresses."""

from __future__ import annotations

from dataclasses import dataclass, field

from panel.core import names
from provisioning.spec import checks


@dataclass(frozen=True)
class AddressSpec:
    """An address that this server answers on; `ip` is what the server's own interface carries, `public` what the
    world sees.
    """

    ip: str
    family: int
    public: str
    dedicated: bool = False

    def __post_init__(self) -> None:
        checks.canonical("address", self.ip, names.ip_address)
        checks.canonical("public address", self.public, names.ip_address)
        if self.family not in (4, 6) or (":" in self.ip) != (self.family == 6):
            raise checks.SpecInvalid("address", "has the wrong family")


@dataclass(frozen=True)
class Target:
    """Where a server's node program is reached: `host_key` is pinned, `private_key` the panel's own (OpenSSH text)."""

    id: str
    transport: str
    host: str
    port: int
    host_key: str = ""
    private_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class BrandPagesSpec:
    """The pages (HTML) of a brand whose accounts a server carries: where a site is suspended, or has no such page."""

    brand: str
    suspended: str
    missing: str

    def __post_init__(self) -> None:
        checks.brand(self.brand)


@dataclass(frozen=True)
class IdentitySpec:
    """Who a server is on addresses that a brand was given: `name` is the brand's mail host, `ips` are the addresses as
    the server's own interfaces carry them.
    """

    brand: str
    name: str
    ips: tuple[str, ...]

    def __post_init__(self) -> None:
        checks.brand(self.brand)
        checks.hostname("mail host", self.name)
        for ip in self.ips:
            checks.canonical("address", ip, names.ip_address)

    def of_family(self, family: int) -> str:
        """The first address of a family; empty without one."""
        return next((ip for ip in self.ips if (":" in ip) == (family == 6)), "")


@dataclass(frozen=True)
class ServerSpec:
    """One server: `platform_name` is its neutral name (HELO, banners); `dovecot` and `debian` choose configuration
    dialects.
    """

    id: str
    platform_name: str
    debian: int
    stack: str
    roles: frozenset[str]
    php_versions: tuple[str, ...]
    addresses: tuple[AddressSpec, ...] = ()
    apache_port: int = 8080
    resolvers: tuple[str, ...] = field(default=())
    brand_pages: tuple[BrandPagesSpec, ...] = ()
    identities: tuple[IdentitySpec, ...] = ()

    def __post_init__(self) -> None:
        checks.hostname("platform_name", self.platform_name)
        checks.member("stack", self.stack, checks.STACKS)
        if self.debian not in (12, 13):
            raise checks.SpecInvalid("debian", "is not a supported release")
        for role in self.roles:
            checks.member("role", role, checks.SERVICES)
        for version in self.php_versions:
            checks.canonical("php_version", version, names.php_version)
        for resolver in self.resolvers:
            checks.canonical("resolver", resolver, names.ip_address)
        given = [ip for identity in self.identities for ip in identity.ips]
        if len(set(given)) != len(given) or not set(given) <= {item.ip for item in self.addresses if item.dedicated}:
            raise checks.SpecInvalid("identity", "has an address that is not a dedicated one of its own")
        if isinstance(self.apache_port, bool) or not 1024 <= self.apache_port <= 65535:
            raise checks.SpecInvalid("apache_port", "is not an unprivileged port")

    @property
    def has_nginx(self) -> bool:
        return self.stack in ("nginx", "nginx+apache")

    @property
    def has_apache(self) -> bool:
        return self.stack in ("apache", "nginx+apache")

    def identity(self, brand: str) -> IdentitySpec | None:
        """Who it is for a brand, if that was given an address here."""
        return next((identity for identity in self.identities if identity.brand == brand), None)
