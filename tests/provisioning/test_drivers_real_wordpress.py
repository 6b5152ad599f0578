"""Debian's WordPress in an account of the default stack: its installer answers by PHP, and what it installs works."""

from __future__ import annotations

import base64
import re
import urllib.parse

from tests.provisioning.hosts import PASSWORD, Host, account
from tests.servers import Server

CONFIGURATION = f"""<?php
define('DB_NAME', 'ab_c');
define('DB_USER', 'ab_u');
define('DB_PASSWORD', base64_decode('{base64.b64encode(PASSWORD.encode()).decode()}'));
define('DB_HOST', 'localhost');
define('DB_CHARSET', 'utf8mb4');
$table_prefix = 'wp_';
define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""
INSTALL = """
DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends wordpress
cp -RL /usr/share/wordpress/. /home/ab/public_html/
chown -R ab:ab /home/ab/public_html
"""


def test_the_installer_and_the_site_answer(server: Server) -> None:
    host = Host.prepare(server)
    host.apply(account("ab", 20001, "alpha.example"))
    host.server.run(["env", "-C", "/", "sh", "-euc", INSTALL], timeout=300)
    host.upload("ab", "/home/ab/public_html/wp-config.php", CONFIGURATION)
    host.upload("ab", "/home/ab/public_html/.htaccess", "Options +FollowSymLinks\n")

    status, headers, _ = host.http("alpha.example")
    assert (status, headers["location"]) == (302, "http://alpha.example/wp-admin/install.php")
    status, _, page = host.http("alpha.example", "/wp-admin/install.php")
    assert status == 200
    assert "<title>WordPress" in page
    for style in re.findall(r"href='http://alpha\.example(/[^']+\.css[^']*)'", page)[:3]:
        assert host.http("alpha.example", style.replace("&#038;", "&"))[0] == 200
    assert "Fatal error" not in page

    form = {"weblog_title": "Alpha", "user_name": "owner", "admin_password": PASSWORD, "admin_password2": PASSWORD}
    form |= {"admin_email": "anna@alpha.example", "blog_public": "0", "language": "", "Submit": "Install"}
    body = urllib.parse.urlencode(form)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, _, page = host.http("alpha.example", "/wp-admin/install.php?step=2", method="POST", body=body, headers=kind)
    assert (status, "Success!" in page) == (200, True)
    status, _, page = host.http("alpha.example", "/wp-login.php")  # Debian's themes are packages of their own
    assert (status, "Alpha" in page) == (200, True)
