"""Makes rows of the mail database, all of an apply in one transaction; live at once, so they come after all checks."""

from __future__ import annotations

import os
import sqlite3

from .. import mail
from ..changes import Change
from ..errors import Failures, RefusedError
from ..failpoints import failpoint
from ..node import Node
from ..rules import Body
from ..state import Remembered
from .base import Extra, Known, Maker


def _place(key: str) -> tuple[str, str]:
    """Table and primary key of a resource key `row:table:key`."""
    _, table, key = key.split(":", 2)
    return table, key


def _all(node: Node) -> dict[tuple[str, str], mail.Row]:
    return node.seen("rows", lambda: mail.read_all(node.paths))


class Rows(Maker):
    """Kind: row."""

    name = "rows"

    def before(self, node: Node, changes: list[Change]) -> Failures:
        if not os.path.exists(node.paths.mail_database):
            for change in changes:
                change.before = {"row": None}
            return {}
        connection = mail.open_database(node.paths)
        try:
            for change in changes:
                change.before = {"row": mail.read_row(connection, *_place(change.key))}
        finally:
            connection.close()
        return {}

    def go_live(self, node: Node, changes: list[Change]) -> Failures:
        rows = []
        for change in changes:
            table, key = _place(change.key)
            row = None if change.new is None else mail.full_row(table, key, change.new["values"])
            rows.append((table, key, row))
            change.is_live = True
        try:
            self._write(node, rows)
        except RefusedError as error:
            return {change.slice: error for change in changes}
        except (sqlite3.Error, OSError) as error:
            full = "full" in str(error) or getattr(error, "errno", None) == 28
            refused = RefusedError("disk_full" if full else "failed", f"mail database: {error}")
            return {change.slice: refused for change in changes}
        failpoint("rows-committed")
        return {}

    def _write(self, node: Node, rows: list[tuple[str, str, mail.Row | None]]) -> None:
        connection = mail.open_database(node.paths)
        try:
            mail.write_rows(connection, rows)
        finally:
            connection.close()

    def undo(self, node: Node, changes: list[Change]) -> None:
        rows = [(*_place(change.key), change.before["row"]) for change in changes if change.is_live]
        if rows and os.path.exists(node.paths.mail_database):
            self._write(node, rows)

    def differs(self, node: Node, resources: list[Remembered]) -> dict[str, Body | None]:
        if not os.path.exists(node.paths.mail_database):
            return {resource.key: None for resource in resources}
        found: dict[str, Body | None] = {}
        rows = _all(node)
        for resource in resources:
            table, key = _place(resource.key)
            row = rows.get((table, key))
            if row is None:
                found[resource.key] = None
            elif row != mail.full_row(table, key, resource.body["values"]):
                found[resource.key] = {**resource.body, "values": row}
        return found

    def extras(self, node: Node, known: Known) -> list[Extra]:
        if not os.path.exists(node.paths.mail_database):
            return []
        found = []
        for (table, key), row in _all(node).items():
            name = f"row:{table}:{key}"
            if name not in known.slices:
                domain = key if table == "domain" else key.rpartition("@")[2]
                body = {"kind": "row", "name": f"{table}:{key}", "table": table, "key": key, "values": row}
                near = f"user:{row.get('username')}"
                found.append(Extra(name, body, near if near in known.slices else f"row:domain:{domain}"))
        return found
