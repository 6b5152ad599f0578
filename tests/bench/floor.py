"""The floor: makes hosting accounts by hand, one step after the other, without a panel. Runs on the server, as root.

What somebody who knows the server would type: no undo, no durability, no look at what is there. It reads a line of JSON
`{"do": "make" | "remove", "accounts": [{"name", "uid", "domain", "password"}]}`, does it, and answers with a line; it
does not wait until the daemons serve, since whoever measures asks them from outside. The steps of `make` are frozen:
for all accounts one after the other useradd, directories and files, one batch of SQL, zone files and `rndc addzone`,
rows of the mail map; then one reload for each daemon, in the order PHP-FPM, Apache, nginx. Changing them takes an ADR.
Standard library only.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PHP = "8.4"
NGINX = Path("/etc/nginx/hostwright/sites")
APACHE = Path("/etc/apache2/hostwright/sites")
POOLS = Path(f"/etc/php/{PHP}/fpm/pool.d")
ZONES = Path("/var/cache/bind/floor")
LOGS = Path("/var/log/hostwright")
MAIL = Path("/var/lib/hostwright/mail/mail.sqlite")
PLATFORM = "one.ferrum.example"

Account = dict[str, Any]

NGINX_SITE = """server {{
    listen 80;
    listen [::]:80;
    server_name {domain} www.{domain};
    access_log /var/log/hostwright/{name}/{domain}.access.log combined;
    error_log /var/log/nginx/error.log;
    include /etc/nginx/hostwright/acme.conf;
    location / {{
        include /etc/nginx/hostwright/proxy.conf;
    }}
}}
"""
APACHE_SITE = """<VirtualHost 127.0.0.1:8080>
    ServerName {domain}
    ServerAlias www.{domain}
    ErrorLog /var/log/hostwright/{name}/{domain}.error.log
    DocumentRoot /home/{name}/public_html
    <Directory /home/{name}/public_html>
        Include /etc/apache2/hostwright/htaccess.conf
    </Directory>
    ProxyFCGISetEnvIf "true" HOSTWRIGHT_UID {uid}
    <FilesMatch "\\.php$">
        SetHandler "proxy:unix:/run/php/floor-{name}.sock|fcgi://{name}"
    </FilesMatch>
