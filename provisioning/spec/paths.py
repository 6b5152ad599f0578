"""Where things lie on a target server, as texts that drivers and templates share. Nothing is opened here."""

from __future__ import annotations

import hashlib

STATE = "/var/lib/hostwright"
ACME = f"{STATE}/acme"
PAGES = f"{STATE}/pages"
MAIL = f"{STATE}/mail"
MAIL_DATABASE = f"{MAIL}/mail.sqlite"
CERTIFICATES = f"{STATE}/certificates"
LOGS = "/var/log/hostwright"
NGINX_SITES = "/etc/nginx/hostwright/sites"
APACHE_SITES = "/etc/apache2/hostwright/sites"

_LONGEST_STEM = 200


def stem(hostname: str) -> str:
    """The start of the names of a host's files: a long one is cut and told apart by its digest (NAME_MAX is 255)."""
    if len(hostname) <= _LONGEST_STEM:
        return hostname
    digest = hashlib.sha256(hostname.encode()).hexdigest()[:32]
    return f"{hostname[: _LONGEST_STEM - 33]}-{digest}"


def brand_page(brand: str, code: int) -> str:
    """A brand's page below PAGES; without a brand the neutral one."""
    return f"/{brand}/{code}.html" if brand else f"/{code}.html"


def certificate(hostname: str) -> str:
    """The file that holds the server's own certificate for a host name, and its key."""
    return f"{CERTIFICATES}/{stem(hostname)}.pem"


def temporary(username: str) -> str:
    """An account's own directory for temporary files, uploads and sessions."""
    return f"/home/{username}/tmp"  # noqa: S108 -- nobody else may enter it


def logs(username: str) -> str:
    """An account's web logs: root's, readable by the account's group, for daemons never write below a tenant's home."""
    return f"{LOGS}/{username}"


def php_socket(username: str, version: str) -> str:
    """The socket of an account's PHP pool; at most 45 bytes of the 107 that a Unix socket's path may have."""
    return f"/run/php/hostwright-{username}-{version}.sock"
