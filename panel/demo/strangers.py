"""Proofs that a stranger reads nobody else's name under a brand, by the scan that operators run."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from io import StringIO

from django.core.management import call_command

from accounts.models import Brand
from panel.core.scoping import everything
from panel.demo.proofs import Proof


def run() -> list[Proof]:
    """Scan every brand of the installation that has a panel of its own."""
    with everything("demo"):
        hosts = list(Brand.objects.exclude(panel_host="").order_by("id").values_list("panel_host", flat=True))
    return [_proof(host) for host in hosts]


def _proof(host: str) -> Proof:
    began = time.monotonic()
    printed = StringIO()
    with suppress(SystemExit):  # its status repeats what the document says
        call_command("scan_brand", host, "--json", stdout=printed)
    document = json.loads(printed.getvalue())
    unread = [f"{step['name']} not looked at: {step['detail']}" for step in document["steps"] if step["status"] != "ok"]
    names = [f"{found['name']} in {found['place']} {found['subject']}" for found in document["findings"]]
    seen = "; ".join(unread + names) or f"{host}: no other name in {document['readings']} texts"
    return Proof("Brand's scan", bool(document["clean"]), seen, time.monotonic() - began)
