"""Lets the daemons' own checkers judge what an apply has written, all side by side, before anything is reloaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .changes import Change
from .daemons import by_service, daemon, only_removes
from .makers.zones import check_command, zone_file
from .node import Node
from .processes import Command, Result, run_together

ZONE_RULES = 'options { directory "/var/cache/bind"; check-names primary fail; };'


@dataclass
class Verdict:
    """What the checkers complain of: daemon → words, and zone's slice → words. Empty is good."""

    daemons: dict[str, str] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        return "\n".join(self.daemons.values())


def _nothing() -> None:
    """There is nothing else to do."""


def check(node: Node, changes: list[Change], meanwhile: Callable[[], None] = _nothing) -> Verdict:
    """Check the configuration of every daemon that reads one of the changes, and every changed zone; `meanwhile`, while
    the checkers are at work, do something that they do not look at.
    """
    verdict = Verdict()
    names: list[str] = []
    commands: list[Command] = []
    partial: list[str] = []
    services = by_service(changes)
    for name in _longest_first(services):
        items = services[name]
        found = daemon(name)
        command = found.check(node, items)
        if not found.is_installed(node):
            if not only_removes(items):
                verdict.daemons[name] = f"{name} is not installed on this server"
        elif command is not None:
            names.append(name)
            commands.append(command)
    zones = [change for change in changes if change.kind == "zone" and change.new is not None]
    if zones:
        commands.append(_all_zones(node, zones))
    if not commands:
        meanwhile()
        return verdict

    def look() -> None:
        partial.extend(name for name in names if not daemon(name).look(node, services[name]))
        meanwhile()

    with node.steps.step("check " + ", ".join([*sorted(names), *(["zones"] if zones else [])])) as told:
        results = run_together(commands, look)
        of_zones = results.pop() if zones else None
        for name, result in zip(names, _with_whole(node, names, results, partial)):
            daemon(name).keep_verdict(node, result.ok)
            if not result.ok:
                verdict.daemons[name] = result.words
        if of_zones is not None and not of_zones.ok:
            _find_guilty(node, zones, of_zones, verdict)
        told["ok"] = not verdict.daemons and not verdict.zones
    return verdict


def _longest_first(names: Iterable[str]) -> list[str]:
    """Daemons in the order in which their checkers begin: PHP takes longer to start than the others take in all."""
    return sorted(names, key=lambda name: (not name.startswith("php"), name))


def _with_whole(node: Node, names: list[str], results: list[Result], partial: list[str]) -> list[Result]:
    """The results, those of `partial` daemons from a check of their whole configuration."""
    commands = {name: command for name in partial if (command := daemon(name).check_all(node)) is not None}
    whole = dict(zip(commands, run_together(list(commands.values()))))
    return [whole.get(name, result) for name, result in zip(names, results)]


def _all_zones(node: Node, zones: list[Change]) -> Command:
    """One run of BIND's checker for all changed zones: it judges each as `named-checkzone -i local -k fail` does."""
    if len(zones) == 1:
        return Command(check_command(node, zones[0]))
    lines = [f'zone "{change.name}" {{ type primary; file "{zone_file(node, change.name)}"; }};' for change in zones]
    return Command(["named-checkconf", "-z", "/dev/stdin"], "\n".join([ZONE_RULES, *lines]).encode())


def _find_guilty(node: Node, zones: list[Change], refused: Result, verdict: Verdict) -> None:
    """Which slices' zones are refused: those that are refused alone; all, should that be none."""
    commands = [Command(check_command(node, change)) for change in zones]
    results = [refused] if len(zones) == 1 else run_together(commands)
    guilty = {change.slice: result.words for change, result in zip(zones, results) if not result.ok}
    verdict.zones.update(guilty or {change.slice: refused.words for change in zones})
