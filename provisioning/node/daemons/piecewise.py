"""Daemons that read one file for each site or pool: only the files that change are judged while all else stands."""

from __future__ import annotations

import os

from ..changes import Change
from ..node import Node, Stamps
from ..processes import Command
from .base import Daemon


class Piecewise(Daemon):
    """A daemon with a directory of pieces, of which a full check reads thousands that have not changed.

    What could go wrong between pieces (a socket, a name or a pool used twice) is refused before, by the claims of
    `kinds.paths.File`; a daemon that refuses its configuration all the same is noticed when it is reloaded.
    """

    pieces = ""
    """The directory of the sites' or pools' files."""
    others: tuple[str, ...] = ()
    """The directories of everything else that it reads."""

    def check_pieces(self, node: Node, place: str, names: list[str]) -> Command | None:
        """Judge the base configuration with some pieces, by a main file written to `place`; None when it cannot be."""
        raise NotImplementedError

    def check(self, node: Node, changes: list[Change]) -> Command | None:
        """Only the pieces that change, if everything was judged good before; `look` tells whether that still holds."""
        if self.name in node.judged and all(os.path.dirname(change.name) == self.pieces for change in changes):
            place = f"{node.paths.state_directory}/{self.name}-check.conf"
            names = sorted({change.name for change in changes if change.new is not None})
            command = self.check_pieces(node, place, names)
            if command is not None:
                return command
        node.judged.pop(self.name, None)
        return self.check_all(node)

    def look(self, node: Node, changes: list[Change]) -> bool:
        """Thousands of files are looked at while the checkers work, since that takes as long as a small check."""
        now = node.judging[self.name] = self._stamps(node)
        good = node.judged.get(self.name)
        touched = {change.name for change in changes}
        return good is None or _without(good, touched) == _without(now, touched)

    def keep_verdict(self, node: Node, is_good: bool) -> None:
        """Whatever was refused, or not asked, has everything judged next time."""
        judged = node.judging.pop(self.name, None)
        node.judged.pop(self.name, None)
        if is_good and judged is not None:
            node.judged[self.name] = judged

    def _stamps(self, node: Node) -> Stamps:
        """Every file that it reads."""
        found: Stamps = {}
        for directory in (self.pieces, *self.others):
            try:
                entries = list(os.scandir(node.paths.at(directory)))
            except OSError:
                continue
            for entry in entries:
                stamp = _stamp(entry)
                if stamp is not None:
                    found[f"{directory}/{entry.name}"] = stamp
        return found


def with_pieces(node: Node, main: str, line: str, names: list[str], place: str) -> bool:
    """Write a copy of a main file that includes some pieces where `line`, formatted with a path, includes all of them.

    Returns False when the main file has no such line, or one that this does not know.
    """
    everything = line.format("*.conf")
    try:
        with open(node.paths.at(main), encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError):
        return False
    if text.count(everything) != 1:
        return False
    pieces = "\n".join(line.format(os.path.basename(name)) for name in names)
    with open(place, "w", encoding="utf-8") as file:
        file.write(text.replace(everything, pieces))
    return True


def _stamp(entry: os.DirEntry[str]) -> tuple[int, ...] | None:
    """What changes when a file does; None for a directory."""
    try:
        if entry.is_dir():
            return None
        status = entry.stat()
    except OSError:
        return ()
    return status.st_ctime_ns, status.st_mtime_ns, status.st_size, status.st_ino


def _without(stamps: Stamps, paths: set[str]) -> Stamps:
    return {path: stamp for path, stamp in stamps.items() if path not in paths}
