"""Of nginx and Apache only the virtual hosts that change are judged, while all else stands as it was judged good."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from provisioning.node.changes import ADD, REMOVE, Change
from provisioning.node.checks import check
from provisioning.node.daemons import DAEMONS
from provisioning.node.daemons.piecewise import Piecewise
from provisioning.node.daemons.web import Apache, Nginx
from provisioning.node.node import Node
from provisioning.node.processes import Command
from tests.node.bundles import Machine


class RunningApache(Apache):
    """Apache with a master whose environment is known."""

    def pid(self, node: Node) -> int | None:
        return os.getpid()


@dataclass
class Ground:
    """A machine whose web server has a base configuration and two sites."""

    node: Node
    daemon: Piecewise
    main: Path
    sites: Path

    def change(self, name: str, change: str = ADD) -> Change:
        path = f"{self.daemon.pieces}/{name}.conf"
        body = {"kind": "file", "name": path, "text": "", "service": self.daemon.name}
        old, new = (None, body) if change == ADD else (body, None)
        return Change("acc_1", f"file:{path}", change, old, new)

    def judged(self, *changes: Change, is_good: bool = True) -> list[str] | None:
        """The sites that a check of changes looks at; None for all that there are."""
        command = self.daemon.check(self.node, list(changes))
        assert command is not None
        is_enough = self.daemon.look(self.node, list(changes))
        self.daemon.keep_verdict(self.node, is_good)
        place = Path(command.argv[-1])
        if not is_enough or place.name != f"{self.daemon.name}-check.conf":
            return None
        text = place.read_text()
        assert (text.splitlines()[0], text.splitlines()[-1]) == ("# main", "# end")
        return [line.rstrip(";").rpartition("/")[2] for line in text.splitlines() if "nclude" in line]


MAINS = {
    "nginx": "# main\n    include /etc/nginx/hostwright/sites/*.conf;\n# end\n",
    "apache2": "# main\nIncludeOptional /etc/apache2/hostwright/sites/*.conf\n# end\n",
}


@pytest.fixture(params=["nginx", "apache2"])
def ground(request: pytest.FixtureRequest, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    daemon = Nginx() if request.param == "nginx" else RunningApache()
    sites = machine.root / daemon.pieces.lstrip("/")
    sites.mkdir(parents=True)
    main = sites.parents[1] / f"{request.param}.conf"
    main.write_text(MAINS[request.param])
    for name in ("anna", "bert"):
        (sites / f"{name}.conf").write_text("# a site\n")
    monkeypatch.setattr("provisioning.node.daemons.web.environment_of", lambda _pid: {"APACHE_RUN_DIR": "/run"})
    with machine.node() as node:
        yield Ground(node, daemon, main, sites)


def test_only_sites_that_change_are_judged(ground: Ground) -> None:
    assert ground.judged(ground.change("anna")) is None
    (ground.sites / "carl.conf").write_text("# new\n")
    (ground.sites / "anna.conf").write_text("# changed\n")
    assert ground.judged(ground.change("carl"), ground.change("anna")) == ["anna.conf", "carl.conf"]
    (ground.sites / "carl.conf").unlink()
    assert ground.judged(ground.change("carl", REMOVE)) == []


def by_hand(path: Path) -> None:
    """Somebody edits a file, and its time stamp is what it was."""
    before = path.stat()
    path.write_text(path.read_text().replace("#", ";"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("edited", ["the other site", "the base", "what all include"])
def test_all_is_judged_after_an_edit_by_hand(ground: Ground, edited: str) -> None:
    shared = ground.sites.parent / "shared.conf"
    shared.write_text("# shared\n")
    ground.judged(ground.change("anna"))
    assert ground.judged(ground.change("anna")) == ["anna.conf"]
    path = {"the other site": ground.sites / "bert.conf", "the base": ground.main, "what all include": shared}[edited]
    by_hand(path)
    assert ground.judged(ground.change("anna")) is None


def test_all_is_judged_after_a_refusal(ground: Ground) -> None:
    ground.judged(ground.change("anna"))
    assert ground.judged(ground.change("anna"), is_good=False) == ["anna.conf"]
    assert ground.judged(ground.change("anna")) is None


def test_all_is_judged_when_more_than_sites_changes(ground: Ground) -> None:
    ground.judged(ground.change("anna"))
    body = {"kind": "file", "name": f"{Path(ground.daemon.pieces).parent}/shared.conf", "service": ground.daemon.name}
    assert ground.judged(ground.change("anna"), Change("server", f"file:{body['name']}", ADD, None, body)) is None


@pytest.mark.parametrize("times", [0, 2])
def test_all_is_judged_when_the_base_is_not_ours(ground: Ground, times: int) -> None:
    """A main file that includes the sites in another way, or twice, is nothing to make a copy of."""
    line = ground.main.read_text().splitlines()[1]
    ground.main.write_text("\n".join(["# main", *([line] * times), "# end\n"]))
    ground.judged(ground.change("anna"))
    assert ground.judged(ground.change("anna")) is None


@pytest.mark.parametrize("ground", ["apache2"], indirect=True)
def test_without_a_master_apache_is_judged_whole(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunningApache, "pid", lambda *_: None)
    ground.judged(ground.change("anna"))
    assert ground.judged(ground.change("anna")) is None


class Broken(Nginx):
    """A checker that is content with pieces and refuses the whole."""

    def check_pieces(self, node: Node, place: str, names: list[str]) -> Command | None:
        return Command(["true"])

    def check_all(self, node: Node) -> Command | None:
        return Command(["sh", "-c", "echo 'the other site is broken' >&2; exit 1"])

    def is_installed(self, node: Node) -> bool:
        return True


@pytest.mark.parametrize("ground", ["nginx"], indirect=True)
def test_an_edit_by_hand_while_pieces_are_judged_has_the_whole_judged(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(DAEMONS, "nginx", Broken())
    ground.judged(ground.change("anna"))
    assert not check(ground.node, [ground.change("anna")]).daemons
    by_hand(ground.sites / "bert.conf")
    assert check(ground.node, [ground.change("anna")]).daemons == {"nginx": "the other site is broken"}
