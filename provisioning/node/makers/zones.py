"""Makes DNS zones: a master file each, told to BIND over one connection, out when BIND answers with its serial."""

from __future__ import annotations

import os
import re
import time

from ..changes import ADD, REMOVE, Change
from ..daemons import daemon, ensure_running
from ..dns import served_serial, served_serials
from ..errors import Failures, RefusedError, from_os_error
from ..failpoints import failpoint
from ..fsutil import write_atomically
from ..kinds.services import SERIAL
from ..node import Node
from ..paths import ZONES
from ..processes import run
from ..rndc import Rndc, RndcError
from ..rules import Body
from ..state import Remembered
from .base import Extra, Failing, Known, Maker

SERIAL_LIMIT = 0xFFFFFFFF
SERVED_SECONDS = 10.0
POLL_SECONDS = 0.003
NEW_ZONES = "/var/cache/bind/_default"
LISTED = re.compile(r"^zone\s+\"?([^\s\"]+)\"?\s[^\n]*?\bfile\s+\"([^\"\n]+)\"", re.MULTILINE)
CHECK = ["named-checkzone", "-i", "local", "-k", "fail"]


def zone_file(node: Node, zone: str) -> str:
    """The master file of a zone, in this process's view."""
    return f"{node.paths.zones}/{zone}.db"


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _write(node: Node, zone: str, text: str) -> None:
    gid = node.accounts.gid("bind")
    if not os.path.isdir(node.paths.zones):
        os.mkdir(node.paths.zones, 0o700)
        os.chown(node.paths.zones, 0, gid)
        os.chmod(node.paths.zones, 0o2750)  # noqa: S103 -- BIND's group reads here
    write_atomically(zone_file(node, zone), text.encode("utf-8", "surrogateescape"), 0o640, gid, node.unsynced)


def next_serial(served: int, floor: int) -> int:
    """A serial above what was ever served, not below `floor`; usually the time. RefusedError at the end of 32 bits."""
    serial = max(served + 1, floor, int(time.time()))
    if serial > SERIAL_LIMIT:
        raise RefusedError("invalid", f"serial_floor: {serial} is above the largest SOA serial")
    return serial


class Zones(Maker):
    """Kind: zone."""

    name = "zones"

    def before(self, node: Node, changes: list[Change]) -> Failures:
        failing = Failing()
        existing = _existing(node, [change.name for change in changes if change.change == ADD and not change.is_drift])
        for change in changes:
            served = node.state.serial(change.name)
            file = _read(zone_file(node, change.name))
            change.before = {"file": file, "serial": served, "was": served}
            try:
                if change.name in existing:
                    raise RefusedError("foreign", f"{change.key}: BIND already serves it, not managed by the panel")
                if change.new is not None:
                    change.before["serial"] = self._serial(change, served, file)
            except RefusedError as error:
                failing.add(change, error)
        return failing.found

    def _serial(self, change: Change, served: int, file: str | None) -> int:
        floor = change.hint.get("serial_floor", 0)
        if isinstance(floor, bool) or not isinstance(floor, int) or floor < 0:
            raise RefusedError("invalid", f"{change.key}: serial_floor must be a whole number")
        is_same = served and file == change.body["text"].replace(SERIAL, str(served))
        return served if is_same else next_serial(served, floor)

    def make(self, node: Node, changes: list[Change]) -> Failures:
        failing = Failing()
        for change in changes:
            if change.new is not None:
                try:
                    self._raise_serial(node, change)
                    _write(node, change.name, change.new["text"].replace(SERIAL, str(change.before["serial"])))
                except RefusedError as error:
                    failing.add(change, error)
                except OSError as error:
                    failing.add(change, from_os_error(change.key, error))
        failpoint("after-zone-files")
        return failing.found

    def _raise_serial(self, node: Node, change: Change) -> None:
        """When an undo has served a serial since this one was chosen, choose a higher one."""
        served = node.state.serial(change.name)
        if served != change.before["was"]:
            change.before.update(serial=next_serial(max(served, change.before["serial"]), 0), was=served)

    def go_live(self, node: Node, changes: list[Change]) -> Failures:
        failing = Failing()
        try:
            ensure_running(node, "named")
            with Rndc(node.paths) as channel:
                for change in changes:
                    self._tell(node, channel, change, failing)
        except (OSError, RndcError) as error:
            unreachable = RefusedError("failed", f"BIND's control channel: {error}")
            return {change.slice: unreachable for change in changes}
        except RefusedError as error:
            return {change.slice: error for change in changes}
        failpoint("zones-served")
        self._wait(changes, failing)
        return failing.found

    def _tell(self, node: Node, channel: Rndc, change: Change, failing: Failing) -> None:
        change.is_live = True
        try:
            if change.change == REMOVE:
                _remove(node, channel, change.name)
            else:
                _serve(node, channel, change.name)
        except RndcError as error:
            failing.add(change, RefusedError("failed", f"{change.key}: BIND: {error}"))

    def _wait(self, changes: list[Change], failing: Failing) -> None:
        """Until BIND answers with the new serials; it loads a zone after it has said yes."""
        deadline = time.monotonic() + SERVED_SECONDS
        for change in changes:
            if change.change == REMOVE or change in failing:
                continue
            while served_serial(change.name) != change.before["serial"]:
                if time.monotonic() > deadline:
                    failing.add(change, RefusedError("failed", f"{change.key}: BIND does not serve the new zone"))
                    break
                time.sleep(POLL_SECONDS)

    def undo(self, node: Node, changes: list[Change]) -> None:
        live = [change for change in changes if change.is_live]
        for change in changes:
            if not change.is_live:
                self._restore_file(node, change, change.before["file"])
        if node.is_booting:
            for change in live:
                self._undo_file(node, change, 0)
        if not live or node.is_booting:
            return
        ensure_running(node, "named")
        with Rndc(node.paths) as channel:
            for change in live:
                self._undo_live(node, channel, change)

    def _undo_live(self, node: Node, channel: Rndc, change: Change) -> None:
        """What was served has a serial: what comes after it needs a higher one."""
        text = self._undo_file(node, change, served_serial(change.name) or 0)
        if text is None:
            _remove(node, channel, change.name)
        elif change.change != REMOVE or (change.old or {}).get("listed", True):
            _serve(node, channel, change.name)

    def _undo_file(self, node: Node, change: Change, served: int) -> str | None:
        """Bring back the master file, under a serial above what was served; its text, None where there was none."""
        serial = max(change.before["serial"], node.state.serial(change.name), served)
        text: str | None = change.before["file"]
        if text is not None and change.change != REMOVE and change.old is not None and change.old.get("text"):
            serial = next_serial(serial, 0)
            text = change.old["text"].replace(SERIAL, str(serial))
        self._restore_file(node, change, text)
        with node.state.transaction():
            node.state.set_serial(change.name, serial)
        return text

    def _restore_file(self, node: Node, change: Change, text: str | None) -> None:
        if text is not None:
            _write(node, change.name, text)
        elif os.path.exists(zone_file(node, change.name)):
            os.unlink(zone_file(node, change.name))

    def differs(self, node: Node, resources: list[Remembered]) -> dict[str, Body | None]:
        """A zone that BIND does not answer for is nothing; while BIND does not run, its file alone is judged."""
        found: dict[str, Body | None] = {}
        names = {resource.key: resource.key.partition(":")[2] for resource in resources}
        is_running = daemon("named").pid(node) is not None
        served = served_serials(names.values()) if is_running else {}
        for resource in resources:
            zone = names[resource.key]
            serial = node.state.serial(zone)
            text = _read(zone_file(node, zone))
            told = served.get(zone)
            if text is None or (is_running and told is None):
                found[resource.key] = None
            elif text != resource.body["text"].replace(SERIAL, str(serial)):
                found[resource.key] = {**resource.body, "text": text.replace(str(serial), SERIAL, 1)}
            elif told not in (None, serial):
                found[resource.key] = {**resource.body, "served serial": told}
        return found

    def extras(self, node: Node, known: Known) -> list[Extra]:
        """Zones that BIND was told of at run time, and master files, that nobody asked for."""
        listed = _listed(node)
        files = sorted(os.listdir(node.paths.zones)) if os.path.isdir(node.paths.zones) else []
        names = {name[: -len(".db")] for name in files if name.endswith(".db")} | listed.keys()
        found = []
        for zone in sorted(names):
            if f"zone:{zone}" in known.slices:
                continue
            path = listed.get(zone, f"{ZONES}/{zone}.db")
            is_ours = path == f"{ZONES}/{zone}.db"
            text = _read(zone_file(node, zone)) if is_ours else None
            body = {"kind": "zone", "name": zone, "service": "named", "file": path, "listed": zone in listed}
            kept = "" if is_ours else f"its master file is {path}; `rndc delzone {zone}` removes it"
            found.append(Extra(f"zone:{zone}", {**body, "text": text or ""}, kept=kept))
        return found


