"""Messages to a seller's programs: what they say, that they are signed, tried again, and go to public hosts only."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from billing.models import Hook, HookDelivery
from billing.services import happenings, hook_deliveries, hooks
from panel.core.errors import Conflict, Forbidden, Invalid, NotFound
from panel.core.models import Secret
from panel.core.scoping import everything
from tests.billing import factories
from tests.billing.till import invoice
from tests.cast import Cast

pytestmark = pytest.mark.django_db
Status = HookDelivery.Status


class Program(http.server.ThreadingHTTPServer):
    """A seller's program: keeps what it is told, and answers as it is set to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.told: list[tuple[dict[str, str], bytes]] = []
        self.status, self.body, self.location = 204, b"", ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Program

    def do_POST(self) -> None:
        length = int(self.headers["content-length"])
        self.server.told.append(({key.lower(): value for key, value in self.headers.items()}, self.rfile.read(length)))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def program(settings: Settings) -> Iterator[Program]:
    settings.HOOKS_TO_PRIVATE_HOSTS = True
    server = Program()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _scope() -> Iterator[None]:
    with everything("test"):
        yield


def add(cast: Cast, url: str, *kinds: str) -> tuple[Hook, str]:
    a = cast.reseller_a
    return hooks.create(actor=a.actor, organization=a.organization, url=url, kinds=kinds)


def send(hook: Hook, now: datetime | None = None) -> list[HookDelivery]:
    """Send what waits; returns all messages, oldest first."""
    for key in hook_deliveries.due(now or datetime.now(UTC)):
        hook_deliveries.deliver(key)
    return list(HookDelivery.objects.filter(hook=hook).order_by("id"))


def test_what_happens_to_an_invoice_is_told_to_its_seller_only(cast: Cast, program: Program) -> None:
    hook, secret = add(cast, program.url)
    other = hooks.create(actor=cast.provider.actor, organization=cast.provider.organization, url=program.url)[0]
    factories.seller(cast.reseller_a.organization)
    customer = factories.customer(cast.reseller_a.organization, cast.client_a.organization)
    made = invoice(customer, "12.5")
    (delivery,) = send(hook)
    assert (delivery.status, delivery.answer, delivery.kind) == (Status.SENT, "HTTP 204", "invoice.issued")
    assert not HookDelivery.objects.filter(hook=other).exists()
    ((headers, body),) = program.told
    assert headers["webhook-id"] == delivery.pk
    message = Webhook(secret).verify(body, headers)
    assert message["type"] == "invoice.issued"
    assert (
        message["data"] | {"id": made.pk, "number": made.label, "gross": "12.50", "currency": "USD"} == message["data"]
    )
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)


def test_every_kind_that_there_is_can_be_told(cast: Cast) -> None:
    hook = add(cast, "https://shop.example/hook", "invoice.paid")[0]
    factories.seller(cast.reseller_a.organization)
    made = invoice(factories.customer(cast.reseller_a.organization, cast.client_a.organization), "5")
    for kind in ("invoice.issued", "invoice.overdue", "invoice.paid"):
        happenings.tell(kind, made)
    assert set(HookDelivery.objects.filter(hook=hook).values_list("kind", flat=True)) == {"invoice.paid"}
    with pytest.raises(TypeError):
        hook_deliveries.described(hook)


@pytest.mark.parametrize(("status", "location"), [(500, ""), (302, "http://127.0.0.1:1/"), (404, "")])
def test_what_is_not_taken_is_tried_again_for_three_days(
    cast: Cast, program: Program, status: int, location: str
) -> None:
    hook, _secret = add(cast, program.url)
    program.status, program.location = status, location
    first = datetime(2026, 5, 1, 12, tzinfo=UTC)
    with time_machine.travel(first, tick=False) as clock:
        hook_deliveries.send_test(actor=cast.reseller_a.actor, hook=hook)
        gaps = []
        while (delivery := send(hook)[0]).status == Status.WAITING:
            gaps.append(delivery.next_at - datetime.now(UTC))
            assert send(hook)[0].tries == delivery.tries
            clock.move_to(delivery.next_at)
        assert gaps == [timedelta(minutes=2**number) for number in range(len(gaps))]
        assert sum(gaps, timedelta()) <= timedelta(days=3) < sum(gaps, timedelta()) + gaps[-1] * 2
    assert (delivery.status, delivery.answer) == (Status.FAILED, f"HTTP {status}")
    assert len(program.told) == len(gaps) + 1
    assert len({headers["webhook-id"] for headers, _body in program.told}) == 1
    program.status = 204
    hook_deliveries.resend(actor=cast.reseller_a.actor, delivery=delivery)
    with pytest.raises(Conflict):
        hook_deliveries.resend(actor=cast.reseller_a.actor, delivery=delivery)
    assert send(hook)[0].status == Status.SENT


