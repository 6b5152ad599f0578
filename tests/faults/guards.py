"""The guards of the engine: how each is taken out, and which test fails then; docs/faults.md has them for people."""

from __future__ import annotations

from tests.guarding import Guard

NODE = "provisioning/node"
RECOVERY = "tests/node/test_recovery.py"
APPLY = "tests/node/test_apply.py"
CHECKS = "tests/node/test_checks.py"
ENGINE = "tests/provisioning/test_engine.py"
OPERATIONS = "tests/provisioning/test_operations.py"


GUARDS = [
    Guard(
        "journal recovery",
        f"{NODE}/recover.py",
        "    changes = journalled(node)\n    if changes:\n",
        "    changes = journalled(node)[:0]\n    if changes:\n",
        f"{RECOVERY}::test_old_or_new_after_a_kill[tree-half-renamed-1]",
    ),
    Guard(
        "journal before the first change",
        f"{NODE}/apply.py",
        "            self.node.state.write_journal(\n",
        "            list(\n",
        f"{RECOVERY}::test_old_or_new_after_a_kill[tree-half-renamed-1]",
    ),
    Guard(
        "epoch check",
        f"{NODE}/apply.py",
        "    if epoch < newest:\n",
        "    if epoch < 0:\n",
        f"{APPLY}::test_an_older_epoch_is_refused_and_a_newer_one_is_kept",
    ),
    Guard(
        "generation check",
        f"{NODE}/compare.py",
        "    if applied is not None and item.generation < applied:\n",
        "    if applied is not None and item.generation < 0:\n",
        f"{APPLY}::test_an_older_generation_is_stale",
    ),
    Guard(
        "one server's node",
        f"{NODE}/apply.py",
        "    if known is not None and known != server:\n",
        "    if known is not None and not server:\n",
        f"{APPLY}::test_another_servers_bundle_is_refused",
    ),
    Guard(
        "lock of the node",
        f"{NODE}/node.py",
        "fcntl.LOCK_EX | fcntl.LOCK_NB)\n            except BlockingIOError as error:\n",
        "fcntl.LOCK_UN)\n            except BlockingIOError as error:\n",
        f"{RECOVERY}::test_a_lock_that_is_held_is_busy",
    ),
    Guard(
        "check before reload",
        f"{NODE}/apply.py",
        "        if not verdict.daemons and not verdict.zones:\n",
        "        if made:\n",
        f"{CHECKS}::test_the_guilty_slice_alone_is_rejected",
    ),
    Guard(
        "undo after a refusal",
        f"{NODE}/apply.py",
        "            return made\n        undo(self.node, _undoable(made))\n",
        "            return made\n",
        f"{CHECKS}::test_a_refused_change_leaves_what_was_served",
    ),
    Guard(
        "bisect",
        f"{NODE}/apply.py",
        "        if len(made) == 1:\n            made[0].refuse(",
        "        for work in made:\n            work.refuse(",
        f"{CHECKS}::test_the_guilty_slice_alone_is_rejected",
    ),
    Guard(
        "probe after reload",
        f"{NODE}/daemons/__init__.py",
        "        if self.daemon.is_ready(self._node, self._mark, self._changes):\n",
        "        if self.daemon.name:\n",
        f"{CHECKS}::test_a_daemon_that_takes_a_change_and_does_not_serve_it_gets_the_old_one_back",
    ),
    Guard(
        "removal limit",
        f"{NODE}/compare.py",
        "    return removals * 100 > request.limit_percent * known\n",
        "    return removals > known\n",
        f"{APPLY}::test_too_many_removals_are_held",
    ),
    Guard(
        "foreign files",
        f"{NODE}/makers/tree.py",
        '            raise RefusedError("foreign", f"{change.key}: it exists and is not managed by the panel")\n',
        "            return\n",
        f"{APPLY}::test_a_foreign_file_is_kept_unless_adopted",
    ),
    Guard(
        "foreign homes",
        f"{NODE}/makers/tree.py",
        'raise RefusedError("foreign", f"{change.key}: this home exists and is not managed by the panel")\n',
        "return\n",
        f"{APPLY}::test_a_foreign_home_is_never_taken",
    ),
    Guard(
        "need",
        f"{NODE}/compare.py",
        "    if work.need:\n",
        "    if work.need and not known:\n",
        f"{APPLY}::test_a_missing_body_is_needed",
    ),
    Guard(
        "absence removes no data",
        f"{NODE}/compare.py",
        "    if is_data and key not in work.request.tombstones:\n",
        "    if is_data and key in ():\n",
        f"{APPLY}::test_absence_never_removes_data",
    ),
    Guard(
        "tombstone deadline",
        "provisioning/reconcile.py",
        "slice__in=wanted, destroyed_at__isnull=True, due_at__lte=Now()\n",
        "slice__in=wanted, destroyed_at__isnull=True\n",
        f"{ENGINE}::test_a_termination_is_confirmed_by_who_asked_and_its_data_goes_when_due",
    ),
    Guard(
        "lease",
        "provisioning/services/leases.py",
        '    free = Q(owner="") | Q(expires_at__lt=Now())\n',
        "    free = Q()\n",
        f"{ENGINE}::test_one_worker_per_server",
    ),
    Guard(
        "lease expiry",
        "provisioning/services/leases.py",
        '    free = Q(owner="") | Q(expires_at__lt=Now())\n',
        '    free = Q(owner="")\n',
        f"{ENGINE}::test_x11_a_worker_that_slept_past_its_lease_is_fenced_off",
    ),
    Guard(
        "lease when recording",
        "provisioning/services/runs.py",
        "    if mine.first() is None:\n",
        "    if mine.first() is False:\n",
        f"{OPERATIONS}::test_a_worker_that_lost_the_lease_records_nothing",
    ),
    Guard(
        "exactly the intents that were read",
        "provisioning/services/runs.py",
        "filter(pk__in=[item.id for item in taken if outcomes[item.slice_id].settled]).delete()\n",
        "filter(slice__in=outcomes).delete()\n",
        f"{OPERATIONS}::test_intents_that_arrive_during_a_run_stay_for_the_next",
    ),
    Guard(
        "generation of a restored panel",
        "provisioning/services/runs.py",
        '    Slice.objects.filter(pk__in=refused).update(generation=F("generation") - 1)\n',
        "    Slice.objects.filter(pk__in=refused).exists()\n",
        f"{OPERATIONS}::test_what_a_server_holds_back_waits_alone",
    ),
    Guard(
        "serials only grow",
        "provisioning/services/runs.py",
        "if zone.serial < served[zone.name]]\n",
        "if zone.serial != served[zone.name]]\n",
        f"{OPERATIONS}::test_served_serials_only_grow",
    ),
    Guard(
        "confirmed removals alone",
        "provisioning/reconcile.py",
        "if row[1] not in confirmed))[:MOST_SLICES])\n        is_confirmed = not wanted\n",
        "))[:MOST_SLICES])\n        is_confirmed = bool(confirmed)\n",
        f"{ENGINE}::test_a_termination_is_confirmed_by_who_asked_and_its_data_goes_when_due",
    ),
    Guard(
        "older database",
        "provisioning/reconcile.py",
        "standoffs.begin(held, run, work.taken, detail=error.message, facts=facts)\n",
        "runs.postpone(held, run, work.taken, error.message, reached=True)\n",
        "tests/provisioning/test_standoffs.py::test_x19_yesterdays_database_removes_nothing_and_a_person_decides",
    ),
    Guard(
        "host key pin",
        "provisioning/transport/ssh.py",
        "        known_hosts=([pinned], [], []),\n        server_host_key_algs=[pinned.get_algorithm()],\n",
        "        known_hosts=None,\n",
        "tests/provisioning/test_ssh.py::test_a_server_with_another_host_key_gets_nothing",
    ),
]
