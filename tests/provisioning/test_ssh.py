"""The SSH transport against an SSH server of this process: the pinned host key decides."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import asyncssh
import pytest

from provisioning.spec import Target
from provisioning.transport import ssh

HELLO = b'{"id":1,"report":{"node":"a stranger"}}\n'


class Stranger(asyncssh.SSHServer):
    """Lets everybody in, and notes who tried."""

    tried: list[str]

    def __init__(self, tried: list[str]) -> None:
        self.tried = tried

    def begin_auth(self, username: str) -> bool:
        """Note who came as far as to sign in."""
        self.tried.append(username)
        return False


async def _answer(process: asyncssh.SSHServerProcess[bytes]) -> None:
    process.stdout.write(HELLO)
    await process.stdin.read()
    process.exit(0)


@contextmanager
def stranger(key: asyncssh.SSHKey, tried: list[str]) -> Iterator[int]:
    """An SSH server on loopback with this host key; gives its port."""

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            lambda: Stranger(tried), "127.0.0.1", 0, server_host_keys=[key], process_factory=_answer, encoding=None
        )

    server = ssh.wait(listen(), 10)
    try:
        yield server.get_port()
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), ssh._loop()).result(10)


async def _close(server: asyncssh.SSHAcceptor) -> None:
    server.close()


def target(port: int, host_key: asyncssh.SSHKey) -> Target:
    """A target at this port whose pinned key is that of `host_key`."""
    own = asyncssh.generate_private_key("ssh-ed25519")
    return Target(
        id="srv_1",
        transport="ssh",
        host="127.0.0.1",
        port=port,
        host_key=host_key.export_public_key("openssh").decode().strip(),
        private_key=own.export_private_key("openssh"),
    )


def test_a_server_with_another_host_key_gets_nothing():
    pinned, other = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    tried: list[str] = []
    with stranger(other, tried) as port:
        wanted = target(port, pinned)
        with pytest.raises(ssh.HostKeyChanged):
            ssh.SshConnection(wanted)
        assert tried == []
        known = replace(wanted, host_key=other.export_public_key("openssh").decode().strip())
        connection = ssh.SshConnection(known)
        assert connection.call("hello", {}) == {"node": "a stranger"}
        connection.close()
    assert tried == ["root"]
