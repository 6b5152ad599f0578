"""What `script/test compose` does inside the panel's container: make the first people, perform the proofs.

It arrives by stdin, with WORK set in front of this text: {"do": "people"} or {"do": "proofs", "live": {...}}.
"""

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))

import django

django.setup()

from panel.demo import proofs, world  # noqa: E402

WORK: dict[str, Any] = globals()["WORK"]

if WORK["do"] == "people":
    _, nodes, actors = world.make_people()
    answer: Any = {
        "tokens": world.make_tokens(actors),
        "organizations": {role: node.id for role, node in nodes.items()},
    }
else:
    answer = [[proof.name, proof.holds, proof.seen] for proof in proofs.run(proofs.Live(**WORK["live"]))]
sys.stdout.write(json.dumps(answer))
