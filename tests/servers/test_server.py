"""The test servers keep what they promise: real boot, own network, power cuts, and nothing left behind."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import Server, ServerError
from tests.servers.state import State

pytestmark = pytest.mark.server

OWNER = """
import sys, time
from tests.servers import Server
server = Server.create("bare-trixie", nat=True)
print(server.name, flush=True)
time.sleep(120)
"""


def eventually(condition: Callable[[], bool], timeout: float = 15) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def ssh(server: Server, *command: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    return subprocess.run(server.ssh_argv(*command), capture_output=True, text=True, timeout=timeout, check=False)


def test_a_server_runs_systemd_and_the_daemons_of_its_image(server: Server):
    server.wait_booted()
    assert server.run(["cat", "/proc/1/comm"]).stdout.strip() == "systemd"
    for unit in ("mariadb", "named", "postfix", "dovecot", "php8.4-fpm", "ssh"):
        assert server.run(["systemctl", "is-active", unit]).stdout.strip() == "active", unit


def test_ssh_is_answered_by_the_key_that_the_server_names(server: Server):
    assert ssh(server, "echo", "two words", "$HOME").stdout == "two words $HOME\n"
    shown = server.run(["ssh-keygen", "-l", "-f", "/etc/ssh/ssh_host_ed25519_key.pub"]).stdout
    assert server.host_key in shown


def test_two_servers_share_nothing(server: Server):
    with Server.create("bare-trixie") as other:
        server.put("/root/mark", "mine")
        assert other.run(["ls", "/root/mark"], check=False).returncode != 0
        assert server.address != other.address
        assert server.host_key != other.host_key
        assert server.run(["cat", "/etc/machine-id"]).stdout != other.run(["cat", "/etc/machine-id"]).stdout
        other.kill()
        assert server.run(["true"]).returncode == 0


def test_a_power_cut_keeps_the_disk(server: Server):
    server.put("/root/mark", "kept", mode="0600")
    server.kill()
    assert not server.running
    with pytest.raises(ServerError, match="switched off"):
        server.run(["true"])
    server.start()
    assert server.run(["cat", "/root/mark"]).stdout == "kept"
    assert server.run(["stat", "-c", "%a", "/root/mark"]).stdout.strip() == "600"


def test_a_frozen_ssh_daemon_hangs_until_it_is_thawed(server: Server):
    server.freeze()
    with pytest.raises(subprocess.TimeoutExpired):
        ssh(server, "true", timeout=2)
    assert server.run(["true"]).returncode == 0
    server.thaw()
    assert ssh(server, "true").returncode == 0


def test_a_server_has_no_way_out(server: Server, bare_server: Callable[[str], Server]):
    neighbour = bare_server("trixie")  # this machine forwards packets for it, and so could for others
    server.run(["ip", "route", "add", "default", "via", server.gateway])
    reach = ["timeout", "2", "bash", "-c", 'exec 3<>"/dev/tcp/$0/22" && head -c 7 <&3', neighbour.address]
    assert neighbour.run(reach).stdout == "SSH-2.0"
    assert server.run(reach, check=False).stdout == ""


def test_a_bare_server_reaches_its_mirror(bare_server: Callable[[str], Server]):
    server = bare_server("bookworm")
    assert server.run(["cat", "/etc/debian_version"]).stdout.startswith("12")
    server.run(["apt-get", "--error-on=any", "update"], timeout=120)


def test_a_killed_owner_leaves_nothing_behind(request: pytest.FixtureRequest):
    repository = request.config.rootpath
    argv = [sys.executable, "-c", OWNER]
    owner = subprocess.Popen(argv, cwd=repository, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner.stdout:
        name = owner.stdout.readline().strip()
    made = Server.attach(name)
    state = State.load(Path("/run/hostwright-servers") / f"{name}.json")
    assert state is not None
    assert Server.attach(name).running
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert eventually(lambda: not state.path.exists())
    assert not made.running
    assert not made.directory.exists()
    assert f"hwsrv{state.index}" not in subprocess.check_output(["ip", "netns"], text=True)
    assert made.address not in subprocess.check_output(["nft", "list", "ruleset"], text=True)
