"""Lets a process that acts as a tenant look into that tenant's closed directories, and do nothing else beyond it."""

from __future__ import annotations

import ctypes
import os

VERSION = 0x20080522
DAC_READ_SEARCH = 1 << 2


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Set(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def only_reading() -> None:
    """Make CAP_DAC_READ_SEARCH the only effective capability of this thread (capset(2), capabilities(7)).

    For a process whose real user is root and whose effective one is not: the permitted ones stay, so that root's come
    back with its effective uid. OSError when the kernel refuses.
    """
    library = ctypes.CDLL(None, use_errno=True)
    header, sets = _Header(VERSION, 0), (_Set * 2)()
    if library.capget(ctypes.byref(header), sets) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    sets[0].effective, sets[1].effective = DAC_READ_SEARCH, 0
    if library.capset(ctypes.byref(header), sets) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
