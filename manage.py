#!/usr/bin/env python
"""Command line entry of the panel: Django's management commands, `serve` and `worker` among them."""

import os
import sys


def main() -> None:
    """Run the management command named on the command line with the embedded settings unless others are chosen."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panel.settings.embedded")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
