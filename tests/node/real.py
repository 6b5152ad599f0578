"""Bundles for a real Debian server: a base configuration and accounts with site, pool, zone, database and mail."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.node.bundles import Body, directory, file, home, resource, slice_of, user

PHP = "8.4"
PASSWORD = "secret-1"
NSSWITCH = """\
passwd: files extrausers
group: files extrausers
shadow: files extrausers
hosts: files dns
"""
NAMED_OPTIONS = """\
options {
    directory "/var/cache/bind";
    recursion no;
    allow-new-zones yes;
    dnssec-validation no;
};
"""
DEFAULT_SITE = "server { listen 80 default_server; listen [::]:80 default_server; server_name _; return 404; }\n"


def base(*more: Body, generation: int = 1) -> dict[str, Any]:
    """The slice `server`: nginx on port 80, Apache behind it, extrausers, zones that can be added."""
    return slice_of(
        "server",
        file("/etc/nsswitch.conf", NSSWITCH, adopt=True),
        file("/etc/bind/named.conf.options", NAMED_OPTIONS, adopt=True, service="named"),
        resource("absent", "/etc/nginx/sites-enabled/default", adopt=True, service="nginx"),
        file("/etc/nginx/sites-enabled/00-default.conf", DEFAULT_SITE, service="nginx"),
        resource("absent", "/etc/apache2/sites-enabled/000-default.conf", adopt=True, service="apache2"),
        file("/etc/apache2/ports.conf", "Listen 127.0.0.1:8080\n", adopt=True, service="apache2"),
        file("/etc/apache2/conf-enabled/servername.conf", "ServerName localhost\n", service="apache2"),
        *more,
        generation=generation,
    )


def site_text(name: str, domain: str, extra: str = "") -> str:
    return f"""\
server {{
    listen 80;
    listen [::]:80;
    server_name {domain} www.{domain};
    root /home/{name}/public_html;
    index index.php;
    {extra}
    location ~ \\.php$ {{
        include snippets/fastcgi-php.conf;
        fastcgi_pass unix:/run/php/hw-{name}.sock;
    }}
}}
"""


def pool_text(name: str, extra: str = "") -> str:
    return f"""\
[{name}]
user = {name}
group = {name}
listen = /run/php/hw-{name}.sock
listen.owner = www-data
listen.group = www-data
listen.mode = 0660
pm = ondemand
pm.max_children = 3
{extra}
"""


def vhost_text(domain: str, name: str) -> str:
    return f"""\
<VirtualHost 127.0.0.1:8080>
    ServerName {domain}
    ServerAlias www.{domain}
    DocumentRoot /home/{name}/public_html
</VirtualHost>
"""


def zone_text(domain: str, address: str = "198.51.100.77") -> str:
    return f"""\
$TTL 3600
@ IN SOA ns1.hosting.example. hostmaster.hosting.example. ( @SERIAL@ 10800 3600 1209600 3600 )
@ IN NS ns1.hosting.example.
@ IN A {address}
www IN A {address}
"""


def zone(domain: str, address: str) -> Body:
    return resource("zone", domain, text=zone_text(domain, address), service="named")


def native_hash(password: str) -> str:
    """MariaDB's mysql_native_password hash."""
    return "*" + hashlib.sha1(hashlib.sha1(password.encode()).digest()).hexdigest().upper()  # noqa: S324 -- its format


def mailbox(name: str, uid: int, domain: str, local: str = "info") -> Body:
    values = {
        "domain": domain,
        "local": local,
        "username": name,
        "uid": uid,
        "gid": uid,
        "home": f"/home/{name}",
        "maildir": f"/home/{name}/mail/{domain}/{local}",
        "password_hash": "{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234",
        "quota_bytes": None,
        "enabled": True,
    }
    address = f"{local}@{domain}"
    return resource("row", f"mailbox:{address}", table="mailbox", key=address, values=values)


def account_bodies(name: str, uid: int, domain: str, page: str = "hello", password: str = PASSWORD) -> list[Body]:
    """Everything that one account has on a server."""
    own = {"owner": name, "group": name, "as": name}
    alias = {"table": "alias", "key": f"sales@{domain}", "values": {"destinations": f"info@{domain}"}}
    return [
        user(name, uid),
        home(name),
        directory(f"/home/{name}/public_html", mode="0755", **own),
        file(f"/home/{name}/public_html/index.php", f"<?php echo '{page} '.get_current_user();", **own),
        file(f"/etc/php/{PHP}/fpm/pool.d/{name}.conf", pool_text(name), service=f"php{PHP}-fpm"),
        file(f"/etc/nginx/sites-enabled/{name}.conf", site_text(name, domain), service="nginx"),
        file(f"/etc/apache2/sites-enabled/{name}.conf", vhost_text(domain, name), service="apache2"),
        resource("zone", domain, text=zone_text(domain), service="named"),
        resource("database", f"{name}_wp", charset="utf8mb4", collation="utf8mb4_unicode_ci"),
        resource(
            "database_user",
            f"{name}_wp@localhost",
            user=f"{name}_wp",
            host="localhost",
            password_hash=native_hash(password),
            grants=[{"database": f"{name}_wp", "privileges": ["ALL"]}],
            locked=False,
        ),
        resource("row", f"domain:{domain}", table="domain", key=domain, values={"name": domain}),
        mailbox(name, uid, domain),
        resource("row", f"alias:sales@{domain}", **alias),
    ]


def account(name: str, uid: int, domain: str, generation: int = 1, **more: Any) -> dict[str, Any]:
    """The slice of one account."""
    return slice_of(f"acc_{name}", *account_bodies(name, uid, domain, **more), generation=generation)


def without(bundle: dict[str, Any], *keys: str) -> dict[str, Any]:
    """A slice without some resources."""
    return {
        **bundle,
        "manifest": {key: value for key, value in bundle["manifest"].items() if key not in keys},
        "resources": {key: value for key, value in bundle["resources"].items() if key not in keys},
    }


def replaced(bundle: dict[str, Any], *bodies: Body) -> dict[str, Any]:
    """A slice with some resources replaced or added."""
    fresh = slice_of(bundle["slice"], *bodies)
    return {
        **bundle,
        "manifest": {**bundle["manifest"], **fresh["manifest"]},
        "resources": {**bundle["resources"], **fresh["resources"]},
    }
