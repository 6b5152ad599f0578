"""The default stack on a real Debian 13: two accounts beside one another, each protocol from outside, and attacks."""

from __future__ import annotations

import imaplib
import smtplib
import time
from collections.abc import Iterator

import dns.exception
import dns.query
import dns.rcode
import dns.xfr
import dns.zone
import pytest

from tests.provisioning.hosts import LONG_TEXT, PASSWORD, PLATFORM, Host, account
from tests.servers import Server

pytestmark = pytest.mark.server

HTACCESS = "/home/ab/public_html/.htaccess"


@pytest.fixture(scope="module")
def host(module_server: Server) -> Host:
    """A server with the accounts `ab` (alpha.example) and `xy` (beta.example)."""
    host = Host.prepare(module_server)
    host.apply(account("ab", 20001, "alpha.example"), account("xy", 20002, "beta.example"))
    return host


@pytest.fixture
def htaccess(host: Host) -> Iterator[Host]:
    """The host; what a test writes into ab's .htaccess goes with it."""
    yield host
    host.shell('rm -f "$1"', HTACCESS)


def test_every_checker_is_content(host: Host) -> None:
    assert host.check(host.checkers()) == []
    assert host.shell("systemctl --failed --no-legend") == ""


def test_the_same_again_changes_nothing(host: Host) -> None:
    report = host.apply(account("ab", 20001, "alpha.example"), account("xy", 20002, "beta.example"))
    assert report["status"] == "unchanged"
    assert host.apply()["status"] == "unchanged"


@pytest.mark.parametrize("name", ["alpha.example", "www.alpha.example", "ALPHA.example"])
def test_a_site_answers_by_name(host: Host, name: str) -> None:
    assert host.http(name)[::2] == (200, "<h1>alpha.example</h1>")


def test_a_site_answers_by_ipv6(host: Host) -> None:
    assert host.http("alpha.example", address=host.server.address6)[2] == "<h1>alpha.example</h1>"


@pytest.mark.parametrize("name", ["nobody.example", "", "198.51.100.1", "localhost", PLATFORM])
def test_an_unknown_name_gets_nobodys_page(host: Host, name: str) -> None:
    status, _, body = host.http(name)
    assert status in (404, 400)
    assert "alpha" not in body
    assert "beta" not in body
    assert "ostwright" not in body


def test_php_runs_as_the_tenant_within_its_home(host: Host) -> None:
    host.upload(
        "ab",
        "/home/ab/public_html/who.php",
        "<?php echo posix_geteuid(), ' ', $_SERVER['REMOTE_ADDR'], ' ', $_SERVER['SERVER_PORT'], ' ',"
        " @file_get_contents('/etc/passwd') === false ? 'kept in' : 'out';",
    )
    forged = {"X-Forwarded-For": "203.0.113.66"}
    assert host.http("alpha.example", "/who.php", headers=forged)[2] == f"20001 {host.server.gateway} 80 kept in"


def test_a_password_reaches_php(host: Host) -> None:
    host.upload("ab", "/home/ab/public_html/auth.php", "<?php echo $_SERVER['PHP_AUTH_USER'] ?? 'none';")
    assert host.http("alpha.example", "/auth.php", headers={"Authorization": "Basic YW5uYTp4"})[2] == "anna"


def test_htaccess_rewrites_denies_and_sets_headers(htaccess: Host) -> None:
    host = htaccess
    host.upload("ab", "/home/ab/public_html/front.php", "<?php echo $_SERVER['PATH_INFO'];")
    host.upload("ab", "/home/ab/public_html/secret.txt", "secret")
    host.upload(
        "ab",
        HTACCESS,
        "Options +FollowSymLinks -Indexes\nRewriteEngine On\nRewriteRule ^pretty(/.*)$ front.php$1 [L]\n"
        "Header set X-Test yes\n<Files secret.txt>\nRequire all denied\n</Files>\n",
    )
    assert host.http("alpha.example", "/pretty/one/two")[2] == "/one/two"
    assert host.http("alpha.example", "/secret.txt")[0] == 403
    assert host.http("alpha.example")[1]["x-test"] == "yes"


