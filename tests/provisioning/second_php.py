"""A second PHP on a test server, since Debian 13 has one only: the same program under another version's name.

Its packages, unit, directories and configuration are those of that version; what runs it says so by its php.ini.
"""

from __future__ import annotations

from provisioning.drivers.php import EXTENSIONS
from tests.servers import Server

VERSION = "8.3"
THERE = "8.4"

PROGRAM = f"""#!/bin/sh
PHP_INI_SCAN_DIR=/etc/php/{VERSION}/fpm/conf.d
export PHP_INI_SCAN_DIR
exec /usr/sbin/php-fpm{THERE} -c /etc/php/{VERSION}/fpm/php.ini -y /etc/php/{VERSION}/fpm/php-fpm.conf "$@"
"""

BUILD = f"""
made=$(mktemp -d)
mkdir -p "$made/fpm/DEBIAN" "$made/fpm/usr/sbin" "$made/fpm/usr/lib/systemd/system" "$made/fpm/etc/php"
cp -a /etc/php/{THERE} "$made/fpm/etc/php/{VERSION}"
grep -rl '{THERE}' "$made/fpm/etc/php/{VERSION}/fpm" | xargs -r sed -i 's/{THERE}/{VERSION}/g'
sed 's/{THERE}/{VERSION}/g' /usr/lib/systemd/system/php{THERE}-fpm.service \\
    > "$made/fpm/usr/lib/systemd/system/php{VERSION}-fpm.service"
cat > "$made/fpm/usr/sbin/php-fpm{VERSION}"
chmod 755 "$made/fpm/usr/sbin/php-fpm{VERSION}"
for part in fpm {" ".join(EXTENSIONS)}; do
    mkdir -p "$made/$part/DEBIAN"
    control=$made/$part/DEBIAN/control
    printf 'Package: php{VERSION}-%s\\nVersion: {VERSION}.0-1\\nArchitecture: all\\n' "$part" > "$control"
    printf 'Maintainer: Nobody <nobody@example.org>\\nDescription: test\\n' >> "$control"
    dpkg-deb --build --root-owner-group "$made/$part" "$made/$part.deb" > /dev/null
done
dpkg -i "$made"/*.deb > /dev/null
systemctl daemon-reload
systemctl enable --now php{VERSION}-fpm
"""


def install(server: Server) -> None:
    """Install it and start it."""
    server.run(["sh", "-euc", BUILD], input=PROGRAM)
