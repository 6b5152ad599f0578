"""What PHP-FPM reads: one pool per account and PHP version, run as the account. Not how a web server reaches it."""

from __future__ import annotations

from provisioning.planning import kinds
from provisioning.planning.resources import Resource
from provisioning.render import render
from provisioning.spec import AccountSpec, ServerSpec, paths
from provisioning.spec.checks import SpecInvalid

EXTENSIONS = ("curl", "gd", "intl", "mbstring", "mysql", "xml", "zip")
DIRECTORY = "/etc/php/hostwright"
GUARD = f"{DIRECTORY}/guard.php"


def _service(version: str) -> str:
    return f"php{version}-fpm"


def account(server: ServerSpec, account: AccountSpec) -> list[Resource]:
    """One pool for each PHP version that the account's sites use; none while it is suspended.

    Raises SpecInvalid when a site wants a version that this server does not have.
    """
    if "web" not in account.services & server.roles or account.suspended:
        return []
    versions = sorted({site.php_version for site in account.sites})
    if not set(versions) <= set(server.php_versions):
        raise SpecInvalid("php_version", "is not installed on this server")
    return [_pool(server, account, version) for version in versions]


def _pool(server: ServerSpec, account: AccountSpec, version: str) -> Resource:
    name, home = account.username, account.home
    text = render(
        "php/pool.conf.j2",
        pool=name,
        user=name,
        uid=account.uid,
        home=home,
        socket=paths.php_socket(name, version),
        open_basedir=f"{home}/:/usr/share/:{DIRECTORY}/",
        guard=GUARD,
        tmp=paths.temporary(name),
        sender=f"-f{name}@{server.platform_name}" if "mail" in server.roles else None,
    )
    return kinds.file(f"/etc/php/{version}/fpm/pool.d/hostwright-{name}.conf", text, service=_service(version))


def base(server: ServerSpec) -> list[Resource]:
    """Every PHP version of the server, with a pool that serves nobody, for FPM does not start without one."""
    if "web" not in server.roles:
        return []
    resources = [
        kinds.directory(DIRECTORY),
        kinds.file(GUARD, render("php/guard.php.j2")),
    ]
    for version in sorted(server.php_versions):
        service, directory = _service(version), f"/etc/php/{version}/fpm"
        idle = render("php/idle-pool.conf.j2", socket=f"/run/php/hostwright-idle-{version}.sock")
        resources += [kinds.package(f"php{version}-{name}") for name in ("fpm", *EXTENSIONS)]
        drop_ins = f"/etc/systemd/system/{service}.service.d"
        resources += [
            kinds.directory(drop_ins),
            kinds.file(f"{drop_ins}/hostwright.conf", render("php/limits.conf.j2")),
            kinds.file(f"{directory}/pool.d/www.conf", idle, service=service, adopt=True),
            kinds.file(
                f"{directory}/conf.d/90-hostwright.ini", render("php/fpm.ini.j2", directory=DIRECTORY), service=service
            ),
            kinds.service(f"{service}.service"),
        ]
    return resources