@pytest.mark.parametrize("path", ["/.htaccess", "/.env", "/.git/config", "/sub/.hidden/x"])
def test_hidden_files_stay_hidden(htaccess: Host, path: str) -> None:
    htaccess.upload("ab", f"/home/ab/public_html{path}", "# hidden")
    assert htaccess.http("alpha.example", path)[0] == 403


def test_a_directory_is_redirected_to_itself(host: Host) -> None:
    host.upload("ab", "/home/ab/public_html/folder/x.txt", "x")
    status, headers, _ = host.http("alpha.example", "/folder")
    assert (status, headers["location"]) == (301, "http://alpha.example/folder/")
    assert host.http("alpha.example", "/folder/")[0] == 403


@pytest.mark.parametrize("target", ["/home/xy/public_html/index.html", "/etc/passwd"])
def test_a_link_to_what_is_not_the_tenants_is_not_served(htaccess: Host, target: str) -> None:
    htaccess.upload("ab", HTACCESS, "Options +FollowSymLinks\n")
    htaccess.shell('runuser -u ab -- ln -sfn "$1" /home/ab/public_html/link.html', target)
    assert htaccess.http("alpha.example", "/link.html")[0] == 403


def test_a_docroot_that_leads_elsewhere_is_not_served(host: Host) -> None:
    host.shell("runuser -u xy -- sh -c 'mv /home/xy/public_html /home/xy/kept; ln -s /etc /home/xy/public_html'")
    try:
        assert host.http("beta.example", "/passwd")[0] == 403
        assert host.http("beta.example", "/hostname")[0] == 403
    finally:
        host.shell("rm /home/xy/public_html; mv /home/xy/kept /home/xy/public_html")


def test_challenges_are_the_panels(htaccess: Host) -> None:
    htaccess.shell("echo token > /var/lib/hostwright/acme/challenge")
    htaccess.upload("ab", "/home/ab/public_html/.well-known/acme-challenge/challenge", "the tenant's")
    htaccess.upload("ab", HTACCESS, "RewriteEngine On\nRewriteRule ^ - [F]\n")
    assert htaccess.http("alpha.example", "/.well-known/acme-challenge/challenge")[::2] == (200, "token\n")


SOCKET = "/run/php/hostwright-xy-8.4.sock"
SCRIPT = f"unix:{SOCKET}|fcgi://x/home/xy/public_html/own.php"
OTHER_POOL = {
    "SetHandler": f'SetHandler "proxy:unix:{SOCKET}|fcgi://x"',
    "SetHandler for scripts": f'<FilesMatch "\\.php$">\nSetHandler "proxy:unix:{SOCKET}|fcgi://x"\n</FilesMatch>',
    "AddHandler": f'AddHandler "proxy:unix:{SOCKET}|fcgi://x" .php',
    "rewritten handler": f"RewriteEngine On\nRewriteRule ^evil.php$ - [H=proxy:unix:{SOCKET}|fcgi://x]",
    "rewritten proxy": f'RewriteEngine On\nRewriteRule ^evil.php$ "{SCRIPT}" [P]',
    "forged number": "SetEnv HOSTWRIGHT_UID 20002\nSetEnvIf Host . HOSTWRIGHT_UID=20002\nRewriteEngine On\n"
    f'RewriteRule ^evil.php$ "{SCRIPT}" [P,E=HOSTWRIGHT_UID:20002]',
    "forged by the proxy": 'ProxyFCGISetEnvIf "true" HOSTWRIGHT_UID "20002"\nRewriteEngine On\n'
    f'RewriteRule ^evil.php$ "{SCRIPT}" [P]',
    "forged in a section": '<If "true">\nProxyFCGISetEnvIf "true" HOSTWRIGHT_UID "20002"\nRewriteEngine On\n'
    f'RewriteRule ^ "{SCRIPT}" [P]\n</If>',
    "without the guard": 'SetEnv PHP_ADMIN_VALUE "auto_prepend_file=none"\nSetEnv PHP_VALUE "auto_prepend_file=none"\n'
    f'RewriteEngine On\nRewriteRule ^evil.php$ "{SCRIPT}" [P]',
}


