"""A blind reading: bars of ours, of `--form none` or another version, and of people's, mixed, for readers to mark.

    python tests/bench/blind.py write --seed 1 --out FOLDER [--film FILM.mp4 …] [--bars 120] [--midi FOLDER]
    python tests/bench/blind.py tally FOLDER/key.json MARKS.txt [MARKS.txt …]

With --midi the files of a folder, which another version wrote, stand in for `--form none`.
`write` leaves `sheet.txt` for the readers and `key.json`, which they must not see.  A passage is eight bars from where
a phrase may begin.  All passages are written in one way, with the chords named by ear (from the notes alone) and the
players' names left out, so that nothing but the music says where one comes from.  People's music is taken from the
corpus of music21 (composers dead for more than seventy years) and moved by up to three semitones.
`tally` wants a line a bar: `PASSAGE.BAR keep|mend|throw reason`.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.arrange import arrange
from engine.brief import Brief, request_for
from engine.commands.score import chords_of
from engine.composer import Composer, first_action_s
from engine.midifile import MidiScore, read_midi
from engine.music import Key, Note, Take, TempoMap, TimeSignature
from engine.music.spelling import spell, spell_pitch
from engine.planning import settle_take
from engine.process.messages import ComposeOptions
from engine.video import AnalysisOptions, analyze

BARS = 8  # of a passage
HUMAN = (  # piece of the corpus, quarter notes a minute
    ("haydn/opus74no1/movement1", 120), ("haydn/opus74no1/movement2", 60), ("mozart/k156/movement1", 80),
    ("mozart/k80/movement1", 60), ("mozart/k155/movement2", 66), ("schumann_robert/opus41no1/movement3", 60),
    ("schubert/Lindenbaum", 66), ("schumann_clara/polonaise_op1n1", 96), ("joplin/maple_leaf_rag", 100),
    ("chopin/mazurka06-2", 120), ("handel/rinaldo/lascia_chio_pianga", 60), ("schumann_robert/opus48no2", 56),
    ("mozart/k155/movement1", 100), ("mozart/k458/movement3", 52), ("beethoven/opus18no3", 100),
)  # fmt: skip
MARKS = ("keep", "mend", "throw")
QUESTION = """You are handed short passages as drafts of film music (a composer's sketch: tune, inner voices, bass). For
EVERY bar, judge it as a professional musician would, in the context of its passage: would you
  keep   it as it stands,
  mend   it (the idea is usable, a detail is wrong), or
  throw  it away (it says nothing, is clumsy, wrong or mechanical)?
Judge harmony, voice leading, tune, rhythm, texture and whether the bar leads anywhere; a quiet or empty bar may be
right. Answer one line a bar: PASSAGE.BAR mark reason.
Notes are written BEAT:NAME(LENGTH), beats and lengths in quarter notes, the bar beginning at 1; + joins what is struck
together; a note may ring into later bars. Chords are named by ear and may be wrong: trust the notes."""


@dataclass(frozen=True, slots=True)
class Passage:
    source: str
    origin: str
    text: str


def text_of(score: MidiScore, key: Key, first_bar: int, bars: int) -> str:
    """Bars of a score whose parts are `tune`, `inner` and `bass`."""
    tempo_map = score.tempo_map
    start = float(tempo_map.bar_start(first_bar))
    chords = [(each.start_beats, spell(each.chord.plain, key)) for each in chords_of(score)]
    lines = [f"{tempo_map.meter_at(start)}, {tempo_map.bpm_at(start):.0f} quarter notes a minute"]
    for number in range(bars):
        line, until = (float(tempo_map.bar_start(first_bar + number + more)) for more in (0, 1))
        own = [f"{beat - line + 1:g}:{name}" for beat, name in chords if line - 1e-3 <= beat < until - 1e-3]
        lines.append(f"  bar {number + 1}   chords {' '.join(own) or '(as before)'}")
        for part in ("tune", "inner", "bass"):
            struck: dict[float, list[Note]] = defaultdict(list)
            held: list[Note] = []  # into the passage from before it
            for note in score.notes:
                if note.part == part and line - 1e-3 <= note.start_beats < until - 1e-3:
                    struck[round(note.start_beats - line + 1, 2)].append(note)
                elif not number and note.part == part and note.start_beats < line and note.end_beats > line + 0.2:
                    held.append(replace(note, start_beats=line, length_beats=note.end_beats - line))
            words = [f"(held) {_group(held, key)}"] if held else []
            words += [f"{beat:g}:{_group(struck[beat], key)}" for beat in sorted(struck)]
            lines.append(f"      {part:6} {' '.join(words) or '-'}")
    return "\n".join(lines)


def _group(notes: list[Note], key: Key) -> str:
    """What is struck together, lengths as they would be written: a note that is let go early fills its place."""
    longest = {note.pitch: note for note in sorted(notes, key=lambda note: note.length_beats)}
    names = "+".join(spell_pitch(pitch, key) for pitch in sorted(longest))
    length = max(note.length_beats for note in notes)
    return f"{names}({max(math.ceil(4 * length - 0.2) / 4, 0.25) if length > 0.2 else length:.3g})"


def begins(bars: int) -> list[int]:
    """Bars at which a passage may begin."""
    return [bar for bar in range(1, bars - BARS + 2, 4)] or [1]


def voiced(notes: list[Note]) -> tuple[Note, ...]:
    """Parts as readers see them: the upper note of the tune, the lowest of the bass, all else between."""
    found: list[Note] = []
    taken: dict[tuple[str, float], Note] = {}
    for note in notes:
        if note.part == "drums":
            continue
        part = {"melody": "tune", "tune": "tune", "bass": "bass"}.get(note.part, "inner")
        own = Note(note.pitch, 64, round(note.start_beats, 3), note.length_beats, 1, part)
        place = (part, own.start_beats)
        if part == "inner":
            found.append(own)
        elif place not in taken:
            taken[place] = own
        else:
            higher = (own.pitch > taken[place].pitch) == (part == "tune")
            other, taken[place] = (taken[place], own) if higher else (own, taken[place])
            found.append(Note(other.pitch, 64, other.start_beats, other.length_beats, 1, "inner"))
    return tuple(sorted([*found, *taken.values()], key=lambda note: (note.start_beats, note.pitch)))


def ours(films: list[Path], form: str, count: int, chance: random.Random, composer: Composer) -> Iterator[Passage]:
    order = films[:]
    chance.shuffle(order)
    for number in range(count):
        film, take = order[number % len(order)], 1 + chance.randrange(12)
        features = analyze(film, AnalysisOptions(reading="quick"))
        request, _ = request_for(features.film, features.cuts, Brief(options=ComposeOptions(form=form)))
        request = replace(request, take=Take(take))
        if form != "none":
            request, _ = settle_take(features, request, first_action_s(features), None)
        composition = composer.compose(features, request).composition
        notes = list(arrange(composition).notes)
        score = MidiScore(voiced(notes), (), composition.tempo_map)
        last = composition.tempo_map.bar_at(max(note.end_beats for note in score.notes) - 0.01)
        bar = chance.choice(begins(last))
        plan = composition.plans[0] if composition.plans else None
        at_s = composition.picture_at_beats(float(composition.tempo_map.bar_start(bar)) + 0.1)
        key = composition.key if plan is None else plan.section_at(max(at_s, 0.0)).key
        origin = f"{film.name} take {take} bar {bar}" + ("" if plan is None else f": {plan.reason}")
        yield Passage("ours" if form != "none" else "without a plan", origin, text_of(score, key, bar, BARS))


def of_files(folder: Path, count: int, chance: random.Random) -> Iterator[Passage]:
    """Passages of MIDI files that another version wrote."""
    for path in chance.sample(sorted(folder.glob("*.mid")), count):
        read = read_midi(path)
        notes = [replace(n, part="drums" if n.channel == 10 else n.part.split()[0].lower()) for n in read.notes]
        score = MidiScore(voiced(notes), (), read.tempo_map)
        last = read.tempo_map.bar_at(max(note.end_beats for note in score.notes) - 0.01)
        bar = chance.choice(begins(last))
        text = text_of(score, read.key or Key(0, "major"), bar, BARS)
        yield Passage("another version", f"{path.name} bar {bar}", text)


def human(count: int, chance: random.Random) -> Iterator[Passage]:
    from music21 import corpus

    for name, bpm in chance.sample(HUMAN, count):
        score = corpus.parse(name)
        measures = list(score.parts[0].getElementsByClass("Measure"))
        first = next(
            number
            for number, each in enumerate(measures)
            if each.duration.quarterLength >= measures[1].duration.quarterLength
        )
        signature = score.parts[0].recurse().getElementsByClass("TimeSignature").first()
        meter = TimeSignature.parse(signature.ratioString)
        bar_beats = float(meter.bar_beats)
        shift = chance.randint(-3, 3)
        starts = begins(len(measures) - first)
        bar = chance.choice(starts[: max(len(starts) * 2 // 3, 1)])
        begin = float(measures[first + bar - 1].offset)
        notes = []
        parts = list(score.parts)
        for number, part in enumerate(parts):
            role = "tune" if number == 0 else "bass" if number == len(parts) - 1 else "inner"
            for each in part.stripTies().flatten().notes:
                at = float(each.offset) - begin
                if not 0 <= at < BARS * bar_beats or not each.duration.quarterLength or not hasattr(each, "pitches"):
                    continue
                for pitch in each.pitches:
                    notes.append(Note(pitch.midi + shift, 64, at, float(each.duration.quarterLength), 1, role))
        found = score.analyze("key")
        key = Key((found.tonic.pitchClass + shift) % 12, found.mode)
        whole = MidiScore(voiced(notes), (), TempoMap.constant(bpm, meter))
        yield Passage("people", f"{name} bar {bar}, moved {shift:+d}", text_of(whole, key, 1, BARS))


def write(films: list[Path], bars: int, seed: int, folder: Path, midi: Path | None = None) -> None:
    chance = random.Random(seed)
    count = bars // BARS // 3
    composer = Composer()
    passages = [
        *ours(films, "auto", count, chance, composer),
        *(ours(films, "none", count, chance, composer) if midi is None else of_files(midi, count, chance)),
        *human(count, chance),
    ]
    chance.shuffle(passages)
    folder.mkdir(parents=True, exist_ok=True)
    sheet = [QUESTION]
    for number, passage in enumerate(passages, start=1):
        sheet.append(f"\nPassage {number}: {passage.text}")
    (folder / "sheet.txt").write_text("\n".join(sheet) + "\n")
    key = {str(n): {"source": each.source, "origin": each.origin} for n, each in enumerate(passages, start=1)}
    (folder / "key.json").write_text(json.dumps(key, indent=1))


def tally(key_file: Path, mark_files: list[Path]) -> str:
    key = json.loads(key_file.read_text())
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    thrown: dict[str, list[str]] = defaultdict(list)
    for reader, path in enumerate(mark_files, start=1):
        for line in path.read_text().splitlines():
            match = re.match(r"\s*(\d+)\.(\d+)\s+(keep|mend|throw)\b\W*(.*)", line, re.IGNORECASE)
            if match is None:
                continue
            passage, bar, mark, reason = match.groups()
            source = key[passage]["source"]
            counts[source][mark.lower()] += 1
            if mark.lower() != "keep":
                thrown[source].append(f"{mark} {passage}.{bar} (reader {reader}; {key[passage]['origin']}): {reason}")
    lines = ["| | keep | mend | throw | marks |", "|---|---|---|---|---|"]
    for source in sorted(counts):
        total = sum(counts[source].values())
        cells = " | ".join(f"{counts[source][mark] / total:.0%}" for mark in MARKS)
        lines.append(f"| {source} | {cells} | {total} |")
    for source in sorted(thrown):
        lines += ["", f"{source}:", *sorted(thrown[source], key=lambda line: line.partition("(")[0])]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    bundled = Path(__file__).resolve().parents[2] / "engine" / "media" / "big-buck-bunny-30s.mp4"
    writing = commands.add_parser("write")
    writing.add_argument("--film", action="append", type=Path, help="default: the bundled clip")
    writing.add_argument("--midi", type=Path, metavar="FOLDER", help="of another version, in place of --form none")
    writing.add_argument("--bars", type=int, default=120)
    writing.add_argument("--seed", type=int, default=1)
    writing.add_argument("--out", type=Path, required=True)
    counting = commands.add_parser("tally")
    counting.add_argument("key", type=Path)
    counting.add_argument("marks", type=Path, nargs="+")
    arguments = parser.parse_args()
    if arguments.command == "write":
        write(arguments.film or [bundled], arguments.bars, arguments.seed, arguments.out, arguments.midi)
    else:
        sys.stdout.write(tally(arguments.key, arguments.marks))


if __name__ == "__main__":
    main()
