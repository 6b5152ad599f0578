"""Asks a server from outside until an account is live there: HTTP, DNS, SQL, SMTP. Changes nothing on it."""

from __future__ import annotations

import http.client
import smtplib
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
import pymysql

POLL_SECONDS = 0.005
RECIPIENTS = 40
"""A session takes that many recipients at most, then a new one begins."""


class NotLive(RuntimeError):
    """Something did not answer in time."""


@dataclass(frozen=True)
class Account:
    """What the questions need to know of an account."""

    name: str
    domain: str
    password: str

    @property
    def database(self) -> str:
        return f"{self.name}_shop"


class Outside:
    """Questions to one server. A session for mail stays open from question to question."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._mail: smtplib.SMTP | None = None
        self._recipients = 0

    def prepare(self) -> None:
        """Open what takes long and says nothing of an account, before the time is taken."""
        self._session()

    def wait_live(self, accounts: Iterable[Account], seconds: float) -> float:
        """Wait until every account is served by all four; returns when that was (`time.monotonic`).

        The sites come last on any server; a mail server that is asked too early too often makes one wait.
        """
        deadline = time.monotonic() + seconds
        listed = list(accounts)

        def all_hold(ask: Callable[[Account], bool]) -> None:
            for account in listed:
                self.until(ask, account, deadline)

        all_hold(self.http)
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(all_hold, (self.dns, self.sql, self.smtp)))
        return time.monotonic()

    def wait_status(self, account: Account, status: int, seconds: float) -> float:
        """Wait until an account's site answers with `status`; returns when that was."""
        self.until(lambda asked: self._status(asked)[0] == status, account, time.monotonic() + seconds)
        return time.monotonic()

    @staticmethod
    def until(ask: Callable[[Account], bool], account: Account, deadline: float) -> None:
        """Ask every few milliseconds until the answer is yes; raises `NotLive` at the deadline."""
        while not ask(account):
            if time.monotonic() > deadline:
                raise NotLive(f"{account.domain}: {getattr(ask, '__name__', 'HTTP')} does not hold in time")
            time.sleep(POLL_SECONDS)

    def _status(self, account: Account) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self._address, 80, timeout=10)
        try:
            connection.request("GET", "/", headers={"Host": account.domain, "Connection": "close"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def http(self, account: Account) -> bool:
        """The account's own page."""
        status, body = self._status(account)
        return status == 200 and account.domain in body

    def dns(self, account: Account) -> bool:
        """An authoritative address."""
        query = dns.message.make_query(account.domain, "A")
        try:
            answer, _tcp = dns.query.udp_with_fallback(query, self._address, timeout=5)
        except (OSError, dns.exception.DNSException):
            return False
        return bool(answer.flags & dns.flags.AA) and any(found.rdtype == dns.rdatatype.A for found in answer.answer)

    def sql(self, account: Account) -> bool:
        """A login that may use its database."""
        try:
            connection = pymysql.connect(
                host=self._address,
                user=account.database,
                password=account.password,
                database=account.database,
                connect_timeout=5,
            )
        except pymysql.MySQLError:
            return False
        connection.close()
        return True

    def smtp(self, account: Account) -> bool:
        """A recipient that is accepted from a stranger."""
        try:
            session = self._session()
            self._recipients += 1
            return session.rcpt(f"postmaster@{account.domain}")[0] == 250
        except (OSError, smtplib.SMTPException):
            self._forget()
            return False

    def _session(self) -> smtplib.SMTP:
        if self._mail is None or self._recipients >= RECIPIENTS or not self._is_open(self._mail):
            self._forget()
            self._mail = smtplib.SMTP(self._address, 25, local_hostname="client.example", timeout=10)
            self._mail.ehlo()
            self._mail.mail("visitor@sender.example")
        return self._mail

    @staticmethod
    def _is_open(session: smtplib.SMTP) -> bool:
        try:
            return session.noop()[0] == 250
        except smtplib.SMTPException:
            return False

    def _forget(self) -> None:
        if self._mail is not None:
            self._mail.close()
        self._mail, self._recipients = None, 0
