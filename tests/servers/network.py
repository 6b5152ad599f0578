"""Gives each test server a network namespace with addresses of the documentation ranges (RFC 5737, RFC 3849).

A server reaches this machine and nothing else, unless it is given a way out (`nat`).
"""

import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

from tests.servers.commands import CommandError, call

_IPV4 = list(ipaddress.IPv4Network("198.51.100.0/24").subnets(new_prefix=30))
_IPV6 = ipaddress.IPv6Network("2001:db8:100::/48")
_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
_RULES = """
table inet hostwright {
  set out { type ipv4_addr; }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "hwsrv*" ip saddr != @out drop
    iifname "hwsrv*" meta nfproto ipv6 drop
  }
  chain outgoing {
    type nat hook postrouting priority srcnat; policy accept;
    oifname != "hwsrv*" ip saddr @out masquerade
  }
}
"""

LAST_INDEX = len(_IPV4) - 1


@dataclass(frozen=True)
class Network:
    """The addresses and names that belong to one index (0 to 63)."""

    index: int

    @property
    def namespace(self) -> str:
        """Name of the network namespace, see ip-netns(8)."""
        return f"hwsrv{self.index}"

    @property
    def interface(self) -> str:
        """The host's end of the virtual cable; the server's is eth0."""
        return f"hwsrv{self.index}"

    @property
    def gateway(self) -> str:
        """The host's address towards the server."""
        return str(_IPV4[self.index][1])

    @property
    def address(self) -> str:
        """The server's IPv4 address."""
        return str(_IPV4[self.index][2])

    @property
    def gateway6(self) -> str:
        """The host's IPv6 address towards the server."""
        return str(_IPV6[(self.index << 64) + 1])

    @property
    def address6(self) -> str:
        """The server's IPv6 address."""
        return str(_IPV6[(self.index << 64) + 2])

    @property
    def namespace_path(self) -> Path:
        """Where the namespace is held open."""
        return Path("/run/netns") / self.namespace

    def build(self) -> None:
        """Make namespace, cable and addresses; the server cannot reach beyond this host yet."""
        call("ip", "netns", "add", self.namespace)
        call("ip", "link", "add", self.interface, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        inside = ("-n", self.namespace)
        for where, device, address, address6 in (
            ((), self.interface, self.gateway, self.gateway6),
            (inside, "eth0", self.address, self.address6),
        ):
            call("ip", *where, "address", "add", f"{address}/30", "dev", device)
            call("ip", *where, "address", "add", f"{address6}/64", "dev", device, "nodad")
            call("ip", *where, "link", "set", device, "up")
        call("ip", *inside, "link", "set", "lo", "up")

    def remove(self) -> None:
        """Take all of it away; what is not there is not missed."""
        call("ip", "link", "delete", self.interface, check=False)
        call("ip", "netns", "delete", self.namespace, check=False)

    def open_nat(self, state_directory: Path) -> None:
        """Let the server reach the world under this machine's own address."""
        call("nft", "--file", "-", stdin=_RULES)
        call("nft", "add", "element", "inet", "hostwright", "out", f"{{ {self.address} }}")
        call("ip", "-n", self.namespace, "route", "replace", "default", "via", self.gateway)
        remembered = state_directory / "ip_forward"
        if not remembered.exists():
            remembered.write_text(_FORWARD.read_text())
        _FORWARD.write_text("1")

    def close_nat(self) -> None:
        """Take the way out from the server again."""
        call("nft", "delete", "element", "inet", "hostwright", "out", f"{{ {self.address} }}", check=False)


def remove_shared(state_directory: Path) -> None:
    """Take away what servers share, once none of them has a way out: packet filter table and forwarding."""
    call("nft", "delete", "table", "inet", "hostwright", check=False)
    remembered = state_directory / "ip_forward"
    if remembered.exists():
        _FORWARD.write_text(remembered.read_text())
        remembered.unlink()


def free_index(taken: set[int], preferred: int | None) -> int:
    """An index that no server and no interface of this machine uses; the preferred one if that is free.

    Raises `CommandError` when all 64 are in use.
    """
    interfaces = json.loads(call("ip", "-json", "-4", "address", "show"))
    used = [ipaddress.IPv4Address(entry["local"]) for item in interfaces for entry in item.get("addr_info", [])]
    candidates = range(len(_IPV4)) if preferred is None else [preferred, *range(len(_IPV4))]
    for index in candidates:
        network = Network(index)
        busy = network.namespace_path.exists() or any(address in _IPV4[index] for address in used)
        if index not in taken and not busy:
            return index
    raise CommandError("all 64 test server addresses are in use; see script/server list")


def resolvers() -> str:
    """The name servers of this machine as resolv.conf(5), those behind a local stub if it has one."""
    behind_stub = Path("/run/systemd/resolve/resolv.conf")
    return (behind_stub if behind_stub.exists() else Path("/etc/resolv.conf")).read_text()
