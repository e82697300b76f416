"""What a take that is chosen again brings with it, and what stays as the cue has it now."""

from __future__ import annotations

from bridge.session.edits.values import set_value


def test_a_take_brings_its_harmony_and_ending_but_not_where_its_cue_lies(stage) -> None:
    made = stage(40.0)
    session = made.session
    session.add_cue(4.0, 20.0, "1m1")
    session.add_cue(24.0, 36.0, "1m2")
    made.ready()

    def change(**values) -> None:
        for name, value in values.items():
            session.edit(set_value, f"/cue/{name}", value)
            made.ready()

    def held(*names: str) -> list:
        return [session.document.value(f"/cue/{name}") for name in names]

    change(key="D minor", progression="Dm Bb", ending="open", tail=0.5, tempo=96.0)
    session.keep_take("first")
    session.new_take()
    made.ready()
    change(key="E minor", progression="Em C", ending="cut", tail=4.0, tempo=120.0, out=34.0, name="1m2b")
    session.select_take(1)
    made.ready()
    assert held("key", "progression", "ending", "tail") == ["D minor", "Dm Bb", "open", 0.5]
    assert held("tempo", "out", "name") == [120.0, 34.0, "1m2b"]
