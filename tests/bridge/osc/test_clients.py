"""Subscriptions: patterns, leases, bounds."""

from __future__ import annotations

import pytest

from bridge.controls.requests import OLD_READABLE, READABLE
from bridge.osc.clients import LEASE_S, MAX_CLIENTS, MAX_PATTERNS, Clients
from engine.music import PARTS
from engine.music.arguments import ControlError

ME = ("127.0.0.1", 5000)


def test_a_pattern_subscribes_all_it_matches_and_ends_alone() -> None:
    clients = Clients(READABLE, OLD_READABLE)
    assert set(clients.subscribe(ME, ME, "/cue/part/*/on", 0.0)) == {f"/cue/part/{part}/on" for part in PARTS}
    clients.subscribe(ME, ME, "/cue/{status,playhead}", 0.0)
    (client,) = clients
    assert {"/cue/status", "/cue/playhead"} <= set(client.wanted)
    assert clients.unsubscribe(ME, "/cue/part/*/on") == 1
    assert client.wanted == ("/cue/playhead", "/cue/status")
    assert clients.unsubscribe(ME, None) == 1
    assert len(clients) == 0


def test_leases_end_unless_renewed_by_whoever_asked() -> None:
    clients = Clients(READABLE, OLD_READABLE)
    other = ("127.0.0.1", 6000)
    clients.subscribe(other, ME, "/cue/status", 0.0)
    clients.renew(ME, LEASE_S - 1)
    clients.expire(LEASE_S + 1)
    assert len(clients) == 1
    clients.expire(2 * LEASE_S)
    assert len(clients) == 0


def test_bounds_and_nonsense_are_refused() -> None:
    clients = Clients(READABLE, OLD_READABLE)
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


def test_a_client_says_how_it_reads_times_and_where_it_listens() -> None:
    clients = Clients(READABLE, OLD_READABLE)
    there = ("127.0.0.1", 6000)
    clients.subscribe(there, ME, "/cue/status", 0.0)
    assert clients.takes_doubles(ME) and clients.others_of(ME) == (there,)
    clients.subscribe(there, ME, "/cue/status", 0.0, doubles=False)
    assert not clients.takes_doubles(ME) and not clients.takes_doubles(there)
    clients.subscribe(there, ME, "/cue/playhead", 0.0)  # says nothing of it: stays
    assert not clients.takes_doubles(ME)
    assert clients.takes_doubles(("127.0.0.1", 7000)) and clients.others_of(there) == ()


def test_old_names_are_sent_as_they_were_asked_for_and_patterns_give_the_names_in_use() -> None:
    clients = Clients(READABLE, OLD_READABLE)
    assert clients.subscribe(ME, ME, "/cue/frozen", 0.0) == ("/cue/frozen",)
    found = clients.subscribe(ME, ME, "/cue/*", 0.0)
    assert "/cue/printed" in found and "/cue/frozen" not in found


def test_a_pattern_that_is_too_intricate_is_refused() -> None:
    clients = Clients(READABLE, OLD_READABLE)
    with pytest.raises(ControlError) as refused:
        clients.subscribe(ME, ME, "{a,*}" * 6 + "*?" * 2000, 0.0)
    assert refused.value.code == "bad_value"
    assert not len(clients)
