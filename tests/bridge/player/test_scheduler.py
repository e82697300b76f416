"""The rules of the player one by one: late, chase, takeover, controllers, panic, nudge, tempo."""

from __future__ import annotations

from bridge.player.scheduler import PANIC, Due, Scheduler
from bridge.player.score import LET_GO, Lane, PlannedNote, Score
from bridge.player.tempo import TempoLine
from bridge.transport.state import Motion

PAD, ARP, BASS = 0, 1, 2


def scheduler(*notes: tuple[int, int, float, float], unit: str = "seconds") -> Scheduler:
    """notes: (lane, pitch, start, end)."""
    made = Scheduler(Score(("pad", "arp", "bass")), [0, 0, 0])
    made.score.unit = unit
    load(made, 1, 0.0, *notes, unit=unit)
    return made


def plan(made: Scheduler, *notes: tuple[int, int, float, float]) -> list[Lane]:
    lanes = made.score.blank()
    for lane, pitch, start, end in notes:
        lanes[lane].add(PlannedNote(start, end, pitch, 80, lane))
    return lanes


def load(
    made: Scheduler,
    revision: int,
    wanted: float,
    *notes: tuple[int, int, float, float],
    unit: str = "seconds",
    host_s: float = 0.0,
) -> float:
    return made.load(revision, unit, plan(made, *notes), wanted, host_s)


def roll(made: Scheduler, position_s: float = 0.0, host_s: float = 0.0, rate: float = 1.0) -> None:
    made.move(Motion(host_s, position_s, rate, True), jump=True)


def run(made: Scheduler, until_s: float) -> None:
    """In steps of 10 ms, as the process would."""
    for step in range(int(until_s * 100) + 1):
        made.advance(step / 100)
    made.advance(until_s)


def stop(made: Scheduler, host_s: float) -> None:
    made.move(Motion(host_s, made.motion.position_at(host_s), 0.0, False), jump=True)


def heard(made: Scheduler) -> list[tuple[float, str, int]]:
    found = [(round(d.host_s, 6), _kind(d), d.data1) for d in made.out]
    made.out.clear()
    return found


def _kind(due: Due) -> str:
    return {0x90: "on", 0x80: "off", 0xB0: "cc"}[due.status & 0xF0]


def test_notes_come_and_go_on_their_own_time() -> None:
    made = scheduler((ARP, 60, 1.0, 1.5), (ARP, 62, 1.5, 2.0))
    roll(made)
    made.advance(0.999)
    assert heard(made) == []
    run(made, 5.0)
    assert heard(made) == [(1.0, "on", 60), (1.5, "off", 60), (1.5, "on", 62), (2.0, "off", 62)]


def test_beats_follow_the_tempo_and_seconds_do_not() -> None:
    for unit, second in (("beats", 1.0), ("seconds", 2.0)):
        made = scheduler((ARP, 60, 2.0, 3.0), unit=unit)
        made.set_tempo(TempoLine.constant(120), 0.0)
        roll(made)
        assert made.next_due() == second


def test_a_tempo_change_moves_what_is_to_come_and_the_off_of_what_sounds() -> None:
    made = scheduler((ARP, 60, 0.0, 4.0), (ARP, 62, 4.0, 5.0), unit="beats")
    made.set_tempo(TempoLine.constant(120), 0.0)
    roll(made)
    run(made, 1.0)
    heard(made)
    made.set_tempo(TempoLine([(2.0, 1.0, 1.0)]), 1.0)  # 60 bpm from beat 2 = second 1 on
    run(made, 2.99)
    assert heard(made) == []
    made.advance(3.0)
    assert heard(made) == [(3.0, "off", 60), (3.0, "on", 62)]


def test_locate_into_a_pad_sounds_it_with_its_controllers_first_and_no_arpeggio() -> None:
    made = scheduler((PAD, 48, 0.0, 4.0), (ARP, 60, 0.9, 1.5), (BASS, 36, 0.0, 4.0))
    made.score.lanes[PAD].add_control(0.5, 0, 1, 64)
    made.score.lanes[PAD].add_control(3.0, 0, 1, 90)
    roll(made, 1.0)
    assert heard(made) == [(0.0, "cc", 1), (0.0, "on", 48)]


def test_a_note_on_the_located_position_is_played_also_when_rounding_put_it_just_before() -> None:
    made = scheduler((ARP, 60, 1.9999999, 2.5))
    roll(made, 2.0)
    made.advance(0.0)
    assert [kind for _, kind, _ in heard(made)] == ["on"]


def test_late_short_notes_are_dropped_and_pads_start_late() -> None:
    made = scheduler((ARP, 60, 1.0, 3.5), (PAD, 48, 1.0, 4.0), (BASS, 36, 1.0, 3.0), (BASS, 38, 1.0, 1.5))
    roll(made)
    made.advance(1.2)  # the process was held up for 0.2 s
    assert [(kind, pitch) for _, kind, pitch in heard(made)] == [("on", 48), ("on", 36)]
    assert (made.counts.dropped, made.counts.late) == (2, 2)


def test_note_offs_are_never_dropped() -> None:
    made = scheduler((ARP, 60, 1.0, 1.5))
    roll(made)
    made.advance(1.0)
    made.advance(9.0)
    assert [kind for _, kind, _ in heard(made)] == ["on", "off"]


def test_stop_ends_what_sounds_and_pedals() -> None:
    made = scheduler((PAD, 48, 0.0, 4.0))
    made.score.lanes[PAD].add_control(0.0, 0, 64, 127)
    roll(made)
    made.advance(1.0)
    heard(made)
    stop(made, 1.0)
    assert heard(made) == [(1.0, "off", 48), (1.0, "cc", 64)]
    assert made.ledger.empty