@pytest.mark.parametrize("attack", OTHER_POOL)
def test_no_htaccess_runs_a_script_as_another_tenant(htaccess: Host, attack: str) -> None:
    host = htaccess
    host.upload("xy", "/home/xy/public_html/own.php", "<?php echo 'ran as ', posix_geteuid();")
    host.upload("ab", "/home/ab/public_html/evil.php", "<?php echo 'ran as ', posix_geteuid();")
    host.shell("chmod 0755 /home/ab")
    host.upload("ab", HTACCESS, OTHER_POOL[attack] + "\n")
    assert "ran as 20002" not in host.http("alpha.example", "/evil.php")[2]
    assert host.http("beta.example", "/own.php")[2] == "ran as 20002"


FOREIGN = "/home/xy/public_html/config.php"
OTHER_FILE = {
    "header": f'Header set X-Leak "expr=%{{base64:%{{file:{FOREIGN}}}}}"',
    "require": f"Require expr \"file('{FOREIGN}') =~ /hidden/\"",
    "condition": f"RewriteEngine On\nRewriteCond expr \"file('{FOREIGN}') =~ /hidden/\"\nRewriteRule ^ - [F]",
    "environment": f"SetEnvIfExpr \"file('{FOREIGN}') =~ /(hidden)/\" LEAK=$1\nHeader set X-Leak %{{LEAK}}e",
    "error page": f'ErrorDocument 403 "%{{file:{FOREIGN}}}"\nRequire all denied',
    "error path": f"ErrorDocument 403 {FOREIGN}\nRequire all denied",
    "rewritten path": f"RewriteEngine On\nRewriteRule ^page.txt$ {FOREIGN} [L]",
    "index": f"DirectoryIndex {FOREIGN}",
    "fallback": f"FallbackResource {FOREIGN}",
    "included": "SetOutputFilter INCLUDES",
}


@pytest.mark.parametrize("attack", OTHER_FILE)
def test_no_htaccess_reads_another_tenants_file(htaccess: Host, attack: str) -> None:
    htaccess.upload("xy", FOREIGN, "<?php $secret = 'hidden';")
    htaccess.upload("ab", "/home/ab/public_html/page.txt", f'<!--#include file="{FOREIGN}" -->')
    htaccess.upload("ab", HTACCESS, OTHER_FILE[attack] + "\n")
    for path in ("/page.txt", "/nothing/here/"):
        status, headers, body = htaccess.http("alpha.example", path)
        assert "file('" not in OTHER_FILE[attack] or status == 500
        assert "x-leak" not in headers
        assert "hidden" not in body


@pytest.mark.parametrize("name", ["PHP_VALUE", "PHP_ADMIN_VALUE"])
def test_no_htaccess_lifts_a_limit_of_php(htaccess: Host, name: str) -> None:
    htaccess.upload("ab", "/home/ab/public_html/limit.php", "<?php echo ini_get('memory_limit');")
    htaccess.upload("ab", HTACCESS, f'SetEnv {name} "memory_limit=3G"\n')
    assert htaccess.http("alpha.example", "/limit.php")[2] == "256M"


def test_no_user_ini_leaves_the_home_or_the_guard(host: Host) -> None:
    host.upload("ab", "/home/ab/public_html/ini/.user.ini", "open_basedir=/\nauto_prepend_file=none\nmemory_limit=3G\n")
    host.upload(
        "ab",
        "/home/ab/public_html/ini/x.php",
        "<?php foreach (['open_basedir', 'auto_prepend_file', 'memory_limit'] as $name) echo ini_get($name), ' ';",
    )
    expected = "/home/ab/:/usr/share/:/etc/php/hostwright/ /etc/php/hostwright/guard.php 256M "
    assert host.http("alpha.example", "/ini/x.php")[2] == expected


