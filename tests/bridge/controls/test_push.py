"""What subscribers are sent: every value once, then what changed, in datagrams that travel in one piece."""

from __future__ import annotations

from bridge.controls.dispatch import Controls
from bridge.osc.codec import Message, decode
from bridge.osc.server import Datagram

ASKER = ("127.0.0.1", 4000)
ETHERNET = 1500 - 20 - 8  # bytes of a frame less the headers of IP and UDP


def test_many_values_come_in_datagrams_that_no_network_has_to_split(stage) -> None:
    made = stage(12.0)
    sent: list[bytes] = []
    refused: list[tuple] = []
    controls = Controls(made.session, lambda *answer: None, lambda *refusal: refused.append(refusal))
    for pattern in ("/cue/*", "/cue/part/*/*"):
        message = Message("/cue/subscribe", (pattern,), "s")
        controls.datagram(Datagram((message,), ASKER, made.session.clock.now()))
    made.pause(0.2)
    controls.push(lambda target, datagram: sent.append(datagram))
    assert not refused
    bundled = [decode(datagram) for datagram in sent]
    values = [message.address for messages in bundled for message in messages]
    assert len(values) == len(set(values)) > 80
    for datagram, messages in zip(sent, bundled, strict=True):
        assert len(datagram) <= ETHERNET or len(messages) == 1
    # They are filled: half empty bundles would be as many packets as there are values.
    assert sum(map(len, sent[:-1])) > 0.7 * ETHERNET * (len(sent) - 1)
    sent.clear()
    made.pause(0.2)
    controls.push(lambda target, datagram: sent.append(datagram))
    assert not sent  # nothing has changed while nothing plays