def test_an_address_that_is_gone_is_told_nothing_more(cast: Cast, program: Program) -> None:
    hook, _secret = add(cast, program.url)
    program.status = 410
    first, later = (hook_deliveries.send_test(actor=cast.reseller_a.actor, hook=hook) for _number in range(2))
    hook_deliveries.deliver(first.pk)
    hook_deliveries.deliver(later.pk)
    with everything("test"):
        assert set(HookDelivery.objects.values_list("status", flat=True)) == {Status.FAILED}
    assert len(program.told) == 1
    hook.refresh_from_db()
    assert not hook.is_active


def test_an_address_that_is_switched_off_is_told_nothing_that_waited(cast: Cast, program: Program) -> None:
    hook, _secret = add(cast, program.url)
    waiting = hook_deliveries.send_test(actor=cast.reseller_a.actor, hook=hook)
    hooks.change(actor=cast.reseller_a.actor, hook=hook, is_active=False)
    hook_deliveries.deliver(waiting.pk)
    assert program.told == []


def test_a_long_answer_is_not_read(cast: Cast, program: Program) -> None:
    hook, _secret = add(cast, program.url)
    program.status, program.body = 200, b"x" * (hook_deliveries.MOST_BYTES + 1)
    hook_deliveries.send_test(actor=cast.reseller_a.actor, hook=hook)
    assert send(hook)[0].status == Status.WAITING


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "169.254.169.254"])
def test_i6_only_public_addresses_are_asked(cast: Cast, program: Program, settings: Settings, host: str) -> None:
    settings.HOOKS_TO_PRIVATE_HOSTS = False
    hook = add(cast, f"https://{host}:{program.server_address[1]}/hook")[0]
    hook_deliveries.send_test(actor=cast.reseller_a.actor, hook=hook)
    (delivery,) = send(hook)
    assert delivery.status == Status.WAITING
    assert "public" in delivery.answer
    assert program.told == []


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "https://",
        "https://a:b@shop.example/",
        "https://[x/",
        "https://0x7f000001/",
        "https://shop.example/\u00fc",
    ],
)
def test_what_an_address_may_be(cast: Cast, url: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(cast, url)
    assert refused.value.field == "url"


def test_a_kind_that_there_is_not(cast: Cast) -> None:
    with pytest.raises(Invalid) as refused:
        add(cast, "https://shop.example/", "invoice.eaten")
    assert (refused.value.field, "invoice.issued" in refused.value.message) == ("kinds", True)


def test_for_a_day_both_secrets_sign(cast: Cast, program: Program) -> None:
    hook, old = add(cast, program.url)
    with time_machine.travel(datetime(2026, 5, 1, 12, tzinfo=UTC), tick=False) as clock:
        hook, new = hooks.rotate(actor=cast.reseller_a.actor, hook=hook)
        hook_deliveries.send_test(actor=cast.reseller_a.actor, hook=hook)
        send(hook)
        headers, body = program.told[-1]
        assert Webhook(old).verify(body, headers) == Webhook(new).verify(body, headers)
        clock.shift(timedelta(hours=25))
        hook_deliveries.forget(datetime.now(UTC))
        hook_deliveries.send_test(actor=cast.reseller_a.actor, hook=hook)
        send(hook)
        headers, body = program.told[-1]
        Webhook(new).verify(body, headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(old).verify(body, headers)
    assert Secret.objects.filter(name="webhook").count() == 1
    hooks.remove(actor=cast.reseller_a.actor, hook=hook)
    assert not Secret.objects.filter(name="webhook").exists()


def test_who_may(cast: Cast) -> None:
    hook = add(cast, "https://shop.example/")[0]
    for person, refusal in ((cast.readonly_a, Forbidden), (cast.provider, NotFound), (cast.client_a, NotFound)):
        with pytest.raises(refusal):
            hooks.change(actor=person.actor, hook=hook, is_active=False)
        with pytest.raises(refusal):
            hook_deliveries.send_test(actor=person.actor, hook=hook)
    hooks.change(actor=cast.reseller_a.actor, hook=hook, is_active=False, kinds=["invoice.paid"])
    hook.refresh_from_db()
    assert (hook.is_active, hook.kinds) == (False, ["invoice.paid"])
    for _number in range(hooks.MOST - 1):
        add(cast, "https://shop.example/")
    with pytest.raises(Conflict):
        add(cast, "https://shop.example/")
