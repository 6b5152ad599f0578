"""A stranger who buys hosting on the brand's order page, pays by card at the stand-in, and gets a live site.

Over HTTP alone, as a browser does it; the proof afterwards asks the server and the books.
"""

from __future__ import annotations

import http.client
import re
import time
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from billing.models import Order
from panel.core.scoping import everything
from panel.demo.proofs import NotProven, Proof, http_get
from panel.demo.world import DemoFailed, password, wait

DOMAIN = "tidewatersurf.example"
PERSON, ADDRESS = "Tessa Tide", "tessa@tidewatersurf.example"
FIELD = re.compile(r'name="(csrfmiddlewaretoken|key|price)"[^>]*value="([^"]+)"')
SECONDS = 60.0


class Visitor:
    """Somebody at a host of the panel, with cookies."""

    def __init__(self, port: int, host: str) -> None:
        self.port, self.host, self.cookies = port, host, SimpleCookie()

    def ask(self, method: str, path: str, values: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Ask for a page; returns status, address to go on to, and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        cookies = "; ".join(f"{name}={cookie.value}" for name, cookie in self.cookies.items())
        headers = {"Host": self.host, "Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        try:
            connection.request(method, path, urlencode(values) if values is not None else None, headers)
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie", []):
                self.cookies.load(line)
            return answer.status, answer.headers.get("Location", ""), answer.read().decode(errors="replace")
        finally:
            connection.close()

    def lead(self, method: str, path: str, values: dict[str, str] | None = None) -> str:
        """Ask for what leads on; return where. Raises DemoFailed when it does not lead anywhere."""
        status, target, body = self.ask(method, path, values)
        if status not in (302, 303):
            said = " ".join(re.findall(r'class="(?:form-error|alert-text)[^>]*>\s*([^<]+)', body))
            raise DemoFailed(f"{method} {path} at the order page: status {status} {unescape(said).strip()}")
        return target


def buy(port: int, host: str, product: str) -> dict[str, str]:
    """Order a product, pay, and wait until the site is there; returns what demo.json says of it."""
    visitor, chosen = Visitor(port, host), password()
    _status, _target, page = visitor.ask("GET", f"/order/{product}/")
    hidden = {name: unescape(value) for name, value in reversed(FIELD.findall(page))}
    wish = {
        "domain": DOMAIN,
        "person": PERSON,
        "email": ADDRESS,
        "password": chosen,
        "pays_by": "card",
        "country": "GB",
    }
    watch = visitor.lead("POST", f"/order/{product}/", {**hidden, **wish})
    _status, _target, page = visitor.ask("GET", watch)
    token = dict(FIELD.findall(page)).get("csrfmiddlewaretoken", "")
    checkout = urlsplit(visitor.lead("POST", f"{watch}pay/", {"csrfmiddlewaretoken": token}))
    Visitor(checkout.port or 80, checkout.netloc).lead("POST", checkout.path, {"card": "4242424242424242"})
    with everything("demo"):
        wait("the paid order", lambda: Order.objects.get(domain=DOMAIN).status == Order.Status.LIVE, SECONDS)
    return {"domain": DOMAIN, "email": ADDRESS, "password": chosen, "watch": f"http://{host}{watch}"}


def prove(address: str, domain: str) -> Proof:
    """The ordered site answers 200 from outside, and the order's invoice is paid to the cent."""
    began = time.monotonic()
    try:
        seen, holds = _paid_and_live(address, domain), True
    except (NotProven, OSError, http.client.HTTPException) as error:
        seen, holds = f"{type(error).__name__}: {error}", False
    return Proof("Paid order", holds, seen, time.monotonic() - began)


def _paid_and_live(address: str, domain: str) -> str:
    status, _headers, _body = http_get(address, domain)
    with everything("demo"):
        order = Order.objects.select_related("invoice__receivable").get(domain=domain)
        invoice = order.invoice
        if status != 200 or invoice is None or invoice.receivable.open != 0:
            raise NotProven(f"status {status}, order {order.status}")
        return f"200 for {domain}; {invoice} over {invoice.gross.normalize():f} {invoice.currency} is paid by card"
