"""What Apache reads: its whole configuration, and one small file for each site. Alone or behind nginx."""

from __future__ import annotations

from provisioning.planning import kinds
from provisioning.planning.resources import Resource
from provisioning.render import render
from provisioning.spec import AccountSpec, ServerSpec, SiteSpec, addresses, paths

SERVICE = "apache2"
CONFIGURATION = "/etc/apache2/hostwright"
HTTP = 80
TLS_MODULES = ("socache_shmcb", "ssl")

MODULES = (
    "mpm_event",
    "access_compat",
    "alias",
    "auth_basic",
    "authn_core",
    "authn_file",
    "authz_core",
    "authz_groupfile",
    "authz_host",
    "authz_user",
    "autoindex",
    "deflate",
    "dir",
    "env",
    "expires",
    "filter",
    "headers",
    "mime",
    "negotiation",
    "proxy",
    "proxy_fcgi",
    "remoteip",
    "reqtimeout",
    "rewrite",
    "setenvif",
)
"""What usual .htaccess files need; none that executes a tenant's code (cgi, lua, include) or tells of the server."""


def account(server: ServerSpec, account: AccountSpec) -> list[Resource]:
    """One virtual host for each site; behind nginx none for a suspended account, whose answer nginx gives itself."""
    if "web" not in account.services & server.roles or not server.has_apache:
        return []
    if account.suspended and server.has_nginx:
        return []
    return [_site(server, account, site) for site in sorted(account.sites, key=lambda site: site.hostname)]


def _site(server: ServerSpec, account: AccountSpec, site: SiteSpec) -> Resource:
    stem = paths.stem(site.hostname)
    logs = paths.logs(account.username)
    socket = paths.php_socket(account.username, site.php_version)
    text = render(
        "apache/site.conf.j2",
        suspended=account.suspended,
        addresses=["127.0.0.1"] if server.has_nginx else _listening(server, site),
        port=server.apache_port if server.has_nginx else HTTP,
        server_name=site.hostname,
        aliases=sorted(site.aliases),
        root=f"{account.home}/{site.docroot}",
        access_log=None if server.has_nginx else f"{logs}/{stem}.access.log",
        error_log=f"{logs}/{stem}.error.log",
        uid=account.uid,
        handler=f"proxy:unix:{socket}|fcgi://{account.username}",
        suspended_page=f"/_{paths.brand_page(account.brand, 503)}",
        missing_page=f"/_{paths.brand_page(account.brand, 404)}",
    )
    return kinds.file(f"{paths.APACHE_SITES}/{stem}.conf", text, service=SERVICE)


def _listening(server: ServerSpec, site: SiteSpec) -> list[str]:
    """Its own addresses or all shared ones, and those of its brand."""
    return [*(addresses.dedicated_to(server, site) or ["*"]), *addresses.besides(server, site)]


def base(server: ServerSpec) -> list[Resource]:
    """Apache itself: on port 80, or behind nginx on a port of the loopback interface."""
    if "web" not in server.roles or not server.has_apache:
        return []
    main = render(
        "apache/apache2.conf.j2",
        behind_nginx=server.has_nginx,
        port=server.apache_port if server.has_nginx else HTTP,
        server_name=server.platform_name,
        modules=MODULES if server.has_nginx else (*MODULES, *TLS_MODULES),
        dedicated=() if server.has_nginx else addresses.dedicated(server),
        faces=[] if server.has_nginx else _faces(server),
        acme=f"{paths.ACME}/",
        pages=f"{paths.PAGES}/",
    )
    return [
        kinds.package("apache2"),
        kinds.directory(CONFIGURATION),
        kinds.directory(paths.APACHE_SITES),
        kinds.file(f"{CONFIGURATION}/htaccess.conf", render("apache/htaccess.conf.j2"), service=SERVICE),
        kinds.file("/etc/apache2/apache2.conf", main, service=SERVICE, adopt=True),
        kinds.service("apache2.service"),
    ]


def _faces(server: ServerSpec) -> list[dict[str, object]]:
    """Where and with which certificate it answers over TLS whoever asks for nobody."""
    found: list[dict[str, object]] = [
        {
            "ips": ["*", *addresses.nobodys(server)],
            "certificate": paths.certificate(server.platform_name),
        }
    ]
    for identity in server.identities:
        certificate = paths.certificate(identity.name)
        found.append({"ips": identity.ips, "certificate": certificate})
    return found