def test_takeover_does_not_strike_again_what_goes_on() -> None:
    made = scheduler((PAD, 48, 0.0, 4.0), (PAD, 52, 0.0, 4.0), (ARP, 60, 0.9, 1.4))
    roll(made)
    made.advance(0.95)
    heard(made)
    # From second 2 on: 48 goes on to 6, 52 gives way to 55; asked for far enough ahead.
    effective = load(made, 2, 2.0, (PAD, 48, 2.0, 6.0), (PAD, 55, 2.0, 6.0), host_s=0.95)
    assert effective == 2.0
    run(made, 6.0)
    assert heard(made) == [
        (1.4, "off", 60),
        (2.0, "off", 52),
        (2.0, "on", 55),
        (6.0, "off", 48),
        (6.0, "off", 55),
    ]


def test_an_arpeggio_is_struck_at_the_takeover() -> None:
    made = scheduler((ARP, 60, 1.9, 2.4))
    roll(made)
    made.advance(1.94)  # late, but within the limit
    heard(made)
    load(made, 2, 2.3, (ARP, 60, 2.3, 2.6), host_s=1.95)
    run(made, 3.0)
    assert heard(made) == [(2.3, "off", 60), (2.3, "on", 60), (2.6, "off", 60)]


def test_what_is_committed_stays_and_is_put_right_at_the_next_jump() -> None:
    made = scheduler((ARP, 60, 1.1, 1.2), (ARP, 61, 1.5, 1.6))
    roll(made)
    made.advance(1.0)
    assert load(made, 2, 0.5, (ARP, 70, 1.1, 1.2), (ARP, 71, 1.5, 1.6), host_s=1.0) == 1.25
    run(made, 2.0)
    assert [pitch for _, kind, pitch in heard(made) if kind == "on"] == [60, 71]
    roll(made, 0.0, 2.0)
    run(made, 4.0)
    assert [pitch for _, kind, pitch in heard(made) if kind == "on"] == [70, 71]


def test_controllers_go_out_on_change_only_and_volume_never() -> None:
    made = scheduler()
    lanes = made.score.blank()
    for index, value in enumerate((10, 10, 11, 11, 12)):
        lanes[PAD].add_control(index, 0, 1, value)
        lanes[PAD].add_control(index, 0, 7, value)
        lanes[PAD].add_control(index, 0, 10, value)
    made.load(1, "seconds", lanes, 0.0, 0.0)
    roll(made, -0.5)
    made.advance(10.0)
    assert [(due.data1, due.data2) for due in made.out] == [(1, 10), (1, 11), (1, 12)]


def test_panic_alone_sends_all_notes_off_sound_off_and_reset() -> None:
    made = scheduler((PAD, 48, 0.0, 9.0))
    roll(made)
    made.advance(1.0)
    heard(made)
    made.panic(1.0, ports=2)
    sent = heard(made)
    assert sent[0] == (1.0, "off", 48)
    assert [number for _, _, number in sent[1:4]] == list(PANIC)
    assert len(sent) == 1 + 2 * 16 * 3
    assert made.ledger.empty


def test_mute_ends_a_part_and_unmute_takes_its_pad_up() -> None:
    made = scheduler((PAD, 48, 0.0, 9.0), (BASS, 36, 0.0, 9.0))
    roll(made)
    made.advance(1.0)
    heard(made)
    made.mute("pad", True, 1.0)
    assert heard(made) == [(1.0, "off", 48)]
    made.mute("pad", False, 2.0)
    assert heard(made) == [(2.0, "on", 48)]


def test_nudge_moves_one_part_both_ways() -> None:
    made = scheduler((PAD, 48, 1.0, 2.0), (ARP, 60, 1.0, 2.0))
    made.nudges_s = {"arp": -0.1, "": 0.02}
    roll(made)
    run(made, 1.5)
    assert heard(made) == [(0.92, "on", 60), (1.02, "on", 48)]


def test_varispeed_and_silence_when_not_audible() -> None:
    made = scheduler((ARP, 60, 1.0, 2.0))
    roll(made, rate=2.0)
    assert made.next_due() == 0.5
    made.move(Motion(0.0, 5.0, -1.0, False), jump=True)
    assert made.next_due() is None
    made.advance(100.0)
    assert heard(made) == []


def test_the_same_key_on_two_parts_has_one_off_for_each_on() -> None:
    made = Scheduler(Score(("pad", "arp")), [0, 0])
    lanes = made.score.blank()
    lanes[0].add(PlannedNote(0.0, 4.0, 60, 80, 0))
    lanes[1].add(PlannedNote(1.0, 1.5, 60, 90, 0))
    made.load(1, "seconds", lanes, 0.0, 0.0)
    roll(made)
    run(made, 5.0)
    assert heard(made) == [(0.0, "on", 60), (1.0, "off", 60), (1.0, "on", 60), (1.5, "off", 60)]


def test_of_a_long_plan_that_is_replaced_only_so_much_is_let_go_at_once() -> None:
    made = Score(("pad",))
    first = made.blank()
    for number in range(5 * LET_GO // 2):
        first[0].add(PlannedNote(number, number + 0.5, 60, 80, 0))
    made.load(1, first, 0.0, 0.0)
    left = []
    for revision in range(2, 6):
        made.load(revision, made.blank(), 0.0, 0.0)
        left.append(len(made._replaced))
    assert left == [3 * LET_GO // 2, LET_GO // 2, 0, 0] and not made.lanes[0].notes
