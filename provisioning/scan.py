"""Looks at a brand as a stranger does and notes, step by step, whose names it shows. Changes nothing of the brand."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import transaction
from django.test import RequestFactory

from accounts.models import Brand, MailSender
from accounts.selectors import brands
from accounts.services import outgoing_mails
from accounts.voice import identity
from accounts.voice.catalogue import KINDS
from accounts.voice.smtp import SmtpBackend
from panel.core import error_pages
from panel.core.scoping import everything
from provisioning.leaks import mail, probes
from provisioning.leaks.lexicon import Lexicon
from provisioning.leaks.readings import Finding, Reading, compare
from provisioning.leaks.subject import Subject
from provisioning.selectors import scans as selectors
from provisioning.services import scans

MOST_SECONDS = 180
"""A scan takes so long at most; what is left then is told as not looked at."""

RECIPIENT = "reader@reader.invalid"

log = structlog.get_logger(__name__)
Probe = Callable[[], Iterator[Reading]]


@dataclass
class Result:
    """What a scan came to."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    readings: int = 0
    skipped: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every step could look."""
        return all(step["status"] == "ok" for step in self.steps)


def run(scan_id: str) -> None:
    """Carry out a scan that waits, and keep each step as it ends."""
    with everything("brand scan"):
        scan = scans.begin(scan_id)
        if scan is None:
            return

        def noted(result: Result) -> None:
            scans.note(scan=scan, steps=result.steps, findings=result.findings, readings=result.readings)

        result = look(scan.organization.brand, noted)
        scans.finish(scan=scan, skipped=result.skipped)


def look(brand: Brand, on_step: Callable[[Result], object] = lambda result: None) -> Result:
    """Look at a brand; `on_step` is told when a step begins and when it ends."""
    subject = selectors.subject(brand)
    lexicon = Lexicon(subject.words, subject.own)
    result = Result(skipped=[word.shown for word in lexicon.skipped])
    deadline = time.monotonic() + MOST_SECONDS
    for name, probe in _steps(brand, subject).items():
        step = {"name": name, "status": "running", "ms": None, "readings": 0, "findings": 0, "detail": ""}
        result.steps.append(step)
        on_step(result)
        _perform(step, probe, lexicon, result, deadline)
        on_step(result)
    return result


def _perform(step: dict[str, Any], probe: Probe, lexicon: Lexicon, result: Result, deadline: float) -> None:
    """Read what a step reads, compare it, and write into the step how it went."""
    began = time.monotonic()
    try:
        for reading in probe():
            found = compare([reading], lexicon)
            result.findings += [finding for finding in found if finding not in result.findings]
            result.readings += 1
            step["readings"] += 1
            step["findings"] += len(found)
            if time.monotonic() > deadline:
                raise TimeoutError("the scan took too long")
        step["status"] = "ok"
    except (OSError, http.client.HTTPException) as error:
        log.warning("scan.step", step=step["name"], error=str(error))
        step["status"], step["detail"] = "failed", str(error) or type(error).__name__
    step["ms"] = round((time.monotonic() - began) * 1000)


def _steps(brand: Brand, subject: Subject) -> dict[str, Probe]:
    walks = {name: _walk(walk, subject) for name, walk in probes.STEPS.items()}
    return {**walks, "faults": lambda: _faults(brand), "mail": lambda: _mails(brand)}


def _walk(walk: Callable[[Subject], Iterator[Reading]], subject: Subject) -> Probe:
    return lambda: walk(subject)


def _mails(brand: Brand) -> Iterator[Reading]:
    """Every kind of mail of the brand as it leaves, handed to a server that keeps it; nobody else gets it."""
    found = MailSender.objects.filter(brand=brand).first()
    helo = identity.domain(brand, found)
    with mail.reader() as reader:
        for name, kind in KINDS.items():
            samples = {word: str(meant.sample) for word, meant in kind.words.items() if meant.sample}
            with transaction.atomic():
                made = outgoing_mails.send(brand=brand, to=RECIPIENT, template=name, context=samples)
                transaction.set_rollback(True)
            if made is not None:
                message = outgoing_mails.written(made, found)
                message.connection = SmtpBackend(host="127.0.0.1", port=reader.port, helo=helo, use_tls=False)
                message.send()
                yield from mail.readings(name, reader.mails.pop())


def _faults(brand: Brand) -> Iterator[Reading]:
    """The error pages that no stranger can bring about at will, rendered under the brand's host."""
    for path in ("/", "/api/v1/me"):
        request = RequestFactory(headers={"host": brands.host(brand)}).get(path)
        request.brand = brand  # type: ignore[attr-defined]
        for page in (error_pages.server_error, error_pages.unavailable, error_pages.too_many):
            answer = page(request)
            headers = "\n".join(f"{name}: {value}" for name, value in answer.items())
            text = f"{headers}\n\n{answer.content.decode()}"
            yield Reading("panel.error", f"GET {path} ({answer.status_code})", text)
