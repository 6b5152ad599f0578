"""Disks without room, without inodes, or read-only: the old configuration stays, the order waits, and it heals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from provisioning.models import Operation
from provisioning.services import runs
from tests.faults.bed import Bed
from tests.faults.orders import Orders, account
from tests.servers import Server

PLACES = ["/home", "/etc/nginx/hostwright/sites", "/etc/bind/hostwright-zones", "/var/lib/extrausers"]
FILL = {
    "space": 'cat /dev/zero > "$1/.fill" || test -s "$1/.fill"',
    "inodes": 'mkdir "$1/.fill"; n=0; while true > "$1/.fill/$n"; do n=$((n + 1)); done 2>/dev/null',
    "read-only": 'mount -o remount,ro "$1"',
}
HEAL = {"space": 'rm "$1/.fill"', "inodes": 'rm -r "$1/.fill"', "read-only": 'mount -o remount,rw "$1"'}
SHRINK = """
size=$(($(du -sm "$1" | cut -f1) + 16)) inodes=$(($(find "$1" | wc -l) + 1000))
mkdir /root/small
mount -t tmpfs -o "size=${size}m,nr_inodes=$inodes" none /root/small
chown --reference="$1" /root/small
chmod --reference="$1" /root/small
cp -a "$1/." /root/small/
mount --bind /root/small "$1"
umount /root/small
"""
GROW = """
mkdir /root/whole
mount --bind / /root/whole
cp -a "$1/." "/root/whole$1/"
umount --lazy "$1"
umount /root/whole
rmdir /root/small /root/whole
"""
WORDS = {"space": "No space left", "inodes": "No space left", "read-only": "Read-only file system"}
CASES = [
    pytest.param(place, fault, marks=() if (place, fault) == ("/home", "inodes") else pytest.mark.long)
    for place in PLACES
    for fault in FILL
]


def script(machine: Server, text: str, place: str) -> None:
    """Run a script there with a place."""
    machine.run(["sh", "-uc", f"set -e\n{text}", "sh", place])


@contextmanager
def small_disk(machine: Server, place: str) -> Iterator[None]:
    """Let a place be a disk of its own with room for 16 MiB and 1,000 files more; what is in it stays there."""
    script(machine, SHRINK, place)
    try:
        yield
    finally:
        script(machine, GROW, place)


@pytest.mark.parametrize(("place", "fault"), CASES)
def test_x5_a_disk_that_takes_nothing(bed: Bed, place: str, fault: str):
    machine = bed.world.machine
    with bed.trial(f"{fault} of {place}", 1) as trial:
        orders = Orders(bed.world, trial.history, trial.accepted)
        with small_disk(machine, place):
            script(machine, FILL[fault], place)
            orders.give(account)
            bed.world.reconcile()
            order = Operation._base_manager.get(pk=trial.accepted[-1])
            trial.history.add("told", status=order.status, reason=order.reason, detail=order.detail)
            script(machine, HEAL[fault], place)
            assert order.status == "waiting"
            assert order.reason in (runs.REASONS["disk_full"], runs.REASON_BUSY)
            assert WORDS[fault] in order.detail
            bed.converge()
        orders.some(2)
