"""Disk quotas of the kernel, by user, on the file system that a directory lies on (quotactl_fd(2), Linux 5.14).

Knows no resource. Where the file system has no quotas in force, every question is answered with None.
"""

from __future__ import annotations

import ctypes
import errno
import os
from dataclasses import dataclass

QUOTACTL_FD = 443
USRQUOTA = 0
GET, SET = 0x800007, 0x800008
GET_STATE = (ord("X") << 8) + 5
BLOCK = 1024
HAS_BLOCK_LIMITS, HAS_INODE_LIMITS = 1, 4
ACCOUNTED, ENFORCED = 1, 2
ABSENT = (errno.ESRCH, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM)
"""What the kernel says where there are no quotas, or where this process may not ask (a container)."""


@dataclass(frozen=True)
class Limits:
    """What a user may take; None is unlimited. `bytes` counts in steps of 1024."""

    bytes: int | None
    inodes: int | None


class _Block(ctypes.Structure):
    """struct if_dqblk of linux/quota.h."""

    _fields_ = [
        ("hard_blocks", ctypes.c_uint64),
        ("soft_blocks", ctypes.c_uint64),
        ("space", ctypes.c_uint64),
        ("hard_inodes", ctypes.c_uint64),
        ("soft_inodes", ctypes.c_uint64),
        ("inodes", ctypes.c_uint64),
        ("block_time", ctypes.c_uint64),
        ("inode_time", ctypes.c_uint64),
        ("valid", ctypes.c_uint32),
    ]


class _State(ctypes.Structure):
    """The beginning of struct fs_quota_stat of linux/dqblk_xfs.h."""

    _fields_ = [("version", ctypes.c_int8), ("flags", ctypes.c_uint16), ("rest", ctypes.c_uint8 * 252)]


def standing(path: str) -> str:
    """What the file system of a directory does: "enforced", "counted" (usage known, limits not held) or "none"."""
    if not os.path.isdir(path):
        return "none"
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        state = _State()
        if not _call(directory, GET_STATE, 0, ctypes.byref(state)):
            return "none"
        if state.flags & ENFORCED:
            return "enforced"
        return "counted" if state.flags & ACCOUNTED else "none"
    finally:
        os.close(directory)


def used(directory: int, uid: int) -> tuple[int, int] | None:
    """Bytes and inodes that a user has on the file system of an open directory; None where that is not counted."""
    block = _get(directory, uid)
    return None if block is None else (int(block.space), int(block.inodes))


def limits(directory: int, uid: int) -> Limits | None:
    """A user's limits; None where there are no quotas."""
    block = _get(directory, uid)
    return None if block is None else Limits(block.hard_blocks * BLOCK or None, block.hard_inodes or None)


def set_limits(directory: int, uid: int, wanted: Limits) -> bool:
    """Set a user's limits; whether the file system has quotas. OSError when it has and refuses.

    The kernel knows no limit of nothing: 0 is the smallest one that it holds, one block or inode.
    """
    held = rounded(wanted)
    block = _Block(hard_blocks=(held.bytes or 0) // BLOCK, hard_inodes=held.inodes or 0)
    block.valid = HAS_BLOCK_LIMITS | HAS_INODE_LIMITS
    return _call(directory, SET, uid, ctypes.byref(block))


def rounded(wanted: Limits) -> Limits:
    """The limits that the kernel holds when it is asked for some."""
    size = None if wanted.bytes is None else max(1, -(-wanted.bytes // BLOCK)) * BLOCK
    return Limits(size, None if wanted.inodes is None else max(1, wanted.inodes))


def _get(directory: int, uid: int) -> _Block | None:
    block = _Block()
    return block if _call(directory, GET, uid, ctypes.byref(block)) else None


def _call(directory: int, command: int, uid: int, address: object) -> bool:
    """Ask the kernel; False where there are no quotas."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.syscall(QUOTACTL_FD, directory, (command << 8) | USRQUOTA, uid, address) == 0:
        return True
    number = ctypes.get_errno()
    if number in ABSENT:
        return False
    raise OSError(number, os.strerror(number))
