"""Who wants to hear what: subscriptions with a lease.

A client names a pattern of addresses and gets matching values at once and at every change, until its lease ends.  Any
message from it renews the lease.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from bridge.osc.codec import Argument, expand, matches
from engine.music.arguments import ControlError
from engine.music.controls import BY_ADDRESS

LEASE_S: Final = 60.0
MAX_CLIENTS: Final = 32
MAX_PATTERNS: Final = 64
Target = tuple[str, int]


@dataclass(slots=True)
class Client:
    """target: where values go; owner: who asked.  addresses: what it subscribed, by pattern; last: what it was told."""

    target: Target
    owner: Target
    until_s: float
    addresses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    last: dict[str, tuple[Argument, ...]] = field(default_factory=dict)

    @property
    def wanted(self) -> set[str]:
        return {address for addresses in self.addresses.values() for address in addresses}


class Clients:
    """All subscriptions; host times in seconds."""

    def __init__(self) -> None:
        self._clients: dict[Target, Client] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def __iter__(self) -> Iterator[Client]:
        return iter(tuple(self._clients.values()))

    def subscribe(self, target: Target, owner: Target, pattern: str, host_s: float) -> tuple[str, ...]:
        """The addresses that match.  Raises ControlError when none does or there are too many clients."""
        addresses = tuple(
            address
            for address, control in BY_ADDRESS.items()
            if control.access != "do" and any(matches(each, address) for each in expand(pattern))
        )
        if not addresses:
            raise ControlError("bad_value", f"no value matches '{pattern[:60]}'.")
        client = self._clients.get(target)
        if client is None:
            if len(self._clients) >= MAX_CLIENTS:
                raise ControlError("busy", f"there are {MAX_CLIENTS} subscribed clients already.")
            client = self._clients[target] = Client(target, owner, host_s + LEASE_S)
        if len(client.addresses) >= MAX_PATTERNS and pattern not in client.addresses:
            raise ControlError("busy", f"there are {MAX_PATTERNS} subscriptions of this client already.")
        client.until_s = host_s + LEASE_S
        client.addresses[pattern] = addresses
        for address in addresses:
            client.last.pop(address, None)  # the value is sent at once
        return addresses

    def unsubscribe(self, target: Target, pattern: str | None) -> int:
        """How many subscriptions ended."""
        client = self._clients.get(target)
        if client is None:
            return 0
        if pattern is None:
            del self._clients[target]
            return len(client.addresses)
        ended = client.addresses.pop(pattern, None) is not None
        if not client.addresses:
            del self._clients[target]
        return int(ended)

    def renew(self, owner: Target, host_s: float) -> None:
        """Any message from a client renews what it subscribed, for itself or for another port."""
        for client in self._clients.values():
            if owner in (client.owner, client.target):
                client.until_s = host_s + LEASE_S

    def expire(self, host_s: float) -> None:
        for target, client in tuple(self._clients.items()):
            if client.until_s < host_s:
                del self._clients[target]
