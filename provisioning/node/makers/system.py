"""Makes what belongs to the operating system: packages, group memberships, units that run and start at boot."""

from __future__ import annotations

from ..changes import ADD, REMOVE, Change
from ..errors import Failures, RefusedError
from ..node import Node
from ..processes import run, stream
from ..rules import Body
from ..state import Remembered
from ..units import UNITS, bring, plain, state, states
from .base import Failing, Maker

APT = [
    "apt-get",
    "--yes",
    "--quiet",
    "--no-install-recommends",
    "-o",
    "Dpkg::Options::=--force-confdef",
    "-o",
    "Dpkg::Options::=--force-confold",
    "-o",
    "Dpkg::Use-Pty=0",
    "-o",
    "DPkg::Lock::Timeout=120",
]
APT_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}
APT_SECONDS = 1800


def installed(names: list[str]) -> set[str]:
    """Those of some Debian packages that are installed."""
    if not names:
        return set()
    told = run(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *names]).output
    return {line.split()[0] for line in told.splitlines() if line.endswith(" installed")}


class Packages(Maker):
    """Kind: package. Installed before anything else of an apply, never removed."""

    name = "packages"

    def make(self, node: Node, changes: list[Change]) -> Failures:
        wanted = [change for change in changes if change.new is not None]
        there = installed([change.name for change in wanted])
        missing = sorted(change.name for change in wanted if change.name not in there)
        if not missing:
            return {}
        with node.steps.step("install packages") as told:
            code, tail = self._install(node, missing)
            told["ok"] = code == 0
        if code == 0:
            return {}
        refused = RefusedError("failed", f"apt-get install {' '.join(missing)}: {tail}")
        return {change.slice: refused for change in wanted if change.name in missing}

    def _install(self, node: Node, names: list[str]) -> tuple[int, str]:
        """Install; with fresh lists when the ones at hand do not know a package or its file any more. Never below
        another root: apt would change the machine that this program runs on.
        """
        if node.paths.root:
            return 1, "packages are installed on a whole server only"
        code, tail = self._apt(node, ["install", "--", *names])
        if code != 0:
            code, tail = self._apt(node, ["update"])
            if code == 0:
                code, tail = self._apt(node, ["install", "--", *names])
        return code, tail

    def _apt(self, node: Node, arguments: list[str]) -> tuple[int, str]:
        lines: list[str] = []

        def tell(line: str) -> None:
            lines.append(line)
            node.steps.progress("install packages", line)

        code = stream([*APT, *arguments], tell, timeout=APT_SECONDS, environment=APT_ENVIRONMENT)
        return code, "\n".join(lines[-20:])

    def differs(self, node: Node, resources: list[Remembered]) -> dict[str, Body | None]:
        names = {resource.key.partition(":")[2]: resource.key for resource in resources}
        return {names[name]: None for name in names.keys() - installed(list(names))}


class Memberships(Maker):
    """Kind: membership. Root's groups are in /etc/group, so its own tools change them."""

    name = "memberships"

    def before(self, node: Node, changes: list[Change]) -> Failures:
        for change in changes:
            change.before = {"member": _is_member(node, change.body)}
            if change.change == ADD:
                change.extra["made"] = not change.before["member"]
        return {}

    def make(self, node: Node, changes: list[Change]) -> Failures:
        failing = Failing()
        for change in changes:
            wanted = change.new is not None or not change.extra.get("made")
            try:
                _set_member(node, change.body, wanted)
            except RefusedError as error:
                failing.add(change, error)
        return failing.found

    def undo(self, node: Node, changes: list[Change]) -> None:
        for change in changes:
            _set_member(node, change.body, change.before["member"])

    def differs(self, node: Node, resources: list[Remembered]) -> dict[str, Body | None]:
        return {resource.key: None for resource in resources if not _is_member(node, resource.body)}


def _is_member(node: Node, body: Body) -> bool:
    with open(node.paths.at("/etc/group"), encoding="utf-8", errors="replace") as lines:
        for line in lines:
            fields = line.rstrip("\n").split(":")
            if fields[0] == body["group"] and len(fields) > 3:
                return body["user"] in fields[3].split(",")
    return False


def _set_member(node: Node, body: Body, wanted: bool) -> None:
    if _is_member(node, body) == wanted:
        return
    result = run(["gpasswd", "--add" if wanted else "--delete", body["user"], body["group"]])
    if not result.ok:
        raise RefusedError("failed", f"membership of {body['user']} in {body['group']}: {result.words}")


class Services(Maker):
    """Kind: service. Units of ours stop when they go; units of packages are only no longer minded."""

    name = "services"

    def before(self, node: Node, changes: list[Change]) -> Failures:
        for change in changes:
            change.before = state(node, change.name)
        return {}

    def make(self, node: Node, changes: list[Change]) -> Failures:
        """Removals: while the unit's file is still there."""
        failing = Failing()
        for change in changes:
            is_ours = node.state.owner(f"file:{UNITS}/{plain(change.name)}.service") is not None
            if change.change == REMOVE and is_ours:
                _bring(node, change, {"enabled": False, "running": False}, failing)
        return failing.found

    def go_live(self, node: Node, changes: list[Change]) -> Failures:
        failing = Failing()
        for change in changes:
            if change.new is not None:
                change.is_live = True
                _bring(node, change, change.new, failing)
        return failing.found

    def undo(self, node: Node, changes: list[Change]) -> None:
        failing = Failing()
        for change in changes:
            if change.is_live or change.change == REMOVE:
                _bring(node, change, change.before, failing)

    def differs(self, node: Node, resources: list[Remembered]) -> dict[str, Body | None]:
        found: dict[str, Body | None] = {}
        now = states(node, [resource.key.partition(":")[2] for resource in resources])
        for resource in resources:
            actual = now[resource.key.partition(":")[2]]
            if any(actual[field] != bool(resource.body.get(field)) for field in actual):
                found[resource.key] = {**resource.body, **actual}
        return found


def _bring(node: Node, change: Change, wanted: Body, failing: Failing) -> None:
    failed = bring(node, change.name, enabled=bool(wanted.get("enabled")), running=bool(wanted.get("running")))
    if failed is not None:
        failing.add(change, RefusedError("failed", f"{change.key}: {failed.words}"))
