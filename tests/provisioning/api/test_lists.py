"""Lists across accounts: everybody's own subtree, searched by name, narrowed to an account."""

from __future__ import annotations

import pytest

from tests.provisioning.api.conftest import Stage

LISTS = ("/sites", "/zones", "/mail-domains", "/databases", "/database-users")


@pytest.fixture
def filled(stage: Stage) -> Stage:
    """The stage with a database and a login in each of the two accounts."""
    for who, account in (("client_a", stage.account_a), ("client_b", stage.account_b)):
        program = stage.program(who)
        program.post(f"/accounts/{account.pk}/databases", {"name": "shop"})
        program.post(f"/accounts/{account.pk}/database-users", {"name": "shop", "password": "a-Long-enough-9"})
    return stage


@pytest.mark.parametrize("path", LISTS)
def test_everybody_lists_their_own(filled: Stage, path: str):
    a, b = filled.account_a.pk, filled.account_b.pk
    for who, seen in [
        ("provider", {a, b}),
        ("reseller_a", {a}),
        ("readonly_a", {a}),
        ("client_a", {a}),
        ("client_b", {b}),
        ("sub_reseller", set()),
    ]:
        program = filled.program(who)
        assert {item["account"] for item in program.get(path)["items"]} == seen, who
    provider = filled.program("provider")
    assert {item["account"] for item in provider.get(f"{path}?account={a}")["items"]} == {a}
    assert {item["account"] for item in provider.get(f"{path}?q=AEXAMPLE")["items"]} == (
        {a} if path.startswith("/database") else set()
    )
    assert {item["account"] for item in provider.get(f"{path}?q=exampl")["items"]} == {a, b}
    filled.program("client_a").get(f"{path}?account={b}", 404)
    provider.get(f"{path}?owner=x", 400)
