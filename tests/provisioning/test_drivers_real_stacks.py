"""Each stack on a real server: sites, suspension and dedicated addresses, asked from outside."""

from __future__ import annotations

import dataclasses
import imaplib
import smtplib
from collections.abc import Iterator

import pytest

from provisioning.spec import AddressSpec, SiteSpec
from tests.provisioning.hosts import Host, account
from tests.servers import Server

pytestmark = pytest.mark.server

ALPHA = account("ab", 20001, "alpha.example")
BETA = account("xy", 20002, "beta.example")


def prepared(server: Server, stack: str) -> Host:
    """A server where only the stack's own web servers run, as on one that was set up for it."""
    for unit in ("nginx", "apache2"):
        if unit not in stack.replace("apache", "apache2"):
            server.run(["systemctl", "disable", "--now", unit])
    if stack == "apache":
        server.run(["systemctl", "reset-failed"])
    host = Host.prepare(server, stack=stack)
    host.apply(ALPHA, BETA)
    return host


@pytest.fixture(scope="module", params=["nginx+apache", "nginx", "apache"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A server of each stack with two accounts."""
    with Server.create() as server:
        yield prepared(server, request.param)


def test_every_checker_is_content(host: Host) -> None:
    assert host.check(host.checkers()) == []


def test_sites_answer_by_name(host: Host) -> None:
    assert host.http("www.alpha.example")[2] == "<h1>alpha.example</h1>"
    assert host.http("beta.example", address=host.server.address6)[2] == "<h1>beta.example</h1>"


def test_an_unknown_name_gets_nobodys_page(host: Host) -> None:
    status, _, body = host.http("nobody.example")
    assert status == 404
    assert "There is no web site here" in body


def test_php_runs_as_the_tenant(host: Host) -> None:
    host.upload("ab", "/home/ab/public_html/x.php", "<?php echo posix_geteuid(), $_SERVER['PATH_INFO'] ?? '';")
    assert host.http("alpha.example", "/x.php/more")[2] == "20001/more"
    assert host.http("alpha.example", "/missing.php")[0] == 404


def test_front_controllers_work(host: Host) -> None:
    """nginx alone tries index.php by itself; Apache needs the application's .htaccess."""
    host.upload("xy", "/home/xy/public_html/index.php", "<?php echo 'front ', $_SERVER['REQUEST_URI'];")
    rules = "RewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule ^ index.php [L]\n"
    host.upload("xy", "/home/xy/public_html/.htaccess", rules)
    assert host.http("beta.example", "/some/page?a=1")[2] == "front /some/page?a=1"


@pytest.mark.parametrize("path", ["/.env", "/.git/config", "/.htaccess"])
def test_hidden_files_stay_hidden(host: Host, path: str) -> None:
    host.upload("ab", f"/home/ab/public_html{path}", "# hidden")
    assert host.http("alpha.example", path)[0] == 403


def test_a_link_to_another_home_is_not_served(host: Host) -> None:
    host.shell("runuser -u ab -- ln -sfn /home/xy/public_html/index.html /home/ab/public_html/link.html")
    status, _, body = host.http("alpha.example", "/link.html")
    assert status in (403, 404)
    assert "beta" not in body


def test_challenges_are_the_panels(host: Host) -> None:
    host.shell("echo token > /var/lib/hostwright/acme/challenge")
    assert host.http("alpha.example", "/.well-known/acme-challenge/challenge")[2] == "token\n"


def test_suspension_shuts_everything_and_lifting_it_opens_all_again(host: Host) -> None:
    host.shell("echo token > /var/lib/hostwright/acme/challenge")
    host.upload("ab", "/home/ab/public_html/x.php", "<?php echo 'ran';")

    host.apply(account("ab", 20001, "alpha.example", suspended=True))
    for path in ("/", "/x.php", "/missing"):
        status, headers, body = host.http("www.alpha.example", path)
        assert (status, headers["retry-after"]) == (503, "3600")
        assert "unavailable at the moment" in body
    assert host.http("alpha.example", "/.well-known/acme-challenge/challenge")[2] == "token\n"
    assert host.http("beta.example")[0] == 200
    assert host.shell("ls /run/php").split().count("hostwright-ab-8.4.sock") == 0
    assert "ERROR 4151" in host.sql("ab_u", "SELECT 1")
    with pytest.raises(imaplib.IMAP4.error):
        host.mailbox("anna@alpha.example")
    with pytest.raises(smtplib.SMTPAuthenticationError):
        host.send("anna@alpha.example", "x@y.example", "x", login="anna@alpha.example", port=587)
    host.send("someone@outside.example", "info@alpha.example", "kept meanwhile")
    assert host.dns("alpha.example", "A").answer

    host.apply(account("ab", 20001, "alpha.example"))
    assert host.http("alpha.example", "/x.php")[2] == "ran"
    assert host.sql("ab_u", "SELECT 1") == "1"
    host.wait_for_message("anna@alpha.example", "kept meanwhile")


def test_a_dedicated_address_is_one_sites_alone(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    dedicated = host.server.address6
    addresses = tuple(
        AddressSpec(item.ip, item.family, item.public, item.ip == dedicated) for item in host.spec.addresses
    )
    monkeypatch.setattr(host, "spec", dataclasses.replace(host.spec, addresses=addresses))
    site = SiteSpec("own.example", (), "own", "8.4", (dedicated,))
    host.apply()
    host.apply(account("ab", 20001, "alpha.example", sites=(*ALPHA.sites, site)))
    host.upload("ab", "/home/ab/own/index.html", "own")
    assert host.http("own.example", address=dedicated)[2] == "own"
    assert host.http("nobody.example", address=dedicated)[0] == 404
    assert host.http("alpha.example", address=dedicated)[0] == 404
    assert host.http("own.example")[0] == 404
    assert host.http("alpha.example")[0] == 200
