"""Every change that reaches a server can be previewed: whatever adds intents is a verb, or says here why it is none."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from provisioning.services import verbs

SERVICES = Path(__file__).resolve().parents[2] / "provisioning" / "services"
ROOTS = {"intents.add", "intents.add_server", "intents.again"}

NO_VERB = {
    "operations.retry": "orders nothing new: it could have been previewed when it was ordered",
    "standoffs.overrule": "lets a server go on after a person was shown what differs",
    "operations.confirm": "lets a run go on that was shown with its counts",
    "drift.restore": "the drift page has shown the difference that goes",
    "zone_adoptions.adopt": "the server has it already: only the panel's rows follow",
    "rebuilds.start": "a bare machine gets everything: there is nothing to compare, and the page lists what is lost",
    "rebuilds.go_on": "carries on what rebuilds.start ordered",
    "orders.account": "several verbs in one transaction; each of them can be previewed",
    "branding.spread": "what follows a change of a brand, which is a verb",
    "branding.bring": "part of whatever brings an account of a brand to a server",
    "brand_pages.change": "two files of a server that nothing else reads; the page shows them as they will be",
    "brand_records.publish": "adds the record that the page of the key shows",
    "nameservers.add_records": "adds the records that the page of the name servers lists",
    "holding.finish": "the part that services of verbs share",
    "dues.destroy": "the system's own, at the deadline that a person confirmed",
    "mail_domains.record_check": "the system's own, when the public MX points here",
    "packages.change": "the page and the API show which accounts it touches; servers follow in the disk space alone",
    "overrides.set": "one limit, with the panel's own reason; servers follow in the disk space alone",
    "overrides.remove": "the package's own limit again; servers follow in the disk space alone",
    "overuse.check": "the system's own, as the reseller's plan says",
    "tenancy.end_accounts": "the system's own, days after the client was told that it would be",
    "tenancy.restore_accounts": "the system's own, once the client has paid",
    "usage.finish": "the system's own: what was measured is held against the plan",
    "servers.prepared": "the set-up of a server: there is nothing yet that it could be compared with",
}


def functions() -> dict[str, ast.FunctionDef]:
    """Return the functions of the services as `module.function`."""
    found = {}
    for path in SERVICES.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                found[f"{path.stem}.{node.name}"] = node
    return found


def called(name: str, node: ast.FunctionDef, known: dict[str, ast.FunctionDef], aliases: dict[str, str]) -> set[str]:
    """Return the services' functions that one mentions."""
    module = name.partition(".")[0]
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and f"{module}.{part.id}" in known:
            found.add(f"{module}.{part.id}")
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            found.add(f"{aliases.get(part.value.id, part.value.id)}.{part.attr}")
    return found & known.keys()


def dirtying() -> set[str]:
    """Return every public function that adds intents, by itself or by others."""
    known = functions()
    aliases: dict[str, dict[str, str]] = defaultdict(dict)
    for path in SERVICES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "provisioning.services":
                aliases[path.stem].update({item.asname: item.name for item in node.names if item.asname})
    calls = {name: called(name, node, known, aliases[name.partition(".")[0]]) for name, node in known.items()}
    reached, before = set(ROOTS), set[str]()
    while reached != before:
        before = set(reached)
        reached |= {name for name, others in calls.items() if others & reached}
    generic = {name for name in reached if name.partition(".")[0] in ("verbs", "previews", "intents")}
    return {name for name in reached - generic if not name.partition(".")[2].startswith("_")}


def test_whatever_dirties_slices_can_be_previewed_or_says_why_not():
    of_verbs = {
        f"{verb.function.__module__.rpartition('.')[2]}.{verb.function.__name__}" for verb in verbs.VERBS.values()
    }
    found = dirtying()
    assert {"hosting_accounts.create", "zones.change_record", "addresses.remove", "dues.destroy"} <= found
    assert found - of_verbs - NO_VERB.keys() == set()
    assert of_verbs - found == {"branding.change"}  # It follows the app below by a hook that no reading finds.
