"""Real Debian servers for tests and the demo: image, boot, network, clean-up. Standard library only."""

from tests.servers.server import Server, ServerError

__all__ = ["Server", "ServerError"]
