"""Celery tasks: they wake the engine and carry ids only; all they need is in the database."""

from __future__ import annotations

import structlog
from celery import shared_task

from accounts.services import brand_hosts, old_hosts
from panel.core.scoping import everything
from provisioning import bootstrap as bootstrap_engine
from provisioning import drift as drift_engine
from provisioning import mx_check
from provisioning import preview as preview_engine
from provisioning import reconcile as engine
from provisioning import scan as scan_engine
from provisioning import usage as usage_engine
from provisioning.services import drift_checks, dues, nameservers, overuse, pointers, previews, pruning, rebuilds
from provisioning.services import usage as usage_readings

# So many servers are compared, and measured, at a time at most: a fleet takes turns instead of taking every worker.
MOST_CHECKS = 4
MOST_MEASURED = 4
# An account that is measured on demand is asked for so often, every so many seconds.
MOST_ASKED, ASK_SECONDS = 60, 2

log = structlog.get_logger(__name__)


@shared_task(name="provisioning.tasks.reconcile")
def reconcile(server_id: str) -> None:
    """Bring one server to its desired state; if it can't be reached, ring again when its delay is over."""
    delay = engine.reconcile(server_id)
    if delay is not None:
        reconcile.apply_async(args=(server_id,), countdown=delay.total_seconds())


@shared_task(name="provisioning.tasks.sweep")
def sweep() -> None:
    """Ring for everything that waits to be done: rings may get lost, rows do not."""
    with everything("sweep"):
        dues.destroy()
        for server_id in dues.servers():
            reconcile.delay(server_id)
        for server_id in drift_checks.due()[:MOST_CHECKS]:
            check_drift.delay(server_id)
        for server_id in usage_readings.due()[:MOST_MEASURED]:
            measure_usage.delay(server_id)
        for server_id in dues.without_host_key():
            fetch_host_key.delay(server_id)
        rebuilds.go_on()
        for operation_id in dues.left_bootstraps():
            bootstrap.delay(operation_id, "")
        for preview_id in dues.previews():
            build_preview.delay(preview_id)
        previews.forget_expired()
        pruning.prune()
    check_mail_domains.delay()


@shared_task(name="provisioning.tasks.check_drift")
def check_drift(server_id: str) -> None:
    """Look for drift on one server; changes that came meanwhile waited for its lease and are rung for."""
    delay = drift_engine.check(server_id)
    if delay is not None:
        check_drift.apply_async(args=(server_id,), countdown=delay.total_seconds())
        return
    with everything("drift"):
        if server_id in dues.servers():
            reconcile.delay(server_id)


@shared_task(name="provisioning.tasks.measure_usage")
def measure_usage(server_id: str) -> None:
    """Measure what the accounts of one server use, or collect what it has measured."""
    delay = usage_engine.measure(server_id)
    if delay is not None:
        measure_usage.apply_async(args=(server_id,), countdown=delay.total_seconds())


@shared_task(name="provisioning.tasks.prune_usage")
def prune_usage() -> None:
    """Forget old days and readings of use, a batch after the other."""
    with everything("old use"):
        while usage_readings.prune():
            pass


@shared_task(name="provisioning.tasks.measure_account")
def measure_account(server_id: str, hosting_id: str, asked: int = 0) -> None:
    """Measure one account on one server."""
    goes_on = usage_engine.measure_account(server_id, hosting_id, again=asked > 0)
    if goes_on and asked < MOST_ASKED:
        measure_account.apply_async(args=(server_id, hosting_id, asked + 1), countdown=ASK_SECONDS)


@shared_task(name="provisioning.tasks.build_preview")
def build_preview(preview_id: str) -> None:
    """Work out one preview."""
    preview_engine.build(preview_id)


@shared_task(name="provisioning.tasks.fetch_host_key")
def fetch_host_key(server_id: str) -> None:
    """Fetch the host key that a new server shows, for a person to compare."""
    with everything("fetch host key"):
        bootstrap_engine.fetch_host_key(server_id)


@shared_task(name="provisioning.tasks.bootstrap")
def bootstrap(operation_id: str, secret_id: str) -> None:
    """Set up a bare server."""
    with everything("bootstrap"):
        try:
            server_id = bootstrap_engine.install(operation_id, secret_id)
            if server_id is not None:
                engine.reconcile(server_id)
                bootstrap_engine.finish(server_id)
            rebuilds.go_on()
        except Exception as error:
            bootstrap_engine.give_up(operation_id, error)
            raise


@shared_task(name="provisioning.tasks.scan_brand")
def scan_brand(scan_id: str) -> None:
    """Look at a brand as a stranger does."""
    scan_engine.run(scan_id)


@shared_task(name="provisioning.tasks.check_overuse")
def check_overuse() -> None:
    """Compare what resellers really use with their plans."""
    overuse.check()


@shared_task(name="provisioning.tasks.check_mail_domains")
def check_mail_domains() -> None:
    """Look up where the MX of waiting mail domains points."""
    with everything("MX check"):
        mx_check.check_due()


@shared_task(name="provisioning.tasks.check_brands")
def check_brands() -> None:
    """Look at panel hosts that have yet to prove themselves or are over, and at brands' name servers."""
    with everything("looking at brands"):
        brand_hosts.check_due()
        old_hosts.release_due()
        nameservers.check_due()
        brand_hosts.give_neutral_hosts()
        pointers.check_due()