def test_no_tenant_reads_another_home_or_its_cached_scripts(host: Host) -> None:
    host.upload("xy", "/home/xy/public_html/config.php", "<?php $secret = 'hidden';")
    host.http("beta.example", "/config.php")
    host.upload(
        "ab",
        "/home/ab/public_html/spy.php",
        "<?php echo @opcache_get_status() === false ? 'no list ' : 'list ';"
        " echo (@include '/home/xy/public_html/config.php') ? 'read' : 'kept';"
        " exec('cat /home/xy/public_html/config.php 2>&1', $out, $code); echo ' ', $code;",
    )
    assert host.http("alpha.example", "/spy.php")[2] == "no list kept 1"


def test_sessions_and_uploads_stay_in_the_accounts_own_directory(host: Host) -> None:
    host.upload(
        "ab",
        "/home/ab/public_html/session.php",
        "<?php session_start(); $_SESSION['a'] = 1; session_write_close();"
        " echo sys_get_temp_dir(), count(glob('/home/ab/tmp/sess_*')) > 0 ? ' kept ' : ' lost ',"
        " getenv('HOME'), ' ', getenv('USER'), ' ', posix_getegid(), ' ', ini_get('upload_max_filesize'),"
        " ini_set('memory_limit', '1G') === false ? ' limited' : ' free';",
    )
    assert host.http("alpha.example", "/session.php")[2] == "/home/ab/tmp kept /home/ab ab 20001 64M limited"


def test_logs_are_roots_and_readable_to_the_tenant(host: Host) -> None:
    host.http("alpha.example", "/logged-request")
    assert "/logged-request" in host.shell("runuser -u ab -- cat /home/ab/logs/alpha.example.access.log")
    assert "Permission denied" in host.shell("runuser -u xy -- ls /var/log/hostwright/ab", check=False)
    assert "Permission denied" in host.shell("runuser -u ab -- touch /home/ab/logs/x", check=False)


def test_rotated_logs_go_on_in_new_files(host: Host) -> None:
    log = "/var/log/hostwright/ab/alpha.example.access.log"
    host.http("alpha.example", "/before-rotation")
    host.shell("logrotate --force /etc/logrotate.d/hostwright")
    assert "/before-rotation" in host.shell('cat "$1".1', log)
    deadline = time.monotonic() + 10
    while "/after-rotation" not in (written := host.shell('cat "$1"', log)) and time.monotonic() < deadline:
        host.http("alpha.example", "/after-rotation")
    assert "/after-rotation" in written


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("alpha.example", "A", "198.51.100.77"),
        ("alpha.example", "NS", "ns1.brand.example."),
        ("alpha.example", "MX", "10 mail.alpha.example."),
        ("www.alpha.example", "CNAME", "alpha.example."),
    ],
)
def test_the_zone_answers(host: Host, name: str, kind: str, expected: str) -> None:
    assert [data.to_text() for data in host.dns(name, kind).answer[0]] == [expected]


def test_a_long_text_comes_back_whole(host: Host) -> None:
    (data,) = host.dns("long.alpha.example", "TXT").answer[0]
    assert b"".join(data.strings).decode() == LONG_TEXT


def test_the_name_server_serves_its_zones_alone(host: Host) -> None:
    assert host.dns("example.com", "A").rcode() == dns.rcode.REFUSED
    with pytest.raises(dns.xfr.TransferError):
        dns.zone.from_xfr(dns.query.xfr(host.server.address, "alpha.example", timeout=10))


def test_the_database_logs_in_from_outside(host: Host) -> None:
    assert host.sql("ab_u", "CREATE TABLE ab_c.t (a INT); INSERT INTO ab_c.t VALUES (7); SELECT a FROM ab_c.t") == "7"
    assert host.sql("ab_u", "SHOW DATABASES").split() == ["ab_c", "information_schema"]
    assert host.sql("ab_u", "SELECT @@local_infile, @@character_set_server").split() == ["0", "utf8mb4"]


@pytest.mark.parametrize("database", ["abxc", "xy_c", "mysql"])
def test_an_underscore_in_a_grant_matches_itself_alone(host: Host, database: str) -> None:
    host.shell("mariadb -e 'CREATE DATABASE IF NOT EXISTS abxc'")
    assert "ERROR 1044" in host.sql("ab_u", f"USE {database}")


def test_root_of_the_database_is_of_this_machine_alone(host: Host) -> None:
    assert "ERROR 1045" in host.sql("root", "SELECT 1")


