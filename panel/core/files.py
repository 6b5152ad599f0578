"""Small private files of the panel itself (keys of the embedded mode). Imports nothing of Django: settings use it."""

import os
import secrets
from pathlib import Path


def secret_text(path: Path, value: str | None = None) -> str:
    """Return the text of `path`; when it is missing, create it with `value` (or 64 random characters) and mode 0600.

    The file appears whole or not at all, and of two processes that create it at once both return the same text.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(value or secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its text is the one to use
        finally:
            draft.unlink()
    return path.read_text().strip()
