"""User and group names to numbers, read from the files themselves: a name just added counts at once."""

from __future__ import annotations

import os

from .errors import RefusedError
from .paths import Paths


class Accounts:
    """The names in /etc/passwd and /etc/group (the system's) and in /var/lib/extrausers (ours)."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._cache: dict[str, tuple[tuple[int, int, int], dict[str, int]]] = {}

    def _ids(self, path: str) -> dict[str, int]:
        try:
            status = os.stat(path)
        except FileNotFoundError:
            return {}
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        cached = self._cache.get(path)
        if cached is not None and cached[0] == stamp:
            return cached[1]
        ids: dict[str, int] = {}
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                fields = line.rstrip("\n").split(":")
                if len(fields) > 2 and fields[2].isdecimal():
                    ids.setdefault(fields[0], int(fields[2]))
        self._cache[path] = (stamp, ids)
        return ids

    def system_users(self) -> dict[str, int]:
        """Name → uid of the users that are not ours."""
        return self._ids(self._paths.at("/etc/passwd"))

    def system_groups(self) -> dict[str, int]:
        """Name → gid of the groups that are not ours."""
        return self._ids(self._paths.at("/etc/group"))

    def extra_users(self) -> dict[str, int]:
        """Name → uid in libnss-extrausers."""
        return self._ids(self._paths.extrausers + "/passwd")

    def uid(self, name: str) -> int:
        """The uid of a name; refused when there is no such user."""
        found = self.system_users().get(name, self.extra_users().get(name))
        if found is None:
            raise RefusedError("failed", f"there is no user {name!r} on this server")
        return found

    def gid(self, name: str) -> int:
        """The gid of a name; refused when there is no such group."""
        extra = self._ids(self._paths.extrausers + "/group")
        found = self.system_groups().get(name, extra.get(name))
        if found is None:
            raise RefusedError("failed", f"there is no group {name!r} on this server")
        return found

    def owner_names(self, uid: int, gid: int) -> tuple[str, str]:
        """The names of a uid and a gid, or the numbers where they have none."""
        users = {number: name for name, number in [*self.extra_users().items(), *self.system_users().items()]}
        extra = self._ids(self._paths.extrausers + "/group")
        groups = {number: name for name, number in [*extra.items(), *self.system_groups().items()]}
        return users.get(uid, str(uid)), groups.get(gid, str(gid))
