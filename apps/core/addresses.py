"""Which network addresses a user may make us call: public ones, and what the owner put on the allow-list (security.md 2)."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from django.utils.translation import gettext as _

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*texts: str) -> tuple[IPNetwork, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# Cloud metadata services hand out credentials; no allow-list opens them.
METADATA = _networks(
    "169.254.169.254/32", "169.254.170.2/32", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::254/128"
)
# What Python's `is_global` lets pass (by version), or what is never a server of somebody else.
SPECIAL = _networks(
    "0.0.0.0/8",
    "100.64.0.0/10",
    "192.0.0.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "240.0.0.0/4",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fec0::/10",
)
GLOBAL_UNICAST_6 = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
IPV4_COMPATIBLE = ipaddress.IPv6Network("::/96")


def unwrap(address: IPAddress) -> Iterator[IPAddress]:
    """The address and every IPv4 address that it carries (IPv4-mapped and -compatible, NAT64, 6to4, Teredo's server and client)."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address in NAT64 or address in IPV4_COMPATIBLE:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    elif address.sixtofour:
        yield address.sixtofour
    elif address.teredo:
        yield from address.teredo


def is_public(address: IPAddress) -> bool:
    """Whether the address, and each that it carries, is a unicast address of the public internet."""
    carried = list(unwrap(address))
    if len(carried) > 1:
        return all(is_public(inner) for inner in carried[1:])
    if isinstance(address, ipaddress.IPv6Address) and (address.scope_id or address not in GLOBAL_UNICAST_6):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved and not _within(address, (*SPECIAL, *METADATA))


def is_metadata(address: IPAddress) -> bool:
    return any(_within(inner, METADATA) for inner in unwrap(address))


def _within(address: IPAddress, networks: Iterable[IPNetwork]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


@dataclass(frozen=True)
class AllowRule:
    """One entry of the allow-list: a host name or a network, for one port or for any (`port` None)."""

    host: str
    network: IPNetwork | None
    port: int | None

    @classmethod
    def parse(cls, text: str, port: int | None = None) -> Self:
        """From `host`, `host:port`, `10.0.0.5`, `10.0.0.0/24`, `10.0.0.0/24:8080`, `[::1]:8080`; raises ValueError with what to do."""
        if "://" in text or "/" in text.partition("/")[2]:
            raise ValueError(
                _("Write the host or network alone, without http:// and without a path: crm.example, 10.0.0.5 or 10.0.0.0/24.")
            )
        target, own_port = _split_port(text.strip())
        network = _network(target)
        host = "" if network else target.rstrip(".").lower()
        if network is None and (text.lstrip().startswith("[") or not _is_hostname(host)):
            raise ValueError(_("“%(text)s” is neither a host name, an address nor a network such as 10.0.0.0/24.") % {"text": text})
        return cls(host=host, network=network, port=own_port or port)

    def covers(self, *, host: str, port: int, address: IPAddress) -> bool:
        if self.port is not None and self.port != port:
            return False
        if self.network is None:
            return self.host == host.rstrip(".").lower()
        return any(_within(inner, (self.network,)) for inner in unwrap(address))


def _split_port(text: str) -> tuple[str, int | None]:
    if text.startswith("["):
        target, _bracket, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") == 1:
        target, _colon, port = text.partition(":")
    else:
        return text, None
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):  # noqa: PLR2004
        raise ValueError(_("“%(port)s” is no port. Use a number from 1 to 65535.") % {"port": port})
    return target, int(port) if port else None


def _network(text: str) -> IPNetwork | None:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        if "/" in text:
            raise ValueError(_("“%(text)s” is no network: %(why)s.") % {"text": text, "why": error}) from error
        return None


def _is_hostname(text: str) -> bool:
    labels = text.split(".")
    return len(text) <= 253 and all(  # noqa: PLR2004
        label and len(label) <= 63 and label.replace("-", "").replace("_", "").isalnum() and not label.startswith("-")  # noqa: PLR2004
        for label in labels
    )


def allows(rules: Iterable[AllowRule], *, host: str, port: int, address: IPAddress) -> bool:
    """Whether `address`, reached by the name `host`, may be called on `port`. Metadata services: never."""
    if is_metadata(address):
        return False
    return is_public(address) or any(rule.covers(host=host, port=port, address=address) for rule in rules)
