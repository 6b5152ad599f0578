"""Resources of the operating system: package, user, membership, service."""

from __future__ import annotations

from .. import rules
from ..rules import Body
from .base import Kind, Scope

SHELLS = ("/usr/sbin/nologin", "/bin/false", "/usr/bin/false", "/bin/sh", "/bin/bash", "/usr/bin/bash")
MEMBER_GROUPS = ("mail", "ssl-cert")


class Package(Kind):
    """A Debian package that must be installed."""

    name = "package"
    maker = "packages"

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        scope.require_server("package")
        rules.string({"name": name}, "name", rules.PACKAGE, "must be the name of a Debian package")


class User(Kind):
    """A Unix user with a group of the same name, in libnss-extrausers."""

    name = "user"
    maker = "users"
    removed_late = True

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        rules.string({"name": name}, "name", rules.USER, "must be a lower-case user name")
        rules.user_id(body, "uid")
        rules.user_id(body, "gid")
        if body.get("home") != f"/home/{name}":
            raise rules.invalid("home", f"must be /home/{name}")
        if body.get("shell") not in SHELLS:
            raise rules.invalid("shell", "must be one of " + ", ".join(SHELLS))
        gecos = rules.string(body, "gecos")
        if ":" in gecos or rules.CONTROL.search(gecos) or len(gecos) > 200:
            raise rules.invalid("gecos", "must hold no colon, no control character and at most 200 characters")
        rules.string(body, "password", rules.CRYPT, "must be `!` or a crypt(5) string")

    def is_data(self, body: Body) -> bool:
        return True

    def claims(self, name: str, body: Body) -> list[str]:
        return [f"uid:{body['uid']}", f"gid:{body['gid']}"]


class Quota(Kind):
    """What the kernel lets a user take, by its uid: a user may change its name."""

    name = "quota"
    maker = "quotas"

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        user = rules.string(body, "user", rules.USER, "must be a lower-case user name")
        scope.require(f"user:{user}", "user")
        if not name.isdecimal() or str(rules.user_id({"name": int(name)}, "name")) != name:
            raise rules.invalid("name", "must be a uid")
        for field in ("bytes", "inodes"):
            if body.get(field) is not None:
                rules.integer(body, field, 0, 2**62)


class Membership(Kind):
    """A daemon's user in one of the system's groups, so that it may read what that group may (`user:group`)."""

    name = "membership"
    maker = "memberships"

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        scope.require_server("membership")
        user = rules.string(body, "user", rules.GROUP, "must be a user name")
        group = body.get("group")
        if group not in MEMBER_GROUPS:
            raise rules.invalid("group", "must be one of " + ", ".join(MEMBER_GROUPS))
        if name != f"{user}:{group}":
            raise rules.invalid("name", "must be user:group")
        rules.optional_string(body, "service", rules.UNIT, "must be the name of a daemon")


class Certificate(Kind):
    """A self-signed certificate and its key, made on the server; `name` is the stem of their file."""

    name = "certificate"
    maker = "certificates"
    removed_late = True

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        scope.require_server("certificate")
        rules.string({"name": name}, "name", rules.STEM, "must be the stem of a file's name in lower case")
        rules.string(body, "host", rules.DOMAIN, "must be a lower-case A-label name without a dot at the end")
        services = body.get("services")
        if not isinstance(services, list):
            raise rules.invalid("services", "must be a list of the daemons that read it")
        for service in services:
            rules.string({"services": service}, "services", rules.UNIT, "must be names of daemons")


class Move(Kind):
    """Data that gets another name; a slice's `moves` ask for it, no resource does."""

    name = "move"
    maker = "moves"

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        raise rules.invalid("kind", "a move is no resource; it belongs into `moves`")


class Service(Kind):
    """A unit that is to run, and to start at boot, or not."""

    name = "service"
    maker = "services"

    def validate(self, name: str, body: Body, scope: Scope) -> None:
        scope.require_server("service")
        rules.string({"name": name}, "name", rules.UNIT, "must be the name of a unit")
        rules.boolean(body, "enabled")
        rules.boolean(body, "running")
