"""The bench of the engine: the panel and the floor in turns on one server, at 0, 100 and 1,000 accounts."""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figures import Figures, Line, Series
from tests.bench.outside import Account, Outside
from tests.bench.panel import PASSWORD, BenchFailed, Ordered, Panel, running
from tests.servers import Server

FLOOR = Path(__file__).with_name("floor.py")
FLOOR_UID = 50_000
LIVE_SECONDS = 120.0
BURST_SECONDS = 600.0


class Floor:
    """The floor's script, waiting on the server for what to do."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._expect("ready")

    def accounts(self, count: int) -> list[Account]:
        """New names."""
        names = [f"floor{next(self._numbers)}" for _ in range(count)]
        return [Account(name, f"{name}.example", PASSWORD) for name in names]

    def do(self, what: str, accounts: list[Account]) -> None:
        """Let it make or remove accounts and wait until it says that it has."""
        listed = [
            {
                "name": item.name,
                "uid": FLOOR_UID + int(item.name.removeprefix("floor")),
                "domain": item.domain,
                "password": item.password,
            }
            for item in accounts
        ]
        if self._process.stdin is None:
            raise BenchFailed("the floor's script has no input")
        self._process.stdin.write(json.dumps({"do": what, "accounts": listed}) + "\n")
        self._process.stdin.flush()
        self._expect("done")

    def _expect(self, word: str) -> None:
        line = self._process.stdout.readline().strip() if self._process.stdout else ""
        if line != word:
            raise BenchFailed(f"the floor's script ended: {line} {self._process.wait(10)}")


@contextmanager
def floor(machine: Server) -> Iterator[Floor]:
    """Start the floor's script on the server."""
    machine.put("/root/floor.py", FLOOR.read_text())
    process = subprocess.Popen(
        [*machine.ssh_argv("python3", "/root/floor.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Floor(process)
    finally:
        process.kill()
        process.wait()


class Bench:
    """What is measured, one method each."""

    def __init__(self, panel: Panel, by_hand: Floor, figures: Figures) -> None:
        self.panel = panel
        self.floor = by_hand
        self.figures = figures
        self.outside = Outside(panel.machine.address)
        self.accounts: list[Ordered] = []
        self._numbers = itertools.count(1)

    def names(self, count: int) -> list[str]:
        return [f"site{next(self._numbers)}" for _ in range(count)]

    # Creation --------------------------------------------------------------------------------------------------------

    def singles(self, existing: int, rounds: int, most: float | None) -> None:
        """Create → live of one account, ours and the floor's in turns; ours is terminated again, too."""
        series, own, ended = Series(), [], []
        for _ in range(rounds):
            by_hand = self.floor.accounts(1)
            self.outside.prepare()
            began = time.monotonic()
            self.floor.do("make", by_hand)
            series.floor.append(self.outside.wait_live(by_hand, LIVE_SECONDS) - began)
            self.floor.do("remove", by_hand)
            self.outside.prepare()
            since, at, began = last_run(), datetime.now(UTC), time.monotonic()
            ordered = self.panel.order(self.names(1)[0])
            series.ours.append(self.outside.wait_live([ordered.account], LIVE_SECONDS) - began)
            self.panel.settle([ordered.operation], LIVE_SECONDS)
            own.append(own_share(since, at))
            began = time.monotonic()
            self.panel.terminate([ordered])
            ended.append(time.monotonic() - began)
        self.figures.add(f"create_{existing}", series.line(f"create → live, {existing} existing", most), vars(series))
        self.figures.values[f"own_{existing}"] = own
        self.figures.values[f"terminate_{existing}"] = ended

    def burst(self, existing: int, count: int, rounds: int, most: float | None) -> None:
        """Many orders that are there at once: from their commit until all are live; ours of the last round stay."""
        series, reloads, placing = Series(), Counter[str](), []
        for index in range(rounds):
            if most is not None:
                by_hand = self.floor.accounts(count)
                began = time.monotonic()
                self.floor.do("make", by_hand)
                series.floor.append(self.outside.wait_live(by_hand, BURST_SECONDS) - began)
                self.floor.do("remove", by_hand)
            since, began = last_run(), time.monotonic()
            ordered = self.panel.order_at_once(self.names(count))
            placed = time.monotonic()
            placing.append(placed - began)
            series.ours.append(self.outside.wait_live([item.account for item in ordered], BURST_SECONDS) - placed)
            self.panel.settle([item.operation for item in ordered], BURST_SECONDS)
            reloads |= reloads_since(since)
            if index < rounds - 1:
                self.panel.terminate(ordered)
            else:
                self.accounts += ordered
        figure = f"burst of {count}, {existing} existing"
        self.figures.add(f"burst_{count}_{existing}", series.line(figure, most), {**vars(series), "placing": placing})
        self._reloads(f"{count}_{existing}", figure, reloads, 5 if count == 100 else None)

    def burst_by_api(self, existing: int, count: int) -> None:
        """The same ordered one by one through the API: from the first order until all are live."""
        since, began = last_run(), time.monotonic()
        ordered = self.panel.order_each(self.names(count))
        accepted = time.monotonic() - began
        taken = self.outside.wait_live([item.account for item in ordered], BURST_SECONDS) - began
        self.panel.settle([item.operation for item in ordered], BURST_SECONDS)
        figure = f"{count} ordered one by one through the API, {existing} existing"
        line = Line(figure, f"{taken:.1f} s, of which ordering {accepted:.1f} s")
        self.figures.add(f"api_{count}_{existing}", line, {"taken": taken, "accepted": accepted})
        self._reloads(f"api_{count}_{existing}", figure, reloads_since(since), None)
        self.accounts += ordered

    def _reloads(self, key: str, figure: str, reloads: Counter[str], most: float | None) -> None:
        self.figures.values[f"reloads_{key}"] = dict(reloads)
        worst = max(reloads.values(), default=0)
        self.figures.limit(f"most_reloads_{key}", f"reloads of one daemon, {figure}", worst, "", most)

    # Everything else -------------------------------------------------------------------------------------------------

    def suspend(self, existing: int, rounds: int) -> None:
        """Suspend → 503, and release → 200, of one account."""
        suspended, released = [], []
        for index in range(rounds):
            item = self.accounts[-1 - index]
            began = time.monotonic()
            operation = self.panel.act(item, "suspend")
            suspended.append(self.outside.wait_status(item.account, 503, LIVE_SECONDS) - began)
            self.panel.settle([operation], LIVE_SECONDS)
            began = time.monotonic()
            operation = self.panel.act(item, "unsuspend")
            released.append(self.outside.wait_status(item.account, 200, LIVE_SECONDS) - began)
            self.panel.settle([operation], LIVE_SECONDS)
        figures = self.figures
        figures.add(f"suspend_{existing}", Series(suspended).line(f"suspend, {existing} existing", None), suspended)
        figures.add(f"unsuspend_{existing}", Series(released).line(f"release, {existing} existing", None), released)
        ended = figures.values[f"terminate_{existing}"]
        line = Series(ended).line(f"terminate, {existing} existing", None)
        figures.add(f"terminate_{existing}", line, ended)

    def no_op(self, existing: int, rounds: int) -> None:
        """Look at one slice in which nothing is to change: from the intent to the recorded run."""
        taken = [looked_at(self.accounts[-1 - index % len(self.accounts)]) for index in range(rounds)]
        median = statistics.median(taken) * 1000
        line = Line(
            f"no-op reconcile of one slice, {existing} existing",
            Series(taken).line("", None).ours,
            "",
            "≤ 150 ms" if existing >= 1000 else "",
            median <= 150 if existing >= 1000 else None,
        )
        self.figures.add(f"no_op_{existing}", line, taken)

    def own_share(self, many: int) -> None:
        """What is not the daemons' work, with many accounts against none."""
        none, some = (statistics.median(self.figures.values[f"own_{existing}"]) for existing in (0, many))
        ratio = some / none
        line = Line(
            f"panel's own share of a creation, {many} existing against 0",
            f"{some * 1000:.0f} / {none * 1000:.0f} ms = {ratio:.2f} times",
            "",
            "≤ 1.3 times" if many >= 1000 else "",
            ratio <= 1.3 if many >= 1000 else None,
        )
        self.figures.add(f"own_share_{many}", line, ratio)

    def drift(self, existing: int, rounds: int) -> None:
        """Compare everything on the server with what was applied."""
        taken = [self.panel.check_drift() for _ in range(rounds)]
        median = statistics.median(taken)
        is_full = existing >= 1000
        line = Line(
            f"drift check, {existing} existing",
            Series(taken).line("", None).ours,
            "",
            "≤ 5 s" if is_full else "",
            median <= 5 if is_full else None,
        )
        self.figures.add(f"drift_{existing}", line, taken)

    def rebuild(self) -> None:
        """Lose the server; another one, set up already, takes its place: from the order until all are live there."""
        with Server.create() as machine:
            self.panel.replace(machine)
            began = time.monotonic()
            outside = Outside(machine.address)
            outside.wait_live([item.account for item in self.accounts], BURST_SECONDS)
            taken = time.monotonic() - began
        figure = f"rebuild of {len(self.accounts)} accounts on another server"
        self.figures.add("rebuild", Series([taken]).line(figure, None), taken)

    def memory(self) -> None:
        """Peak memory (VmHWM) of the worker and of the node program."""
        worker = peak(Path(f"/proc/{self.panel.worker}/status").read_text())
        script = 'for p in $(pgrep -f "hostwright_node serve"); do cat /proc/$p/status; done'
        node = peak(self.panel.machine.run(["sh", "-c", script], check=False).stdout)
        self.figures.limit("memory_node", "peak memory of the node program", node, "MB", 150)
        self.figures.limit("memory_worker", "peak memory of the worker", worker, "MB", None)


def peak(status: str) -> float:
    """The largest VmHWM of some /proc/PID/status, in MB."""
    return max((int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith("VmHWM:")), default=0.0)


def last_run() -> str:
    """The id of the newest run; ids grow."""
    from provisioning.models import Run

    return Run.objects.order_by("-id").values_list("id", flat=True).first() or ""


def own_share(since: str, began: datetime) -> float:
    """Seconds from `began` to the end of the run after `since`, less what that waited for checks and reloads.

    The reloads of a creation go side by side, so the longest counts.
    """
    from provisioning.models import Run

    run = Run.objects.filter(pk__gt=since, finished_at__isnull=False).order_by("id").first()
    if run is None or run.finished_at is None:
        raise BenchFailed("no run has carried the account")
    steps = [(name, (ms or 0) / 1000) for name, ms in run.steps.values_list("name", "ms")]
    checks = sum(seconds for name, seconds in steps if name.startswith("check "))
    reloads = max((seconds for name, seconds in steps if name.startswith("reload ")), default=0.0)
    return (run.finished_at - began).total_seconds() - checks - reloads


def reloads_since(since: str) -> Counter[str]:
    """How often each daemon was reloaded by runs after `since`."""
    from provisioning.models import Run

    counted: Counter[str] = Counter()
    for reloads in Run.objects.filter(pk__gt=since).values_list("reloads", flat=True):
        counted.update(reloads)
    return counted


def looked_at(item: Ordered) -> float:
    """Seconds from an intent for one slice to its recorded run."""
    from panel.core.scoping import everything
    from provisioning.models import Intent, Operation, Slice
    from provisioning.services import intents

    with everything("bench"):
        part = Slice.objects.get(hosting=item.id)
        operation = Operation.objects.get(pk=item.operation)
        began = time.monotonic()
        intents.again([part], operation=operation)
        while Intent.objects.filter(slice=part).exists():
            if time.monotonic() - began > LIVE_SECONDS:
                raise BenchFailed("the intent stays")
            time.sleep(0.002)
        return time.monotonic() - began


def measure(bench: Bench, *, quick: bool) -> None:
    """Everything, from an empty server to a full one."""
    bench.singles(0, 3 if quick else 10, 1.5)
    bench.burst(0, 100, 1 if quick else 2, 1.0)
    bench.singles(100, 3 if quick else 8, None)
    bench.no_op(100, 5)
    bench.burst_by_api(100, 100)
    if quick:
        bench.suspend(100, 2)
        bench.own_share(100)
        bench.drift(100, 2)
    else:
        bench.panel.terminate(bench.accounts)
        bench.accounts.clear()
        bench.burst(0, 1000, 1, None)
        bench.singles(1000, 8, 0.7)
        bench.burst(1000, 100, 2, 1.0)
        bench.no_op(1000, 10)
        bench.suspend(1000, 5)
        bench.own_share(1000)
        bench.drift(1000, 3)
    bench.memory()
    bench.rebuild()


def run(*, quick: bool) -> Figures:
    """Start everything, measure, take everything down."""
    figures = Figures()
    with running() as panel, floor(panel.machine) as by_hand:
        panel.warm_up()
        print("  the panel and its server are ready", flush=True)
        measure(Bench(panel, by_hand, figures), quick=quick)
    return figures
