"""What a plan rests on beside the change that it shows: as long as it is the same, the plan still tells the truth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Max
from django.forms.models import model_to_dict

from provisioning.models import Address, Intent, Operation, OperationTarget, Pin, Server
from provisioning.selectors import brands

SERVER = ("id", "name", "platform_name", "stack", "debian", "php_versions")
ROLES = ("role_web", "role_database", "role_dns", "role_mail")
ADDRESS = ("server_id", "id", "ip", "public_ip", "kind", "hosting_id", "brand_id")


def plan_basis(operations: Sequence[Operation]) -> str:
    """Return a digest of what the plan of `operations` rests on, computed in the transaction that has started them.

    That is each slice's generation, the newest intent of anybody else for it and its account's user name, further the
    pins, the servers' own rows and addresses and the brands. Whatever changes a slice's desired state or carries it to
    its server changes one of these. Not part of it: numbers given out at the moment of the change, such as a uid.
    """
    if not operations:
        return ""
    rows = list(OperationTarget.objects.filter(operation__in=operations).select_related("slice__hosting__organization"))
    slices = [row.slice for row in rows]
    newest = _newest_intents(operations)
    return _digest(
        {
            "slices": sorted(
                [part.server_id, part.hosting.username if part.hosting else "", part.generation, newest.get(part.id)]
                for part in slices
            ),
            "pins": list(Pin.objects.filter(slice__in=slices).order_by("id").values_list("id", flat=True)),
            "servers": _servers({part.server_id for part in slices}),
            "brands": {
                owner: model_to_dict(brand)
                for owner, brand in brands.of_organizations(
                    {part.hosting.organization for part in slices if part.hosting}
                ).items()
            },
        }
    )


def _newest_intents(operations: Sequence[Operation]) -> dict[str, str]:
    others = Intent.objects.filter(slice__targets__operation__in=operations).exclude(operation__in=operations)
    return dict(others.values("slice").annotate(newest=Max("id")).values_list("slice", "newest"))


def _servers(ids: Iterable[str]) -> list[Any]:
    servers = Server.objects.filter(pk__in=list(ids)).order_by("id")
    addresses = Address.objects.filter(server__in=list(ids)).order_by("server_id", "id")
    return [list(servers.values(*SERVER, *ROLES)), list(addresses.values(*ADDRESS))]


def _digest(basis: Mapping[str, Any]) -> str:
    return sha256(json.dumps(basis, sort_keys=True, cls=DjangoJSONEncoder).encode()).hexdigest()
