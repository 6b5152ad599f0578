"""Orders that reach a server late: what was overtaken is dropped, whoever brings it."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning import transport
from provisioning.desired import target
from provisioning.models import HostingAccount, Operation
from provisioning.services import hosting_accounts, leases, mailboxes
from tests.faults import observed
from tests.faults.bed import Bed
from tests.faults.orders import Orders, account
from tests.provisioning.engine_world import PASSWORD, SYSTEM


def test_x10_a_late_order_undoes_nothing_that_came_after_it(bed: Bed, monkeypatch: pytest.MonkeyPatch):
    """What created an account arrives again after its end: by its old worker, and by one that stole a newer epoch."""
    sent: list[dict[str, Any]] = []
    original = transport.call

    def call(target: Any, verb: str, payload: Any, on_event: Any = None) -> dict[str, Any]:
        if verb == "apply":
            sent.append(payload)
        return original(target, verb, payload, on_event)

    monkeypatch.setattr(transport, "call", call)
    with bed.trial("late orders", 1) as trial:
        orders = Orders(bed.world, trial.history, trial.accepted)
        orders.give(account)
        bed.converge()
        late = sent[-1]
        hosting = HostingAccount._base_manager.get(operations=trial.accepted[-1])
        domain = hosting.mail_domains.get()
        trial.accepted.append(mailboxes.create(actor=SYSTEM, mail_domain=domain, local="x", password=PASSWORD)[1].id)
        bed.converge()
        ending = hosting_accounts.terminate(actor=SYSTEM, hosting=hosting, confirm=hosting.domain)
        trial.accepted.append(ending.id)
        bed.converge()
        before = observed.tree(bed.world.machine)
        with pytest.raises(transport.NodeError) as refused:
            original(target(bed.world.row), "apply", late)
        assert refused.value.code == "stale_epoch"
        with leases.hold(bed.world.row.id) as held:
            assert held is not None
            stolen = {**late, "epoch": held.epoch, "holder": held.owner}
            report = original(target(bed.world.row), "apply", stolen)
        assert {part["status"] for part in report["slices"].values()} == {"stale"}
        assert observed.tree(bed.world.machine) == before
        assert Operation._base_manager.get(pk=ending.pk).status == "applied"
