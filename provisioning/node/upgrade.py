"""The verb `upgrade`: puts another node program in the place of this one, whole or not at all, and keeps this one."""

from __future__ import annotations

import base64
import binascii
import ctypes
import io
import json
import os
import re
import shutil
import sys
import tarfile
from typing import Any

from .errors import NodeError
from .facts import digest, digest_of, hello
from .failpoints import failpoint
from .fsutil import write_all
from .node import Emit, Node
from .paths import Paths
from .processes import run
from .recover import journalled, recover

PACKAGE = "hostwright_node"
MEMBER = re.compile(PACKAGE + r"/(?:[a-z0-9_]+/){0,4}[a-z0-9_]+\.py")
MOST_BYTES = 32 * 1024 * 1024
TEST_SECONDS = 60
RENAME_EXCHANGE = 2
AT_FDCWD = -100
PROGRAM = os.path.dirname(os.path.abspath(__file__))


def _identity() -> tuple[int, int, int] | None:
    """What tells the program on disk from another one that took its place."""
    try:
        status = os.stat(os.path.join(PROGRAM, "__init__.py"))
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


_LOADED = _identity()


def is_replaced() -> bool:
    """Whether another program has taken the place of the one that this process runs."""
    return _identity() != _LOADED


def upgrade(node: Node, payload: object, emit: Emit) -> dict[str, Any]:
    """Take the program of the payload's archive. NodeError when it cannot be taken; then nothing has changed."""
    archive, wanted = _parse(payload)
    node.tell(emit)
    if os.path.basename(PROGRAM) != PACKAGE:
        raise NodeError("bad_request", "this program is not an installed one; there is nothing to upgrade")
    library = os.path.dirname(PROGRAM)
    with node.lock():
        recover(node)
        try:
            if wanted != digest():
                _replace(node, library, archive, wanted)
            _keep(library)
        except OSError as error:
            raise NodeError("failed", f"the new program could not be put in place: {error}") from error
        finally:
            shutil.rmtree(f"{library}/new", ignore_errors=True)
        return {"digest": wanted, "previous": _digest_at(f"{library}/previous")}


def self_test(paths: Paths) -> dict[str, Any]:
    """Load everything, read the node's memory and its journal, and say hello: what `upgrade` asks of a new program."""
    node = Node(paths)
    try:
        journalled(node)
        return hello(node)
    finally:
        node.close()


def _parse(payload: object) -> tuple[bytes, str]:
    data = payload if isinstance(payload, dict) else {}
    archive, wanted = data.get("archive"), data.get("digest")
    if not isinstance(archive, str) or not isinstance(wanted, str):
        raise NodeError("bad_request", "archive and digest must be texts")
    try:
        return base64.b64decode(archive, validate=True), wanted
    except binascii.Error as error:
        raise NodeError("bad_request", f"archive must be base64: {error}") from error


def _replace(node: Node, library: str, archive: bytes, wanted: str) -> None:
    fresh, tested = f"{library}/new", f"{library}/next"
    with node.steps.step("unpack the new program"):
        for left in (fresh, tested):
            shutil.rmtree(left, ignore_errors=True)
        _unpack(archive, fresh)
        found = _digest_at(fresh)
        if found != wanted:
            raise NodeError("bad_request", f"the archive holds the program {found}, not {wanted}")
    failpoint("upgrade-unpacked")
    with node.steps.step("test the new program"):
        _test(node, fresh, wanted)
    os.rename(fresh, tested)
    failpoint("upgrade-tested")
    _exchange(PROGRAM, f"{tested}/{PACKAGE}")
    _sync(library)
    failpoint("upgrade-swapped")


def _keep(library: str) -> None:
    """After an exchange, also one that a kill cut off: what was there before is the previous program."""
    if os.path.isdir(f"{library}/next"):
        shutil.rmtree(f"{library}/previous", ignore_errors=True)
        os.rename(f"{library}/next", f"{library}/previous")
        _sync(library)


def _digest_at(directory: str) -> str | None:
    """The digest of the program in a directory; None when there is none."""
    program = os.path.join(directory, PACKAGE)
    return digest_of(program) if os.path.isdir(program) else None


def _unpack(archive: bytes, directory: str) -> None:
    """Write a tar of Python files; nothing else may be in it, and no name leads elsewhere. Durable when it returns."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
            files = [(member, tar.extractfile(member)) for member in tar if _allowed(member)]
            if sum(member.size for member, _content in files) > MOST_BYTES:
                raise NodeError("bad_request", f"the archive holds more than {MOST_BYTES} bytes")
            for member, content in files:
                _write(f"{directory}/{member.name}", content.read() if content is not None else b"")
    except tarfile.TarError as error:
        raise NodeError("bad_request", f"the archive is no tar: {error}") from error
    for folder, _folders, _files in os.walk(directory):
        _sync(folder)


def _allowed(member: tarfile.TarInfo) -> bool:
    if not member.isreg() or not MEMBER.fullmatch(member.name):
        raise NodeError(
            "bad_request", f"the archive holds {member.name!r}; it may hold {PACKAGE}/*.py and nothing else"
        )
    return True


def _write(path: str, data: bytes) -> None:
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _test(node: Node, directory: str, wanted: str) -> None:
    """Run the new program's `self-test`. NodeError self_test when it does not hold."""
    command = [sys.executable, "-m", PACKAGE, "--root", node.paths.root, "self-test"]
    result = run(command, timeout=TEST_SECONDS, environment={"PYTHONPATH": directory})
    try:
        told = json.loads(result.output) if result.ok else {}
    except ValueError:
        told = {}
    if not isinstance(told, dict) or told.get("digest") != wanted:
        words = result.words[-2000:]
        raise NodeError("self_test", "the new node program does not run on this server", {"words": words})


def _exchange(one: str, other: str) -> None:
    """Swap two directories atomically (renameat2(2), RENAME_EXCHANGE)."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), one)


def _sync(directory: str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
