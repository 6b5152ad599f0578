"""Celery's file-system broker, with messages that appear whole; kombu's own may be read half-written."""

import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import bytes_to_str, str_to_bytes
from kombu.utils.json import dumps, loads


class Channel(filesystem.Channel):
    """A channel whose messages are renamed into place, and taken by renaming within the same folder."""

    def _put(  # type: ignore[override]  # its two bases disagree on the name
        self, queue: str, payload: dict[str, Any], **kwargs: Any
    ) -> None:
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020d}_{uuid.uuid4()}"
        draft = folder / f"{name}.draft"
        draft.write_bytes(str_to_bytes(dumps(payload)))
        draft.rename(folder / f"{name}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        waiting = (file.name for file in folder.iterdir())
        for name in sorted(name for name in waiting if name.partition(".")[2] == f"{queue}.msg"):
            taken = folder / f"{name}.taken"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                continue  # another worker took it
            text = taken.read_bytes()
            taken.unlink()
            return loads(bytes_to_str(text))
        raise Empty


class Transport(filesystem.Transport):
    """kombu's file-system transport with this module's channel."""

    Channel = Channel


def register() -> None:
    """Make the transport known as `hostwright-files://`."""
    TRANSPORT_ALIASES["hostwright-files"] = f"{__name__}:Transport"


def clear(folder: Path) -> None:
    """Remove what an earlier run left in the folders below `folder`; the queue itself is rows in the database."""
    for file in folder.glob("*/*"):
        file.unlink(missing_ok=True)
