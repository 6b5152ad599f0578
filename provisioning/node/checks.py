"""Lets the daemons' own checkers judge what an apply has written, all side by side, before anything is reloaded."""

from __future__ import annotations

from dataclasses import dataclass, field

from .changes import Change
from .daemons import by_service, daemon, only_removes
from .makers.zones import check_command
from .node import Node
from .processes import run_together


@dataclass
class Verdict:
    """What the checkers complain of: daemon → words, and zone's slice → words. Empty is good."""

    daemons: dict[str, str] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        return "\n".join(self.daemons.values())


def check(node: Node, changes: list[Change]) -> Verdict:
    """Check the configuration of every daemon that reads one of the changes, and every changed zone."""
    verdict = Verdict()
    names: list[str] = []
    commands: list[list[str]] = []
    for name, items in sorted(by_service(changes).items()):
        found = daemon(name)
        command = found.check_command()
        if not found.is_installed(node):
            if not only_removes(items):
                verdict.daemons[name] = f"{name} is not installed on this server"
        elif command is not None:
            names.append(name)
            commands.append(command)
    zones = [change for change in changes if change.kind == "zone" and change.new is not None]
    commands += [check_command(node, change) for change in zones]
    if not commands:
        return verdict
    with node.steps.step("check " + ", ".join([*names, *(["zones"] if zones else [])])) as told:
        results = run_together(commands)
        for name, result in zip(names, results):
            if not result.ok:
                verdict.daemons[name] = result.words
        for change, result in zip(zones, results[len(names) :]):
            if not result.ok:
                verdict.zones.setdefault(change.slice, result.words)
        told["ok"] = not verdict.daemons and not verdict.zones
    return verdict
