"""Subscribed clients and the leases of their subscriptions.

A client names a pattern of addresses and gets matching values at once and at every change, until its lease ends.  Any
message from it renews the lease.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from bridge.osc.codec import Argument
from bridge.osc.patterns import PatternError, matching
from engine.music.arguments import ControlError

LEASE_S: Final = 60.0
MAX_CLIENTS: Final = 32
MAX_PATTERNS: Final = 64
Target = tuple[str, int]


@dataclass(slots=True)
class Client:
    """target: where values are sent; owner: who subscribed; until_s: host time at which the lease ends.

    doubles: whether times are sent as `d`, or as `f`.  wanted: the subscribed addresses in order; last: the values sent
    last, by address.
    """

    target: Target
    owner: Target
    until_s: float
    doubles: bool = True
    wanted: tuple[str, ...] = ()
    last: dict[str, tuple[Argument, ...]] = field(default_factory=dict)
    _by_pattern: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def subscriptions(self) -> int:
        return len(self._by_pattern)

    def add(self, pattern: str, addresses: tuple[str, ...]) -> None:
        self._by_pattern[pattern] = addresses
        self._collect()
        for address in addresses:
            self.last.pop(address, None)  # sent at once

    def remove(self, pattern: str) -> bool:
        """Whether there was such a subscription."""
        found = self._by_pattern.pop(pattern, None) is not None
        self._collect()
        return found

    def has(self, pattern: str) -> bool:
        return pattern in self._by_pattern

    def _collect(self) -> None:
        self.wanted = tuple(sorted({address for each in self._by_pattern.values() for address in each}))


class Clients:
    """All subscriptions; host times in seconds.

    addresses: the ones that hold a value.  old: their old names, matched where none in use matches.
    """

    def __init__(self, addresses: Sequence[str], old: Sequence[str] = ()) -> None:
        self._addresses, self._old = tuple(addresses), tuple(old)
        self._clients: dict[Target, Client] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def __iter__(self) -> Iterator[Client]:
        return iter(tuple(self._clients.values()))

    def subscribe(
        self, target: Target, owner: Target, pattern: str, host_s: float, *, doubles: bool | None = None
    ) -> tuple[str, ...]:
        """The addresses that match.  doubles: None leaves a client's as it is.

        Raises ControlError where none matches, the pattern is too intricate or there are too many clients.
        """
        try:
            addresses = matching(pattern, self._addresses) or matching(pattern, self._old)
        except PatternError as error:
            raise ControlError("bad_value", str(error)) from None
        if not addresses:
            raise ControlError("bad_value", f"no value matches '{pattern[:60]}'.")
        client = self._clients.get(target)
        if client is None:
            if len(self._clients) >= MAX_CLIENTS:
                raise ControlError("busy", f"there are {MAX_CLIENTS} subscribed clients already.")
            client = self._clients[target] = Client(target, owner, host_s + LEASE_S)
        if client.subscriptions >= MAX_PATTERNS and not client.has(pattern):
            raise ControlError("busy", f"there are {MAX_PATTERNS} subscriptions of this client already.")
        client.until_s = host_s + LEASE_S
        if doubles is not None:
            client.doubles = doubles
        client.add(pattern, addresses)
        return addresses

    def unsubscribe(self, target: Target, pattern: str | None) -> int:
        """How many subscriptions ended."""
        client = self._clients.get(target)
        if client is None:
            return 0
        if pattern is None:
            del self._clients[target]
            return client.subscriptions
        ended = client.remove(pattern)
        if not client.subscriptions:
            del self._clients[target]
        return int(ended)

    def takes_doubles(self, sender: Target) -> bool:
        """Whether a sender, which may be a client or have subscribed one, reads `d`."""
        return all(client.doubles for client in self._clients.values() if sender in (client.owner, client.target))

    def others_of(self, owner: Target) -> tuple[Target, ...]:
        """The other ports that a sender has subscribed: where it listens."""
        return tuple(each.target for each in self._clients.values() if each.owner == owner and each.target != owner)

    def renew(self, owner: Target, host_s: float) -> None:
        """Any message from a client renews its subscriptions, for itself or for another port."""
        for client in self._clients.values():
            if owner in (client.owner, client.target):
                client.until_s = host_s + LEASE_S

    def expire(self, host_s: float) -> None:
        for target, client in tuple(self._clients.items()):
            if client.until_s < host_s:
                del self._clients[target]
