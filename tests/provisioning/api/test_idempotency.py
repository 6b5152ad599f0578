"""X23: a POST that is repeated with its Idempotency-Key gets the same answer, and nothing is done twice."""

from __future__ import annotations

import pytest
from django.urls import URLPattern

from provisioning.api import urls
from provisioning.models import HostingAccount
from tests.provisioning.api.conftest import Stage, trace


def test_an_order_repeated_is_one_order(stage: Stage):
    program = stage.program("reseller_a")
    body = {
        "client": stage.cast.client_a.organization.pk,
        "package": stage.package_a.pk,
        "domain": "fresh-example.org",
    }
    first = program.send("POST", "/accounts", body, Idempotency_Key="order-1")
    before = trace()
    again = program.send("POST", "/accounts", body, Idempotency_Key="order-1")
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert first["Location"] == again["Location"]
    assert again["Idempotency-Replayed"] == "true"
    assert trace() == before
    other = {**body, "domain": "other-example.org"}
    assert program.post("/accounts", other, 422, Idempotency_Key="order-1")["code"] == "idempotency_key_reused"
    assert HostingAccount._base_manager.count() == 3


def test_a_refusal_is_repeated_as_it_was(stage: Stage):
    program = stage.program("reseller_a")
    body = {
        "client": stage.cast.reseller_a.organization.pk,
        "package": stage.package_a.pk,
        "domain": "fresh-example.org",
    }
    first = program.post("/accounts", body, 400, Idempotency_Key="order-2")
    assert first["field"] == "client"
    assert program.post("/accounts", body, 400, Idempotency_Key="order-2") == first


def routes() -> list[URLPattern]:
    """Every route of the provisioning API."""
    return list(urls.urlpatterns)


@pytest.mark.parametrize("route", routes(), ids=lambda route: str(route.pattern))
def test_every_post_honours_the_key_and_every_method_has_its_action(route: URLPattern):
    view = route.callback.view_class  # type: ignore[attr-defined]
    methods = {method.upper() for method in ("get", "post", "patch", "put", "delete") if hasattr(view, method)}
    assert set(view.actions) == methods
    if "POST" in methods:
        assert hasattr(view.post, "__wrapped__")
