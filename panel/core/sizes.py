"""Numbers of bytes as people read them. Not for parsing what people typed."""

from django.utils.formats import number_format

DECIMAL_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
BINARY_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def size(count: int, *, base: int = 1000) -> str:
    """Return a number of bytes as text: base 1000 as kB, MB, GB, base 1024 as KiB, MiB, GiB (IEC 80000-13)."""
    units = DECIMAL_UNITS if base == 1000 else BINARY_UNITS
    value, step = float(count), 0
    while abs(value) >= base and step < len(units) - 1:
        value /= base
        step += 1
    places = 0 if step == 0 or abs(value) >= 100 or value == int(value) else 1
    return f"{number_format(round(value, places), decimal_pos=places)}\N{NO-BREAK SPACE}{units[step]}"
