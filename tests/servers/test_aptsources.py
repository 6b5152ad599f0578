"""The machine's own mirrors are found in both formats of sources.list(5), and turned to another release."""

from pathlib import Path

import pytest

from tests.servers import aptsources

DEB822 = """\
# the archive
Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://elsewhere.example/apt
Suites: bookworm-pgdg stable
Components: main
"""
ONE_LINE = """\
deb [arch=amd64 signed-by=/usr/share/keyrings/some.gpg] http://mirror.example/debian bookworm main # archive
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian-security bookworm-security main non-free-firmware
# deb http://off.example/debian bookworm main
deb cdrom:[Debian]/ bookworm main
"""


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_deb822_sources_are_turned_to_the_wanted_release(etc: Path):
    (etc / "sources.list.d" / "debian.sources").write_text(DEB822)
    found = [(source.uri, source.suite) for source in aptsources.for_release("trixie", etc, host="bookworm")]
    assert found == [
        ("http://mirror.example/debian", "trixie"),
        ("http://mirror.example/debian-security", "trixie-security"),
        ("http://mirror.example/debian", "trixie-updates"),
    ]


def test_one_line_sources_are_turned_to_the_wanted_release(etc: Path):
    (etc / "sources.list").write_text(ONE_LINE)
    lines = [source.line() for source in aptsources.for_release("trixie", etc, host="bookworm")]
    assert lines == [
        f"deb [signed-by={aptsources.KEYRING}] http://mirror.example/debian trixie main",
        f"deb [signed-by={aptsources.KEYRING}] http://mirror.example/debian-security trixie-security main",
    ]


def test_a_machine_without_a_network_mirror_is_told_so(etc: Path):
    (etc / "sources.list").write_text("deb file:/srv/debian bookworm main\n")
    with pytest.raises(aptsources.NoMirror, match="add one there"):
        aptsources.for_release("trixie", etc, host="bookworm")
