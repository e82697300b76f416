"""Subscriptions: patterns, leases, bounds."""

from __future__ import annotations

import pytest

from bridge.osc.clients import LEASE_S, MAX_CLIENTS, MAX_PATTERNS, Clients
from engine.music import PARTS
from engine.music.arguments import ControlError

ME = ("127.0.0.1", 5000)


def test_a_pattern_subscribes_all_it_matches_and_ends_alone() -> None:
    clients = Clients()
    assert set(clients.subscribe(ME, ME, "/cue/part/*/on", 0.0)) == {f"/cue/part/{part}/on" for part in PARTS}
    clients.subscribe(ME, ME, "/cue/{status,playhead}", 0.0)
    (client,) = clients
    assert {"/cue/status", "/cue/playhead"} <= client.wanted
    assert clients.unsubscribe(ME, "/cue/part/*/on") == 1
    assert client.wanted == {"/cue/status", "/cue/playhead"}
    assert clients.unsubscribe(ME, None) == 1
    assert len(clients) == 0


def test_leases_end_unless_renewed_by_whoever_asked() -> None:
    clients = Clients()
    other = ("127.0.0.1", 6000)
    clients.subscribe(other, ME, "/cue/status", 0.0)
    clients.renew(ME, LEASE_S - 1)
    clients.expire(LEASE_S + 1)
    assert len(clients) == 1
    clients.expire(2 * LEASE_S)
    assert len(clients) == 0


def test_bounds_and_nonsense_are_refused() -> None:
    clients = Clients()
    with pytest.raises(ControlError):
        clients.subscribe(ME, ME, "/cue/play", 0.0)  # an action has no value
    with pytest.raises(ControlError):
        clients.subscribe(ME, ME, "/nothing", 0.0)
    for port in range(MAX_CLIENTS):
        clients.subscribe(("127.0.0.1", port + 1), ME, "/cue/status", 0.0)
    with pytest.raises(ControlError) as refusal:
        clients.subscribe(("127.0.0.1", 9999), ME, "/cue/status", 0.0)
    assert refusal.value.code == "busy"
    target = ("127.0.0.1", 1)
    for number in range(MAX_PATTERNS - 1):
        clients.subscribe(target, ME, "/cue/stat" + "*" * (number + 1), 0.0)
    with pytest.raises(ControlError):
        clients.subscribe(target, ME, "/cue/pl*", 0.0)
