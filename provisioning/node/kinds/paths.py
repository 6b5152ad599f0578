"""Resources that are names in the file system: directory, file, link, absent."""

from __future__ import annotations

import posixpath
import re

from .. import rules
from ..rules import Body
from .base import Kind, Scope

SHARED_GROUPS = ("www-data",)
NGINX_NAMES = re.compile(r"(?:^|[\s;{}])server_name\s+([^;{}]+);")
APACHE_NAMES = re.compile(r"^\s*Server(?:Name|Alias)[ \t]+(.+?)[ \t]*$", re.MULTILINE | re.IGNORECASE)
POOL_NAME = re.compile(r"^\s*\[([^\]]+)\]", re.MULTILINE)
POOL_LISTEN = re.compile(r"^\s*listen\s*=\s*(\S+)", re.MULTILINE)
COMMENT = re.compile(r"^\s*#.*$", re.MULTILINE)


def tenant_of(body: Body) -> str | None:
    """The user as whom the path is made; None means root."""
    return rules.optional_string(body, "as", rules.USER, "must be a user name")


def check_place(name: str, body: Body, scope: Scope) -> None:
    """Refuse a path outside the managed roots, or below a home that is not this slice's."""
    user = tenant_of(body)
    if user is None:
        rules.root_path(name)
        return
    rules.tenant_path(name, user)
    scope.require(f"user:{user}", "as")


def check_owner(body: Body) -> None:
    """Owner and group by name; below a home only the tenant's own and the web server's group."""
    owner = rules.string(body, "owner", rules.GROUP, "must be a user name")
    group = rules.string(body, "group", rules.GROUP, "must be a group name")
    user = tenant_of(body)
    if user is not None and (owner != user or group not in (user, *SHARED_GROUPS)):
        raise rules.invalid("owner", f"below the home of {user}, owner and group must be {user} (group also www-data)")


def check_service(body: Body) -> None:
    """`service`, when given, looks like a unit's name."""
    rules.optional_string(body, "service", rules.UNIT, "must be the name of a daemon")


class PathKind(Kind):
    """What all names in the file system share: one resource a path, whatever its kind."""

    maker = "tree"

    def claims(self, name: str, body: Body) -> list[str]:
        return [f"path:{name}"]


class Directory(PathKind):
    """A directory; with `data` its content is a tenant's and goes by a tombstone only."""

    name = "directory"
    removed_late = True

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        if posixpath.dirname(name) == "/home" and body.get("as") is None:
            rules.normalised(name)
            user = posixpath.basename(name)
            rules.string({"user": user}, "user", rules.USER, "a home must be /home/<user>")
            scope.require(f"user:{user}", "path")
            if not self.is_data(body):
                raise rules.invalid("data", "must be true for a home")
        else:
            check_place(name, body, scope)
        rules.mode(body, directory=True)
        check_owner(body)
        check_service(body)

    def is_data(self, body: Body) -> bool:
        return rules.boolean(body, "data")


class File(PathKind):
    """A file with its content. `once`: only when nothing is there; `adopt`: may take the place of an unmanaged one."""

    name = "file"

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        check_place(name, body, scope)
        rules.content(body)
        rules.mode(body, directory=False)
        rules.boolean(body, "once")
        rules.boolean(body, "secret")
        if rules.boolean(body, "adopt"):
            scope.require_server("adopt")
        check_owner(body)
        check_service(body)

    def claims(self, name: str, body: Body) -> list[str]:
        """Also host names and sockets: of two that are equal, a daemon serves one tenant as the other."""
        service, text = body.get("service") or "", COMMENT.sub("", body["text"])
        inside: list[str] = []
        if service == "nginx":
            inside = [f"nginx:{host}" for host in _hosts(NGINX_NAMES.findall(text))]
        elif service == "apache2":
            inside = [f"apache2:{host}" for host in _hosts(APACHE_NAMES.findall(text))]
        elif service.endswith("-fpm"):
            inside = [f"listen:{listen}" for listen in POOL_LISTEN.findall(text)]
            inside += [f"{service}:{pool}" for pool in POOL_NAME.findall(text) if pool != "global"]
        return [f"path:{name}", *inside]


def _hosts(found: list[str]) -> list[str]:
    hosts = {host.strip("\"'").lower() for names in found for host in names.split()}
    return sorted(host for host in hosts if "." in host)


class Link(PathKind):
    """A symbolic link to a managed path."""

    name = "link"

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        check_place(name, body, scope)
        check_service(body)
        target = rules.string(body, "target")
        if rules.boolean(body, "adopt"):
            scope.require_server("adopt")
        resolved = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        user = tenant_of(body)
        if rules.CONTROL.search(target) or not target:
            raise rules.invalid("target", "must be a path")
        if user is None:
            if not resolved.startswith(("/etc/", "/usr/", "/var/lib/", "/run/", "/dev/null")):
                raise rules.invalid("target", f"{target!r} leads outside the system's directories")
        elif not rules.is_below(resolved, f"/home/{user}") and resolved != f"/var/log/hostwright/{user}":
            raise rules.invalid("target", f"{target!r} leads outside the home and the logs of {user}")


class Absent(PathKind):
    """An unmanaged file that must not be there; it is kept, and comes back when this resource goes."""

    name = "absent"

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        scope.require_server("absent")
        rules.root_path(name)
        if not rules.boolean(body, "adopt"):
            raise rules.invalid("adopt", "must be true: the file is somebody else's")
        check_service(body)
