"""The payload of `apply` and `plan` as values. Only its shape is judged here; what it asks for is judged by slice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, TypeVar

from . import rules
from .errors import NodeError
from .rules import Body

T = TypeVar("T")
GENERATION_LIMIT = 2**62


@dataclass(frozen=True)
class SliceRequest:
    """One slice as it should be."""

    slice: str
    generation: int
    manifest: dict[str, str]
    resources: dict[str, Body]
    hints: dict[str, dict[str, Any]]
    tombstones: tuple[str, ...]
    moves: tuple[tuple[str, str], ...] = ()
    pinned: frozenset[str] = frozenset()
    discard: dict[str, str] = field(default_factory=dict)
    adopted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Request:
    """Everything that one apply or plan is asked to do."""

    server: str
    epoch: int
    holder: str
    slices: tuple[SliceRequest, ...]
    verify: bool
    limit_percent: int
    limit_from: int
    confirmed: bool


def body_hash(body: Body) -> str:
    """The hash of a body, as the panel makes it."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _expect(value: object, kind: type[T], where: str) -> T:
    """`value` when it is a `kind`; true and false are no numbers."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise NodeError("bad_request", f"{where} must be a {kind.__name__}")
    return value


def _number(value: object, where: str, high: int = GENERATION_LIMIT) -> int:
    number = _expect(value, int, where)
    if not 0 <= number <= high:
        raise NodeError("bad_request", f"{where} must be from 0 to {high}")
    return number


def parse(payload: object) -> Request:
    """Read a payload; unknown keys are ignored. NodeError bad_request when its shape is wrong."""
    data = _expect(payload, dict, "payload")
    limit = _expect(data.get("removal_limit", {}), dict, "removal_limit")
    server = _expect(data.get("server"), str, "server")
    if not rules.SLICE.fullmatch(server):
        raise NodeError("bad_request", "server must be an id of lower-case letters, digits and underscores")
    slices = tuple(_slice(item) for item in _expect(data.get("slices"), list, "slices"))
    if len({item.slice for item in slices}) != len(slices):
        raise NodeError("bad_request", "slices must each be named once")
    return Request(
        server=server,
        epoch=_number(data.get("epoch"), "epoch"),
        holder=_expect(data.get("holder", ""), str, "holder"),
        slices=slices,
        verify=_expect(data.get("verify", False), bool, "verify"),
        limit_percent=_number(limit.get("percent", 30), "removal_limit.percent", 100),
        limit_from=_number(limit.get("from", 10), "removal_limit.from"),
        confirmed=_expect(data.get("confirmed", False), bool, "confirmed"),
    )


def _slice(item: object) -> SliceRequest:
    data = _expect(item, dict, "slice")
    name = _expect(data.get("slice"), str, "slice")
    if not rules.SLICE.fullmatch(name):
        raise NodeError("bad_request", "slice must be an id of lower-case letters, digits and underscores")
    manifest = _expect(data.get("manifest"), dict, f"{name}: manifest")
    for key, digest in manifest.items():
        if not isinstance(digest, str) or not rules.HASH.fullmatch(digest):
            raise NodeError("bad_request", f"{name}: manifest: {key[:200]} must have a SHA-256 in hexadecimal")
    resources = _expect(data.get("resources", {}), dict, f"{name}: resources")
    for key, body in resources.items():
        _expect(body, dict, f"{name}: resources: {key[:200]}")
    hints = _expect(data.get("hints", {}), dict, f"{name}: hints")
    for key, hint in hints.items():
        _expect(hint, dict, f"{name}: hints: {key[:200]}")
    tombstones = _expect(data.get("tombstones", []), list, f"{name}: tombstones")
    return SliceRequest(
        slice=name,
        generation=_number(data.get("generation"), f"{name}: generation"),
        manifest=manifest,
        resources=resources,
        hints=hints,
        tombstones=tuple(_expect(key, str, f"{name}: tombstones") for key in tombstones),
        moves=tuple(_move(item, f"{name}: moves") for item in _expect(data.get("moves", []), list, f"{name}: moves")),
        pinned=frozenset(_texts(data.get("pinned", []), f"{name}: pinned")),
        discard=_discard(data.get("discard", {}), f"{name}: discard"),
        adopted=frozenset(_texts(data.get("adopted", []), f"{name}: adopted")),
    )


def _texts(value: object, where: str) -> list[str]:
    return [_expect(item, str, where) for item in _expect(value, list, where)]


def _discard(value: object, where: str) -> dict[str, str]:
    digests = _expect(value, dict, where)
    for key, digest in digests.items():
        if not isinstance(digest, str) or not rules.HASH.fullmatch(digest):
            raise NodeError("bad_request", f"{where}: {key[:200]} must have a SHA-256 in hexadecimal")
    return digests


def _move(item: object, where: str) -> tuple[str, str]:
    pair = _expect(item, list, where)
    if len(pair) != 2:
        raise NodeError("bad_request", f"{where} must be pairs of a key and the key that it becomes")
    return _expect(pair[0], str, where), _expect(pair[1], str, where)
