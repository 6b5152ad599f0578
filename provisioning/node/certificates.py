"""Self-signed certificates of daemons: made here by openssl, so that no key ever leaves the server. Not for ACME.

One file holds key and certificate, in the order that Postfix asks for (postconf(5), smtpd_tls_chain_files), so that
both are replaced in one step.
"""

from __future__ import annotations

import contextlib
import os
import stat

from . import fsutil
from .errors import RefusedError
from .fsutil import Unsynced
from .paths import Paths
from .processes import Command, run_together

DAYS = 825
RENEW_SECONDS = 30 * 86_400
MODE = 0o600
LONGEST_COMMON_NAME = 64
"""RFC 5280, upper bound of a common name; the name that counts is the alternative one anyway."""


def place(paths: Paths, name: str) -> str:
    """The file of a certificate and its key."""
    return f"{paths.certificates}/{name}.pem"


def is_good(paths: Paths, name: str, host: str) -> bool:
    """Whether key and certificate are there, root's alone, for `host`, and good for 30 days more."""
    path = place(paths, name)
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode) or (status.st_uid, stat.S_IMODE(status.st_mode)) != (0, MODE):
        return False
    asked = ["openssl", "x509", "-in", path, "-noout"]
    lasting, named, key, certified = run_together(
        [
            Command([*asked, "-checkend", str(RENEW_SECONDS)]),
            Command([*asked, "-checkhost", host]),
            Command(["openssl", "pkey", "-in", path, "-pubout"]),
            Command([*asked, "-pubkey"]),
        ]
    )
    does_match = f"Hostname {host} does match certificate" in named.output
    return lasting.ok and does_match and key.ok and certified.ok and key.output == certified.output


def make(paths: Paths, name: str, host: str, unsynced: Unsynced) -> None:
    """Make a key and a certificate for `host` and put them in place. RefusedError when openssl does not."""
    directory = paths.certificates
    os.makedirs(directory, mode=0o700, exist_ok=True)
    os.chmod(directory, 0o700)
    subject = f"/CN={host}" if len(host) <= LONGEST_COMMON_NAME else "/"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"]
    command += ["-days", str(DAYS), "-subj", subject, "-addext", f"subjectAltName=DNS:{host}"]
    command += ["-addext", "extendedKeyUsage=serverAuth", "-keyout", "-"]
    (made,) = run_together([Command(command)])
    if not made.ok or "PRIVATE KEY" not in made.output or "END CERTIFICATE" not in made.output:
        raise RefusedError("failed", f"certificate for {host}: {made.errors.strip() or 'openssl made none'}")
    fsutil.write_atomically(place(paths, name), made.output.encode(), MODE, 0, unsynced)


def discard(paths: Paths, name: str) -> None:
    """Remove key and certificate, if they are there."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(place(paths, name))