def _listed(node: Node) -> dict[str, str]:
    """Zone → master file of what BIND was told of at run time, from its own list (named-nzd2nzf(1))."""
    told = ""
    if os.path.exists(node.paths.at(f"{NEW_ZONES}.nzd")):
        result = run(["named-nzd2nzf", node.paths.at(f"{NEW_ZONES}.nzd")])
        if not result.ok:
            raise RefusedError("failed", f"BIND's list of zones: {result.words}")
        told = result.output
    elif os.path.exists(node.paths.at(f"{NEW_ZONES}.nzf")):
        told = _read(node.paths.at(f"{NEW_ZONES}.nzf")) or ""
    return dict(LISTED.findall(told))


def check_command(node: Node, change: Change) -> list[str]:
    """BIND's own checker on the master file of a changed zone."""
    return [*CHECK, change.name, zone_file(node, change.name)]


def _is_served(channel: Rndc, zone: str) -> bool:
    """Whether BIND has the zone; also when it could not load its file, for then it can be reloaded and deleted."""
    try:
        channel.call(f"zonestatus {zone}")
    except RndcError as error:
        if "not loaded" in str(error):
            return True
        if "no matching zone" in str(error) or "not found" in str(error):
            return False
        raise
    return True


def _serve(node: Node, channel: Rndc, zone: str) -> None:
    """Make BIND load a zone's file: a new zone or a reload."""
    if _is_served(channel, zone):
        channel.call(f"reload {zone}")
    else:
        path = f"{ZONES}/{zone}.db"
        channel.call(f'addzone {zone} {{ type primary; file "{path}"; notify-delay 0; }};')


def _remove(node: Node, channel: Rndc, zone: str) -> None:
    """Make BIND forget a zone, and remove its file."""
    if _is_served(channel, zone):
        channel.call(f"delzone {zone}")
    if os.path.exists(zone_file(node, zone)):
        os.unlink(zone_file(node, zone))


def _existing(node: Node, zones: list[str]) -> set[str]:
    """Those of some zones that BIND serves already; none when it does not run."""
    if not zones:
        return set()
    try:
        with Rndc(node.paths) as channel:
            return {zone for zone in zones if _is_served(channel, zone)}
    except (OSError, RndcError):
        return set()
