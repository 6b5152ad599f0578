"""Debian's WordPress runs on the default stack: served by nginx and Apache, executed by PHP as its tenant."""

from __future__ import annotations

import http.client
from urllib.parse import urlencode

import pytest
from pytest_django import DjangoDbBlocker

from panel.core.scoping import everything
from panel.demo.proofs import http_get
from provisioning.services import database_users, databases
from tests.provisioning import engine_world
from tests.provisioning.engine_world import PASSWORD, SYSTEM, settled
from tests.servers import Server

pytestmark = pytest.mark.server

DOMAIN = "blog.example"
TITLE = "Lena writes"

# Debian's package, with what it takes from others in place of its links there, as a tenant would upload it.
UNPACK = """
cd /var/cache/apt/archives
for package in wordpress_*.deb libjs-*.deb php-getid3_*.deb; do dpkg-deb --extract "$package" /; done
rm /usr/share/wordpress/wp-config.php
cp -rL /usr/share/wordpress/. /var/tmp/wordpress
chmod -R a+rX /var/tmp/wordpress
"""
UPLOAD = 'cd "$HOME/public_html" && rm index.html && cp -r /var/tmp/wordpress/. . && cat > wp-config.php'
CONFIGURATION = """<?php
define('DB_NAME', '{database}');
define('DB_USER', '{user}');
define('DB_PASSWORD', '{password}');
define('DB_HOST', 'localhost');
define('DB_CHARSET', 'utf8mb4');
define('WP_HTTP_BLOCK_EXTERNAL', true);
$table_prefix = 'wp_';
define('ABSPATH', __DIR__ . '/');
require ABSPATH . 'wp-settings.php';
"""
WHO = "<?php echo posix_geteuid(), ' ', $_SERVER['SERVER_SOFTWARE'];"


def test_wordpress_installs_itself_in_an_account(
    module_server: Server, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> None:
    """Issue 2, acceptance 8; and beyond it the installer's own work in the account's database."""
    with engine_world.database(tmp_path_factory.mktemp("panel"), django_db_blocker):
        world = engine_world.make(module_server)
        hosting, _operation = world.order(DOMAIN)
        with everything("test"):
            database, _ = databases.create(actor=SYSTEM, hosting=hosting, name="wp")
            user, last = database_users.create(
                actor=SYSTEM, hosting=hosting, name="wp", password=PASSWORD, databases=[database]
            )
        world.reconcile()
        settled(last)
    module_server.run(["mkdir", "/var/tmp/wordpress"])
    module_server.run(["sh", "-euc", UNPACK])
    configuration = CONFIGURATION.format(database=database.name, user=user.name, password=PASSWORD.replace("'", "\\'"))
    as_tenant = ["runuser", "-u", hosting.username, "--", "env", f"HOME={hosting.home}", "sh", "-euc"]
    module_server.run([*as_tenant, UPLOAD], input=configuration)
    module_server.run([*as_tenant, 'cat > "$HOME/public_html/who.php"'], input=WHO)

    uid, software = http_get(module_server.address, DOMAIN, "/who.php")[2].split(" ", 1)
    assert (int(uid), software.split("/")[0]) == (hosting.uid, "Apache")
    status, headers, page = http_get(module_server.address, DOMAIN, "/wp-admin/install.php")
    assert (status, headers["server"].split("/")[0]) == (200, "nginx")
    assert "WordPress" in page
    assert 'id="setup" method="post" action="install.php?step=2"' in page
    assert 'name="weblog_title"' in page

    form = {
        "weblog_title": TITLE,
        "user_name": "lena",
        "admin_password": PASSWORD,
        "admin_password2": PASSWORD,
        "pw_weak": "1",
        "admin_email": f"lena@{DOMAIN}",
        "blog_public": "0",
    }
    status, page = post(module_server.address, "/wp-admin/install.php?step=2", form)
    assert (status, "Success!" in page) == (200, True), page[-2000:]
    status, _headers, page = http_get(module_server.address, DOMAIN, "/wp-login.php")
    assert (status, TITLE in page) == (200, True)


def post(address: str, path: str, form: dict[str, str]) -> tuple[int, str]:
    """Send a form of the blog: status and page."""
    connection = http.client.HTTPConnection(address, 80, timeout=60)
    try:
        headers = {"Host": DOMAIN, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, body=urlencode(form), headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()
