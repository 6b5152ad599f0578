"""A machine with IPv6 switched off: daemons listen on [::] all the same, and are ready though nobody can ask there."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.server

ASK = """
import socket
from provisioning.node.sockets import Listener, accepts, speaks_http
with socket.socket(socket.AF_INET6) as daemon, socket.socket() as other:
    daemon.bind(("::", 0))
    daemon.listen()
    listener = Listener(socket.AF_INET6, "::", daemon.getsockname()[1])
    other.bind(("127.0.0.1", 0))
    closed = Listener(socket.AF_INET, "127.0.0.1", other.getsockname()[1])
    print(accepts(listener), speaks_http(listener, timeout=1), accepts(closed), speaks_http(closed))
"""
SWITCH_OFF = 'ip link set lo up; echo "$1" > /proc/sys/net/ipv6/conf/all/disable_ipv6; shift; exec "$@"'


@pytest.mark.parametrize(("switched_off", "answers"), [("1", "True True False False"), ("0", "True False False False")])
def test_a_listener_that_nobody_can_ask_is_ready(request: pytest.FixtureRequest, switched_off: str, answers: str):
    argv = ["unshare", "--net", "sh", "-c", SWITCH_OFF, "sh", switched_off, sys.executable, "-c", ASK]
    done = subprocess.run(argv, cwd=request.config.rootpath, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == answers, done.stderr
