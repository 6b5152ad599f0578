"""Sessions in the database, with who uses them: Django's own store on a table that can be listed and revoked from."""

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from panel.core import ids

if TYPE_CHECKING:
    from accounts.models import Session

SIGN_IN = "sign_in"
"""Key of what a session keeps of its sign-in: handle, at (seconds since 1970), address, agent, minutes."""


class SessionStore(DatabaseStore):
    """`seen_at` is when the session was last noted as used, None until it was read."""

    seen_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> "type[Session]":
        """Return the table."""
        from accounts.models import Session  # loaded while applications are being set up

        return Session

    def load(self) -> dict[str, Any]:
        """Read the session; {} when there is none."""
        row: Session | None = self._get_session_from_db()  # type: ignore[attr-defined]
        if row is None:
            return {}
        self.seen_at = row.last_seen_at
        data: dict[str, Any] = self.decode(row.session_data)
        return data

    def cycle_key(self) -> None:
        """Go on under another key and handle."""
        if SIGN_IN in self:
            self[SIGN_IN] = {**self[SIGN_IN], "handle": ids.new("ses")}
        super().cycle_key()

    def create_model_instance(self, data: dict[str, Any]) -> "Session":
        """Return the row for `data`, with the columns that lists are made of."""
        user_id = data.get(SESSION_KEY)
        if user_id is not None and SIGN_IN not in data:
            data[SIGN_IN] = {"handle": ids.new("ses"), "at": time.time()}
        row = cast("Session", super().create_model_instance(data))
        if user_id is not None:
            noted = data[SIGN_IN]
            row.handle = noted["handle"]
            row.user_id = user_id
            row.address = noted.get("address")
            row.agent = noted.get("agent", "")
            row.started_at = datetime.fromtimestamp(noted["at"], UTC)
        row.last_seen_at = self.seen_at = timezone.now()
        return row
