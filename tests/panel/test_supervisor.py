"""One command, two processes: what dies comes back later and later, and nothing outlives the one that started it."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from kombu import Connection

from panel.core import file_broker, supervisor
from panel.core.supervisor import Child, Supervisor

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def until(condition: object, seconds: float = 15.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def running(tmp_path: Path) -> Supervisor:
    return Supervisor([Child("one", SLEEP), Child("two", SLEEP)], directory=tmp_path, environment=os.environ)


def test_a_child_that_is_killed_comes_back_and_all_stop_together(
    running: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_DELAY", 0.05)
    for child in running.children:
        child.delay = 0.05
    thread = threading.Thread(target=running.run, kwargs={"poll": 0.02})
    thread.start()
    try:
        until(lambda: all(child.process for child in running.children))
        first = running.children[0].process
        assert first is not None
        first.kill()
        until(lambda: running.children[0].process not in (None, first))
        pids = [child.process.pid for child in running.children if child.process]
    finally:
        running.stop()
        thread.join(30)
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)
    assert running.children[0].delay == 0.1


def test_children_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import os, sys
        from pathlib import Path
        from panel.core.supervisor import Child, Supervisor
        child = Child("one", {SLEEP!r})
        supervisor = Supervisor([child], directory=Path({str(tmp_path)!r}), environment=os.environ)
        supervisor._tend(child)
        print(child.process.pid, flush=True)
        sys.stdin.read()
    """)
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    assert parent.stdin is not None
    pid = int(parent.stdout.readline())
    assert alive(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait(10)
    parent.stdin.close()
    parent.stdout.close()
    until(lambda: not alive(pid))


def test_messages_on_files_arrive_whole_in_order_and_once(tmp_path: Path) -> None:
    file_broker.register()
    for name in ("messages", "control"):
        (tmp_path / name).mkdir()
    options = {
        "data_folder_in": str(tmp_path / "messages"),
        "data_folder_out": str(tmp_path / "messages"),
        "control_folder": str(tmp_path / "control"),
        "polling_interval": 0.01,
    }
    with Connection("hostwright-files://", transport_options=options) as connection:
        queue = connection.SimpleQueue("work")
        (tmp_path / "messages" / "0_half.draft").write_text('{"half')
        for number in range(20):
            queue.put({"number": number})
        got = [queue.get(timeout=5) for _number in range(20)]
        assert [message.payload["number"] for message in got] == list(range(20))
        for message in got:
            message.ack()
        queue.close()
    assert [file.name for file in (tmp_path / "messages").iterdir()] == ["0_half.draft"]
    file_broker.clear(tmp_path)
    assert list((tmp_path / "messages").iterdir()) == []
