"""The command line of the node program: serve, recover, hold-mail, measure, renew-certificates, self-test,
release.
"""

from __future__ import annotations

import argparse
import json
import sys

from .paths import Paths


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hostwright_node", description="The Hostwright node program.")
    parser.add_argument("--root", default="", help="treat this directory as the root of the server (for tests)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="answer the panel on stdin and stdout")
    recover = commands.add_parser("recover", help="undo or finish what a power cut interrupted")
    recover.add_argument("--boot", action="store_true", help="before the daemons start: do what needs none of them")
    commands.add_parser("hold-mail", help="keep the mail database open for its readers, until SIGTERM")
    measure = commands.add_parser(
        "measure", help="measure what accounts use; the verb `usage` starts it, which holds its lock"
    )
    measure.add_argument("--slice", action="append", help="only this one; may be given several times")
    commands.add_parser("renew-certificates", help="make self-signed certificates anew before they expire")
    commands.add_parser("self-test", help="load everything, read the node's memory, and say hello")
    commands.add_parser("release", help="let another panel take this server")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code."""
    options = _parser().parse_args(arguments)
    paths = Paths(options.root)
    if options.command == "hold-mail":
        from .mail import hold

        hold(paths)
        return 0
    try:
        from .makers.certificates import renew
        from .measuring import measure_politely
        from .node import Node
        from .recover import recover, recover_at_boot
        from .serve import recover_at_start, serve
        from .upgrade import self_test
    except ModuleNotFoundError as error:
        sys.stderr.write(f"{error}; the node program needs the Debian package python3, not only python3-minimal\n")
        return 3
    if options.command == "serve":
        serve(paths)
        return 0
    if options.command == "measure":
        measure_politely(paths, None if options.slice is None else frozenset(options.slice))
        return 0
    if options.command == "self-test":
        sys.stdout.write(json.dumps(self_test(paths)) + "\n")
        return 0
    node = Node(paths)
    if options.command == "recover":
        recover_at_start(node, recover_at_boot if options.boot else recover)
    elif options.command == "renew-certificates":
        renew(node)
    else:
        node.state.forget_server()
    node.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