def test_mail_to_an_alias_can_be_read(host: Host) -> None:
    host.send("someone@outside.example", "info@alpha.example", "to the alias")
    host.wait_for_message("anna@alpha.example", "to the alias")
    assert "to the alias" not in host.subjects("bob@alpha.example")


def test_a_mailbox_belongs_to_its_accounts_user(host: Host) -> None:
    host.send("someone@outside.example", "bob@alpha.example", "whose is it")
    host.wait_for_message("bob@alpha.example", "whose is it")
    owners = host.shell("find /home/ab/mail -printf '%u %m\\n' | sort -u")
    assert {line.split()[0] for line in owners.splitlines()} == {"ab"}
    assert all(line.split()[1][-2:] == "00" or line == "ab 444" for line in owners.splitlines())


def test_a_mailbox_has_its_quota(host: Host) -> None:
    client = host.mailbox("anna@alpha.example")
    assert "48829" in str(client.getquotaroot("INBOX"))
    client.logout()


@pytest.mark.parametrize("recipient", ["nobody@alpha.example", "ab@web1.platform.example", "x@elsewhere.example"])
def test_no_other_recipient_is_taken(host: Host, recipient: str) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        host.send("someone@outside.example", recipient, "not for here")


def test_a_log_in_sends_as_itself_and_its_aliases(host: Host) -> None:
    for sender in ("anna@alpha.example", "info@alpha.example"):
        host.send(sender, "info@beta.example", f"from {sender}", login="anna@alpha.example", port=587)
        host.wait_for_message("anna@beta.example", f"from {sender}")


@pytest.mark.parametrize("sender", ["anna@beta.example", "bob@alpha.example", "ceo@bank.example"])
def test_a_log_in_sends_as_nobody_else(host: Host, sender: str) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        host.send(sender, "info@beta.example", "forged", login="anna@alpha.example", port=587)
    assert refused.value.recipients["info@beta.example"][0] == 553


def test_a_wrong_password_opens_nothing(host: Host) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError):
        host.send("anna@alpha.example", "x@y.example", "x", login="anna@alpha.example", port=587, password="wrong")
    with pytest.raises(imaplib.IMAP4.error):
        host.mailbox("anna@alpha.example", "wrong")


def test_no_password_goes_without_encryption(host: Host) -> None:
    client = imaplib.IMAP4(host.server.address, timeout=30)
    assert "LOGINDISABLED" in client.capabilities
    with pytest.raises(imaplib.IMAP4.error):
        client.login("anna@alpha.example", PASSWORD)
    client.shutdown()
    with smtplib.SMTP(host.server.address, 25, timeout=30) as smtp:
        smtp.starttls()
        smtp.ehlo()
        assert "auth" not in smtp.esmtp_features


def test_a_tenants_program_sends_as_its_own_user_alone(host: Host) -> None:
    host.upload(
        "ab",
        "/home/ab/public_html/mail.php",
        "<?php mail('info@beta.example', 'from php', 'x', '', '-fceo@bank.example');"
        " exec('echo x | /usr/sbin/sendmail -f ceo@bank.example info@beta.example 2>&1', $out, $code); echo $code;",
    )
    assert host.http("alpha.example", "/mail.php")[2] != "0"
    host.wait_for_message("anna@beta.example", "from php")
    heads = host.shell("grep -rh '^Return-Path' /home/xy/mail/beta.example/anna/Maildir")
    assert f"<ab@{PLATFORM}>" in heads
    assert "bank.example" not in heads


def test_every_daemon_starts_again(host: Host) -> None:
    """As after a boot: what was reloaded into place must also start from nothing."""
    units = "hostwright-mail named mariadb php8.4-fpm apache2 nginx dovecot postfix"
    host.shell(f"systemctl restart {units}")
    assert host.shell("systemctl --failed --no-legend") == ""
    assert host.http("alpha.example")[0] == 200
    assert host.dns("alpha.example", "A").answer
    host.send("someone@outside.example", "info@alpha.example", "after the start")
    host.wait_for_message("anna@alpha.example", "after the start")
    assert host.sql("ab_u", "SELECT 1") == "1"
