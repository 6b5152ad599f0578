"""The node program of another machine, over SSH with a pinned host key."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any, TypeVar

import asyncssh

from panel.core.failures import Permanent, Temporary
from provisioning.spec import Target
from provisioning.transport.base import Connection

CONNECT_SECONDS = 10.0
KEEPALIVE_SECONDS = 15

T = TypeVar("T")


class HostKeyChanged(Temporary):
    """The server shows another host key than the pinned one: nothing is sent to it until a person has looked."""


@lru_cache(maxsize=1)
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="ssh", daemon=True).start()
    return loop


def wait(work: Coroutine[Any, Any, T], timeout: float) -> T:
    """Run `work` on the SSH thread and wait for it; whatever breaks on the way is Temporary."""

    async def bounded() -> T:
        async with asyncio.timeout(timeout):
            return await work

    try:
        return asyncio.run_coroutine_threadsafe(bounded(), _loop()).result()
    except asyncssh.HostKeyNotVerifiable as error:
        raise HostKeyChanged("The server shows another host key than the one that was confirmed.") from error
    except TimeoutError as error:
        raise Temporary("The server does not answer.") from error
    except asyncssh.KeyImportError as error:
        raise Temporary("A stored key of this server can't be read.") from error
    except asyncssh.PermissionDenied as error:
        raise Temporary("The server does not accept the panel's key.") from error
    except (OSError, asyncssh.Error, asyncio.IncompleteReadError) as error:
        raise Temporary(f"No connection to the server: {getattr(error, 'strerror', None) or error}.") from error


def host_key(host: str, port: int) -> str:
    """Return the public host key that a server shows, as `type base64`; Ed25519 first. Raises Temporary."""
    key = wait(
        asyncssh.get_server_host_key(host, port, server_host_key_algs=["ssh-ed25519", "ecdsa-sha2-nistp256"]),
        CONNECT_SECONDS,
    )
    if key is None:
        raise Permanent("The server shows no Ed25519 or ECDSA host key.")
    return " ".join(key.export_public_key("openssh").decode().split()[:2])


async def connect(target: Target, password: str = "") -> asyncssh.SSHClientConnection:
    """Open an SSH connection as root: by the panel's key, else by `password`; only with the pinned host key."""
    pinned = asyncssh.import_public_key(target.host_key)
    return await asyncssh.connect(
        target.host,
        target.port,
        username="root",
        known_hosts=([pinned], [], []),
        server_host_key_algs=[pinned.get_algorithm()],
        client_keys=[asyncssh.import_private_key(target.private_key)],
        password=password or None,
        config=None,
        agent_path=None,
        keepalive_interval=KEEPALIVE_SECONDS,
        compression_algs=None,
    )


class SshConnection(Connection):
    """A warm SSH session whose forced command is the node program."""

    def __init__(self, target: Target) -> None:
        super().__init__()
        self._connection, self._process = wait(self._open(target), CONNECT_SECONDS)

    @staticmethod
    async def _open(target: Target) -> tuple[asyncssh.SSHClientConnection, asyncssh.SSHClientProcess[bytes]]:
        connection = await connect(target)
        try:
            process = await connection.create_process("serve", encoding=None)
        except BaseException:
            connection.abort()
            raise
        return connection, process

    def _send(self, line: bytes) -> None:
        async def write() -> None:
            self._process.stdin.write(line)
            await self._process.stdin.drain()

        wait(write(), CONNECT_SECONDS * 6)

    def _receive(self, timeout: float) -> bytes:
        return wait(self._process.stdout.readline(), timeout)

    def close(self) -> None:
        self.closed = True
        _loop().call_soon_threadsafe(self._connection.abort)


class Shell:
    """A root shell on a machine that has no node program yet; for its set-up alone."""

    def __init__(self, target: Target, password: str = "") -> None:
        self._connection = wait(connect(target, password), CONNECT_SECONDS)

    def run(self, command: str, data: bytes = b"", timeout: float = 600.0) -> str:
        """Run a fixed `command` with `data` on its stdin and return its stdout.

        Raises Permanent with the command's last words when it fails, Temporary when the connection breaks.
        """
        result = wait(self._connection.run(command, input=data, encoding=None), timeout)
        if result.exit_status != 0:
            words = _text(result.stderr) or _text(result.stdout)
            raise Permanent("A step of the set-up failed on the server.", words[-2000:])
        return _text(result.stdout)

    def close(self) -> None:
        """End the session."""
        _loop().call_soon_threadsafe(self._connection.abort)


def _text(output: bytes | str | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""
