"""What an account and a server need of Unix itself: users, homes, log directories. Not what a daemon reads."""

from __future__ import annotations

from itertools import accumulate

from provisioning.planning import kinds
from provisioning.planning.resources import Resource
from provisioning.render import render
from provisioning.spec import AccountSpec, BrandPagesSpec, ServerSpec, paths

SHELL = "/usr/sbin/nologin"
PROGRAM = "/usr/lib/hostwright"
WEB_DIRECTORY = "public_html"
DAEMONS = ("nginx", "apache2", "named", "mariadb", "hostwright-mail", "postfix", "dovecot")
LEAST_DISK = 1_048_576
"""Bytes that a home needs for what the panel itself puts there."""
PACKAGES = ("libnss-extrausers", "logrotate", "python3")


def account(server: ServerSpec, account: AccountSpec) -> list[Resource]:
    """The user and home of an account that has web or mail here; with web, its docroots, logs and first page.

    Root makes the home alone; everything in it is made as the tenant. Logs are root's and only linked from the home.
    """
    here = account.services & server.roles
    if not here & {"web", "mail"}:
        return []
    name, home = account.username, account.home
    resources = [
        kinds.user(name, uid=account.uid, gid=account.gid, home=home, shell=SHELL),
        kinds.directory(home, owner=name, group="www-data", mode="0710", data=True),
    ]
    if account.disk_bytes is not None:
        size = max(account.disk_bytes, LEAST_DISK)
        resources.append(kinds.quota(account.uid, user=name, size=size))
    if "web" in here:
        resources += _web(account)
    return resources


def _web(account: AccountSpec) -> list[Resource]:
    name, home = account.username, account.home
    logs = paths.logs(name)
    docroots = sorted({site.docroot for site in account.sites})
    parents = {"/".join(parts) for docroot in docroots for parts in accumulate([part] for part in docroot.split("/"))}
    resources = [
        kinds.directory(paths.temporary(name), owner=name, group=name, mode="0700", as_=name),
        kinds.directory(logs, group=name, mode="0750", data=True),
        kinds.link(f"{home}/logs", logs, as_=name),
    ]
    resources += [
        kinds.directory(f"{home}/{path}", owner=name, group=name, mode="0755", as_=name) for path in sorted(parents)
    ]
    resources += [
        kinds.file(f"{home}/{docroot}/{file}", text, owner=name, group=name, as_=name, once=True)
        for docroot in docroots
        for file, text in _first_files(account, docroot).items()
    ]
    return resources


def _first_files(account: AccountSpec, docroot: str) -> dict[str, str]:
    """What a web directory begins with: the first page, and in the account's own one the brand's skeleton."""
    page = {"index.html": account.default_page} if account.default_page else {}
    return page | dict(account.skeleton) if docroot == WEB_DIRECTORY else page


def base(server: ServerSpec) -> list[Resource]:
    """What every server has: the look-up of tenants' users, and the places where the panel keeps its things."""
    resources = [kinds.package(package) for package in PACKAGES]
    resources += [
        kinds.file("/etc/nsswitch.conf", render("unix/nsswitch.conf.j2"), adopt=True),
        kinds.directory(paths.STATE),
        kinds.directory(paths.LOGS),
        *_recovery(server),
    ]
    if "web" in server.roles:
        units = [*(["nginx"] if server.has_nginx else []), *(["apache2"] if server.has_apache else [])]
        resources += [
            kinds.directory(paths.ACME),
            kinds.directory(paths.PAGES),
            kinds.file(f"{paths.PAGES}/404.html", render("web/404.html.j2")),
            kinds.file(f"{paths.PAGES}/503.html", render("web/503.html.j2")),
            *(resource for pages in server.brand_pages for resource in _brand_pages(pages)),
            kinds.file("/etc/logrotate.d/hostwright", render("unix/logrotate.j2", logs=paths.LOGS, units=units)),
        ]
    return resources


def _brand_pages(pages: BrandPagesSpec) -> list[Resource]:
    """What visitors of the sites of one brand's customers see, written once for all of them."""
    return [
        kinds.directory(f"{paths.PAGES}/{pages.brand}"),
        kinds.file(f"{paths.PAGES}{paths.brand_page(pages.brand, 404)}", pages.missing),
        kinds.file(f"{paths.PAGES}{paths.brand_page(pages.brand, 503)}", pages.suspended),
    ]


def _recovery(server: ServerSpec) -> list[Resource]:
    """What undoes an interrupted apply at boot: its files before any daemon reads them, the rest when they run."""
    daemons = [*DAEMONS, *(f"php{version}-fpm" for version in sorted(server.php_versions))]
    resources = []
    for name in ("hostwright-recover", "hostwright-recover-rest"):
        unit = f"{name}.service"
        resources += [
            kinds.file(f"/etc/systemd/system/{unit}", render(f"unix/{unit}.j2", program=PROGRAM, daemons=daemons)),
            kinds.service(unit),
        ]
    return resources
