"""The examples of docs/api.md run as they stand, with curl against a panel that listens."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.services import tokens
from panel.core.scoping import everything
from provisioning.models import HostingAccount, Mailbox, Operation, Record
from tests import cast as cast_module
from tests.provisioning import factories


@pytest.mark.django_db(transaction=True)
def test_the_guide_s_examples_work(request: pytest.FixtureRequest, live_server: LiveServer, tmp_path: Path):
    cast = cast_module.make()
    factories.server(cast.provider.organization)
    factories.package(cast.reseller_a.organization)
    with everything("test"):
        text = tokens.create(actor=cast.reseller_a.actor, name="guide")[1]
    (tmp_path / "var").mkdir()
    facts = {"api": f"{live_server.url}/api/v1", "tokens": {"reseller": text}}
    (tmp_path / "var" / "demo.json").write_text(json.dumps(facts))
    guide = (request.config.rootpath / "docs" / "api.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 8
    nobody_works_here = "wait_for() { api GET /operations/$1; }\n"
    script = "set -eu\n" + "".join([*blocks[:3], nobody_works_here, *blocks[3:]])
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    with everything("test"):
        restored = Operation.objects.get(verb="account.restore")
        assert restored.hosting == HostingAccount.objects.get(domain="api-example.org", status="active")
        assert Record.objects.get().content == "203.0.113.8"
        assert Mailbox.objects.get().address == "anna@api-example.org"
