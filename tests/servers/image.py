"""Builds the Debian root trees that test servers start from, once for each recipe; not for running them."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.servers import aptsources
from tests.servers.commands import CommandError

HOSTNAME = "server.example.net"
BUILD_SECONDS = 1200
# Switched off, so that nothing starts by itself while a test runs and apt's lock stays free.
TIMERS = [
    f"{name}.timer"
    for name in ("apt-daily", "apt-daily-upgrade", "dpkg-db-backup", "e2scrub_all", "fstrim", "logrotate")
]
_BASE = ("systemd", "systemd-sysv", "dbus", "openssh-server", "iproute2", "ca-certificates")
_DAEMONS = tuple(
    """python3 nginx-light apache2 php-fpm php-mysql php-cli php-curl php-gd php-intl php-mbstring php-xml php-zip
    mariadb-server mariadb-client bind9 bind9-utils bind9-dnsutils postfix postfix-sqlite dovecot-imapd dovecot-pop3d
    dovecot-lmtpd dovecot-sqlite cron openssl sqlite3 libnss-extrausers curl ssl-cert acl quota logrotate""".split()
)


@dataclass(frozen=True)
class Flavour:
    """A recipe: packages that are installed, and some that only wait in apt's cache to be added quickly."""

    name: str
    codename: str
    installed: tuple[str, ...]
    fetched: tuple[str, ...]
    revision: int = 1

    @property
    def image_name(self) -> str:
        """`<distro>-<flavour>-<hash of the recipe>`."""
        recipe = json.dumps([asdict(self), HOSTNAME], sort_keys=True)
        return f"{self.codename}-{self.name.partition('-')[0]}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


FLAVOURS = {
    flavour.name: flavour
    for flavour in (
        Flavour("full", "trixie", _BASE + _DAEMONS, ("wordpress",)),
        Flavour("bare-trixie", "trixie", _BASE, _DAEMONS),
        Flavour("bare-bookworm", "bookworm", _BASE, _DAEMONS),
    )
}


def cache_directory() -> Path:
    """Where images and server disks live: `${XDG_CACHE_HOME:-~/.cache}/hostwright`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hostwright"


def images_directory() -> Path:
    """Where the images are."""
    return cache_directory() / "images"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another build of {path.stem}", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_argv(flavour: Flavour, target: Path) -> list[str]:
    sources = [source.line() for source in aptsources.for_release(flavour.codename)]
    # A host name of its own while packages configure themselves: theirs must not carry this machine's.
    argv = ["unshare", "--uts", "sh", "-c", 'hostname "$1" && shift && exec "$@"', "build", HOSTNAME]
    argv += ["mmdebstrap", "--mode=root", "--variant=minbase", "--verbose"]
    argv += [f"--include={','.join(flavour.installed)}", "--skip=cleanup/apt"]
    argv += [f"--essential-hook=echo {HOSTNAME} > $1/etc/hostname"]
    argv += [f"--essential-hook=printf '127.0.0.1 localhost\\n127.0.1.1 {HOSTNAME}\\n' > $1/etc/hosts"]
    # What mmdebstrap downloaded for itself is installed by now: only the packages to wait in the cache stay there.
    argv += ['--customize-hook=chroot "$1" apt-get clean']
    fetched = " ".join(flavour.fetched)
    argv += [
        f'--customize-hook=chroot "$1" apt-get --yes --quiet --no-install-recommends --download-only install {fetched}'
    ]
    return [*argv, flavour.codename, str(target), *sources]


def _neutral(root: Path) -> None:
    """Remove what identifies the build: keys and ids are made anew for each server."""
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    (root / "etc/machine-id").write_text("")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/resolv.conf").write_text("")
    (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    (root / "etc/apt/apt.conf.d/99mmdebstrap").unlink(missing_ok=True)
    units = root / "etc/systemd/system"
    for unit in TIMERS if units.is_dir() else ():
        (units / unit).unlink(missing_ok=True)
        (units / unit).symlink_to("/dev/null")


def _progress(line: str, started: float) -> str | None:
    match = re.match(r"I: (.+?)(?:\.\.\.)?$", line) or re.match(r"(?:Setting up|Unpacking) (\S+)", line)
    return f"{time.monotonic() - started:4.0f} s  {match.group(1)}" if match else None


def _run_build(argv: list[str], log: Path, *, show: bool) -> None:
    started = time.monotonic()
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    with log.open("w") as out:
        build = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
        assert build.stdout is not None
        for line in build.stdout:
            out.write(line)
            message = _progress(line.rstrip(), started)
            if show and message:
                print(f"\r\033[K  {message[:90]}", end="", file=sys.stderr, flush=True)
            if time.monotonic() - started > BUILD_SECONDS:
                build.terminate()
        if show:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
    if build.wait():
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise CommandError(f"building the image failed; the whole log is {log}, its end:\n{tail}")


def ready(flavour_name: str) -> bool:
    """Whether the image of this flavour is built."""
    return (images_directory() / FLAVOURS[flavour_name].image_name).is_dir()


def ensure(flavour_name: str) -> Path:
    """The root tree of a server flavour, as `build` makes it; raises `CommandError` for an unknown name."""
    if flavour_name not in FLAVOURS:
        raise CommandError(f"there is no flavour {flavour_name!r}: choose one of {', '.join(FLAVOURS)}")
    return build(FLAVOURS[flavour_name])


def build(flavour: Flavour) -> Path:
    """The root tree of a recipe; made when it is not there (one to two minutes), by one process at a time.

    Raises `CommandError` with the end of the log when that fails; a partial tree never takes the image's name.
    """
    images = images_directory()
    image = images / flavour.image_name
    if image.is_dir():
        return image
    with _locked(images / f"{flavour.image_name}.lock"):
        if image.is_dir():
            return image
        partial = images / f".{flavour.image_name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        print(f"building the {flavour.name} image (Debian {flavour.codename}), once", file=sys.stderr)
        try:
            _run_build(_build_argv(flavour, partial), images / f"{flavour.image_name}.log", show=sys.stderr.isatty())
            _neutral(partial)
            partial.rename(image)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return image