</VirtualHost>
"""
POOL = """[{name}]
user = {name}
group = {name}
listen = /run/php/floor-{name}.sock
listen.owner = www-data
listen.group = www-data
listen.mode = 0660
pm = ondemand
pm.max_children = 10
pm.process_idle_timeout = 20s
pm.max_requests = 500
request_terminate_timeout = 300s
security.limit_extensions = .php
rlimit_core = 0
php_admin_value[open_basedir] = "/home/{name}/:/usr/share/:/etc/php/hostwright/"
php_admin_value[auto_prepend_file] = /etc/php/hostwright/guard.php
php_admin_value[sys_temp_dir] = /home/{name}/tmp
php_admin_value[upload_tmp_dir] = /home/{name}/tmp
php_admin_value[session.save_path] = /home/{name}/tmp
php_admin_value[session.gc_probability] = 1
php_admin_value[memory_limit] = 256M
php_admin_value[mail.force_extra_parameters] = "-f{name}@{platform}"
php_admin_flag[log_errors] = on
php_flag[display_errors] = off
php_value[max_execution_time] = 60
php_value[max_input_vars] = 3000
php_value[post_max_size] = 64M
php_value[upload_max_filesize] = 64M
"""
ZONE = """{domain}. 3600 IN SOA ns1.northwind.example. hostmaster.northwind.example. {serial} 10800 3600 1209600 3600
{domain}. 3600 IN NS ns1.northwind.example.
{domain}. 3600 IN NS ns2.northwind.example.
{domain}. 3600 IN A 198.51.100.2
{domain}. 3600 IN MX 10 mail.northwind.example.
{domain}. 3600 IN TXT "v=spf1 mx a -all"
www.{domain}. 3600 IN CNAME {domain}.
"""
PAGE = "<!doctype html>\n<title>{domain}</title>\n<h1>{domain}</h1>\n<p>This site is ready for its content.</p>\n"


def run(*argv: str, stdin: str = "", check: bool = True) -> None:
    """Run a program to its end."""
    subprocess.run(argv, input=stdin, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=check)


def make(accounts: list[Account]) -> None:
    """Make accounts, one step after the other."""
    for account in accounts:
        name, uid = account["name"], str(account["uid"])
        run("useradd", "--no-create-home", "--uid", uid, "--shell", "/usr/sbin/nologin", "--user-group", name)
    for account in accounts:
        write_files(account)
    run("mariadb", "--user=root", stdin="\n".join(statement for account in accounts for statement in sql(account)))
    for account in accounts:
        serve_zone(account)
    with sqlite3.connect(MAIL) as database:
        for account in accounts:
            domain = account["domain"]
            database.execute("INSERT INTO domain VALUES (?, 1)", (domain,))
            rows = [(f"{local}@{domain}", "hostmaster@northwind.example") for local in ("abuse", "postmaster")]
            database.executemany("INSERT INTO alias VALUES (?, ?)", rows)
    database.close()
    run("systemctl", "reload", f"php{PHP}-fpm")
    run("apachectl", "graceful")
    run("nginx", "-t")
    run("nginx", "-s", "reload")


def write_files(account: Account) -> None:
    """Directories, first page, pool and virtual hosts."""
    name, uid, domain = account["name"], account["uid"], account["domain"]
    home, logs, web = Path("/home") / name, LOGS / name, grp.getgrnam("www-data").gr_gid
    for path, mode, owner, group in (
        (home, 0o710, uid, web),
        (home / "tmp", 0o700, uid, uid),
        (home / "public_html", 0o755, uid, uid),
        (home / "mail", 0o700, uid, uid),
        (logs, 0o750, 0, uid),
    ):
        path.mkdir()
        os.chown(path, owner, group)
        path.chmod(mode)
    (home / "logs").symlink_to(logs)
    page = home / "public_html" / "index.html"
    page.write_text(PAGE.format(domain=domain))
    os.chown(page, uid, uid)
    words = {"name": name, "uid": uid, "domain": domain, "platform": PLATFORM}
    (POOLS / f"floor-{name}.conf").write_text(POOL.format(**words))
    (APACHE / f"floor-{name}.conf").write_text(APACHE_SITE.format(**words))
    (NGINX / f"floor-{name}.conf").write_text(NGINX_SITE.format(**words))


def sql(account: Account) -> list[str]:
    """A database, and a login with all rights on it."""
    name, password = account["name"], account["password"]
    return [
        f"CREATE DATABASE `{name}_shop` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
        f"CREATE USER '{name}_shop'@'%' IDENTIFIED BY '{password}';",
        f"GRANT ALL PRIVILEGES ON `{name}\\_shop`.* TO '{name}_shop'@'%';",
    ]


def serve_zone(account: Account) -> None:
    """A zone's file, and BIND told of it."""
    domain = account["domain"]
    path = ZONES / f"{domain}.db"
    path.write_text(ZONE.format(domain=domain, serial=int(time.time())))
    run("rndc", "addzone", domain, f'{{ type primary; file "{path}"; }};')


def remove(accounts: list[Account]) -> None:
    """Take accounts away again, so that the next round finds the server as this one did; nobody measures this."""
    for account in accounts:
        name, domain = account["name"], account["domain"]
        for directory in (NGINX, APACHE, POOLS):
            (directory / f"floor-{name}.conf").unlink(missing_ok=True)
        run("rndc", "delzone", domain, check=False)
        (ZONES / f"{domain}.db").unlink(missing_ok=True)
    run("nginx", "-s", "reload")
    run("apachectl", "graceful")
    run("systemctl", "reload", f"php{PHP}-fpm")
    names = [account["name"] for account in accounts]
    drops = [f"DROP DATABASE IF EXISTS `{name}_shop`; DROP USER IF EXISTS '{name}_shop'@'%';" for name in names]
    run("mariadb", "--user=root", stdin="\n".join(drops))
    with sqlite3.connect(MAIL) as database:
        for account in accounts:
            database.execute("DELETE FROM domain WHERE name = ?", (account["domain"],))
            database.execute("DELETE FROM alias WHERE address LIKE ?", (f"%@{account['domain']}",))
    database.close()
    for name in names:
        run("userdel", name, check=False)
        shutil.rmtree(Path("/home") / name, ignore_errors=True)
        shutil.rmtree(LOGS / name, ignore_errors=True)


def main() -> None:
    """Answer lines until there are none. Programs may open as many files as the system allows (`ulimit -n`)."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ZONES.mkdir(exist_ok=True)
    os.chown(ZONES, 0, pwd.getpwnam("bind").pw_gid)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        wanted = json.loads(line)
        {"make": make, "remove": remove}[wanted["do"]](wanted["accounts"])
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
