"""Ways to reach a node program: open, call, close. Knows no meaning of what it carries."""

from provisioning.transport.base import NodeError, OnEvent
from provisioning.transport.pool import call, close_all, forget, hello
from provisioning.transport.ssh import host_key

__all__ = ["NodeError", "OnEvent", "call", "close_all", "forget", "hello", "host_key"]
