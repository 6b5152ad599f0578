"""What nginx reads: its whole configuration, and one small file for each site. Alone or in front of Apache."""

from __future__ import annotations

from provisioning.planning import kinds
from provisioning.planning.resources import Resource
from provisioning.render import render
from provisioning.spec import AccountSpec, ServerSpec, SiteSpec, addresses, paths

SERVICE = "nginx"
CONFIGURATION = "/etc/nginx/hostwright"
DROP_INS = "/etc/systemd/system/nginx.service.d"


def account(server: ServerSpec, account: AccountSpec) -> list[Resource]:
    """One virtual host for each site; a suspended account's answer 503 by themselves."""
    if "web" not in account.services & server.roles or not server.has_nginx:
        return []
    return [_site(server, account, site) for site in sorted(account.sites, key=lambda site: site.hostname)]


def _site(server: ServerSpec, account: AccountSpec, site: SiteSpec) -> Resource:
    stem = paths.stem(site.hostname)
    logs = paths.logs(account.username)
    mode = "suspended" if account.suspended else "proxy" if server.has_apache else "php"
    text = render(
        "nginx/site.conf.j2",
        mode=mode,
        addresses=addresses.dedicated_to(server, site),
        also=addresses.besides(server, site),
        names=[site.hostname, *sorted(site.aliases)],
        uid=account.uid,
        root=f"{account.home}/{site.docroot}",
        access_log=f"{logs}/{stem}.access.log",
        error_log="/var/log/nginx/error.log" if mode == "proxy" else f"{logs}/{stem}.error.log",
        socket=paths.php_socket(account.username, site.php_version),
        pages=paths.PAGES,
        suspended_page=paths.brand_page(account.brand, 503),
        missing_page=paths.brand_page(account.brand, 404),
    )
    return kinds.file(f"{paths.NGINX_SITES}/{stem}.conf", text, service=SERVICE)


def base(server: ServerSpec) -> list[Resource]:
    """nginx itself: on port 80, or in front of Apache, with a first virtual host that belongs to nobody."""
    if "web" not in server.roles or not server.has_nginx:
        return []
    shared = ["acme.conf", "nobody.conf", "suspended.conf"] + (
        ["proxy.conf"] if server.has_apache else ["static.conf", "php.conf"]
    )
    main = render(
        "nginx/nginx.conf.j2",
        apache_port=server.apache_port if server.has_apache else None,
        dedicated=addresses.dedicated(server),
        pages=paths.PAGES,
        certificate=paths.certificate(server.platform_name),
        nobodys=addresses.nobodys(server),
        identities=[
            {"ips": identity.ips, "certificate": paths.certificate(identity.name)} for identity in server.identities
        ],
    )
    return [
        kinds.package("nginx"),
        kinds.directory(DROP_INS),
        kinds.file(f"{DROP_INS}/hostwright.conf", render("nginx/limits.conf.j2")),
        kinds.directory(CONFIGURATION),
        kinds.directory(paths.NGINX_SITES),
        *(
            kinds.file(
                f"{CONFIGURATION}/{name}",
                render(f"nginx/{name}.j2", acme=f"{paths.ACME}/", pages=paths.PAGES),
                service=SERVICE,
            )
            for name in sorted(shared)
        ),
        kinds.file("/etc/nginx/nginx.conf", main, service=SERVICE, adopt=True),
        kinds.service("nginx.service"),
    ]
