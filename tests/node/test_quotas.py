"""Limits of disk space: told to the kernel where it holds users to them, left alone where it does not.

The kernel that tests run on may have no quotas in it, so one that remembers what it was told stands in for it here.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from provisioning.node import quota
from provisioning.node.measuring import measure
from provisioning.node.quota import Limits
from provisioning.node.usage import usage
from tests.node.bundles import Body, Machine, file, renaming, resource, slice_of, tenant

NAME, UID, SLICE = "lena", 20001, "acc_lena"


def limit(size: int | None, inodes: int | None = None, uid: int = UID, user: str = NAME) -> Body:
    return resource("quota", str(uid), user=user, bytes=size, inodes=inodes)


@dataclass
class Kernel:
    """Answers `quotactl_fd` as Linux does: limits in blocks of 1024 bytes, 0 for none."""

    limits: dict[int, tuple[int, int]] = field(default_factory=dict)
    used: dict[int, tuple[int, int]] = field(default_factory=dict)
    asked: int = 0
    refuses: bool = False

    def call(self, _directory: int, command: int, uid: int, address: object) -> bool:
        self.asked += 1
        block = ctypes.cast(address, ctypes.POINTER(quota._Block)).contents  # type: ignore[arg-type]
        if command == quota.GET:
            block.hard_blocks, block.hard_inodes = self.limits.get(uid, (0, 0))
            block.space, block.inodes = self.used.get(uid, (0, 0))
        elif command == quota.SET:
            if self.refuses:
                raise OSError(5, "Input/output error")
            assert block.valid == 5
            self.limits[uid] = (block.hard_blocks, block.hard_inodes)
        else:
            state = ctypes.cast(address, ctypes.POINTER(quota._State)).contents  # type: ignore[arg-type]
            state.flags = quota.ACCOUNTED | quota.ENFORCED
        return True


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    made = Kernel()
    monkeypatch.setattr(quota, "_call", made.call)
    yield made
    assert made.asked


def keys(report: dict[str, list[dict[str, str]]]) -> list[tuple[str, str]]:
    return [(item["key"], item["drift"]) for item in report["items"]]


def test_a_limit_is_set_changed_and_lifted(machine: Machine, kernel: Kernel) -> None:
    assert machine.apply(slice_of(SLICE, *tenant(NAME, UID), limit(5_000_000, 900)))["status"] == "applied"
    assert kernel.limits == {UID: (4883, 900)}
    machine.apply(slice_of(SLICE, *tenant(NAME, UID), limit(1024), generation=2))
    assert kernel.limits == {UID: (1, 0)}
    machine.apply(slice_of(SLICE, *tenant(NAME, UID), limit(0, 0), generation=3))
    assert kernel.limits == {UID: (1, 1)}
    machine.apply(slice_of(SLICE, *tenant(NAME, UID), generation=4))
    assert kernel.limits == {UID: (0, 0)}


def test_what_is_refused_together_leaves_the_limit_as_it_was(machine: Machine, kernel: Kernel) -> None:
    machine.apply(slice_of(SLICE, *tenant(NAME, UID), limit(4096)))
    stranger = machine.at("/etc/hostwright/theirs")
    stranger.write_text("not ours")
    clash = file("/etc/hostwright/theirs", "ours")
    report = machine.apply(slice_of(SLICE, *tenant(NAME, UID), limit(8192), clash, generation=2))
    assert report["status"] == "rejected"
    assert kernel.limits == {UID: (4, 0)}


def test_a_limit_that_the_kernel_refuses_refuses_its_slice_alone(machine: Machine, kernel: Kernel) -> None:
    kernel.refuses = True
    report = machine.apply(
        slice_of(SLICE, *tenant(NAME, UID), limit(4096)), slice_of("acc_otto", *tenant("otto", 20002))
    )
    assert report["slices"][SLICE]["status"] == "rejected"
    assert "Input/output error" in report["slices"][SLICE]["reason"]
    assert report["slices"]["acc_otto"]["status"] == "applied"
    assert machine.users() == ["otto"]


def test_a_limit_changed_by_hand_is_drift_and_put_right(machine: Machine, kernel: Kernel) -> None:
    bundle = slice_of(SLICE, *tenant(NAME, UID), limit(5_000_000))
    machine.apply(bundle)
    assert keys(machine.drift()) == []
    kernel.limits[UID] = (0, 0)
    assert keys(machine.drift()) == [(f"quota:{UID}", "changed")]
    machine.apply(bundle, verify=True)
    assert kernel.limits == {UID: (4883, 0)}


def test_a_renamed_user_keeps_its_limit(machine: Machine, kernel: Kernel) -> None:
    machine.apply(slice_of(SLICE, *tenant(NAME, UID), limit(4096)))
    renamed = slice_of(SLICE, *tenant("lea", UID), limit(4096, user="lea"), generation=2, moves=renaming(NAME, "lea"))
    assert machine.apply(renamed)["status"] == "applied"
    assert kernel.limits == {UID: (4, 0)}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (limit(4096, uid=20002), "foreign"),
        (limit(4096, uid=0), "invalid"),
        (resource("quota", "lena", user=NAME, bytes=1, inodes=None), "invalid"),
        (resource("quota", "020001", user=NAME, bytes=1, inodes=None), "invalid"),
        (limit(-1), "invalid"),
        (resource("quota", str(UID), user=NAME, bytes=True, inodes=None), "invalid"),
        (limit(4096, user="otto"), "foreign"),
    ],
)
def test_a_limit_of_somebody_else_or_of_no_use_is_refused(machine: Machine, body: Body, code: str) -> None:
    machine.apply(slice_of("acc_otto", *tenant("otto", 20002)))
    report = machine.apply(slice_of(SLICE, *tenant(NAME, UID), body))
    assert report["slices"][SLICE]["code"] == code
    assert machine.users() == ["otto"]


def test_the_kernels_count_is_what_is_told(machine: Machine, kernel: Kernel) -> None:
    machine.apply(slice_of(SLICE, *tenant(NAME, UID)))
    mail = machine.at(f"/home/{NAME}/mail")
    mail.mkdir()
    (mail / "message").write_bytes(b"x" * 50_000)
    kernel.used[UID] = (123_456, 78)
    measure(machine.node_paths())
    with machine.node() as node:
        report = usage(node, {"server": "srv_1"})
    told = report["accounts"][SLICE]
    assert (told["disk_bytes"], told["inodes"]) == (123_456, 78)
    assert 50_000 <= told["mail_bytes"] < 70_000
    assert report["server"]["quota"] == "enforced"


def test_where_the_file_system_has_no_quotas_nothing_is_made_and_nothing_differs(machine: Machine) -> None:
    """The real kernel's own answer: what tests run on has none."""
    directory = os.open(machine.at("/home"), os.O_RDONLY)
    try:
        assert quota.limits(directory, UID) is None
        assert not quota.set_limits(directory, UID, Limits(4096, None))
        assert quota.used(directory, UID) is None
    finally:
        os.close(directory)
    assert quota.standing(str(machine.at("/home"))) == "none"
    assert machine.apply(slice_of(SLICE, *tenant(NAME, UID), limit(4096)))["status"] == "applied"
    assert keys(machine.drift()) == []
