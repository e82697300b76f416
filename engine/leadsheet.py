"""Lead sheets: a composition bar by bar, with its sections, chords and theme, as text and as a picture.

Rows are plain data (`SheetBar`); `text` prints them, `draw` needs matplotlib.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.music import Chord, Composition, Key, TempoMap, TimeSignature, UserError
from engine.music.cueplan import CuePlan, SectionPlan
from engine.music.files import written_aside
from engine.music.spelling import spell, spell_pitch
from engine.music.tune import tune_of
from engine.staff import GAP, HEAD_ROOM, LINES, draw_lines, draw_meter, draw_rests, draw_tune, octaves_of, tied

BARS_A_LINE: Final = 4
ROWS_A_PAGE: Final = 7
MARGIN: Final = 0.9  # bars; where sections are named
ROW_INCHES: Final = 1.2
_STAFF: Final = 0.78  # from the top of a row down to the lowest line


@dataclass(frozen=True, slots=True)
class SheetBar:
    """A bar.  chords: (beat from its line, name); % where the last one goes on.  tune: (beat, pitch name, beats).

    section: what begins here, None elsewhere.  statement: kind of the theme's statement that begins here, or "".
    meter: the time signature where it is another one than before, or "".
    """

    number: int
    start_s: float
    chords: tuple[tuple[float, str], ...]
    tune: tuple[tuple[float, str, float], ...]
    section: SectionPlan | None
    statement: str
    meter: str = ""


def sheet_bars(composition: Composition) -> tuple[SheetBar, ...]:
    """Every bar that has a slot."""
    tempo_map = composition.tempo_map
    chords: dict[int, list[tuple[float, str]]] = {}
    start_s: dict[int, float] = {}
    sections: dict[int, SectionPlan] = {}
    statements: dict[int, str] = {}
    tune: dict[int, list[tuple[float, str, float]]] = {}
    for plan in composition.plans:
        for section in plan.sections:
            beats = composition.beats_at_picture(section.start_s)
            sections[tempo_map.bar_at(round(beats + 0.02, 6))] = section
        statements |= {each.bar: each.kind for each in plan.statements}
        for note in tune_of(plan, tempo_map, composition.picture_starts_at_s):
            bar = tempo_map.bar_at(round(note.start_beats, 6))
            at_s = composition.picture_at_beats(note.start_beats)
            name = spell_pitch(note.pitch, plan.section_at(at_s).key)
            tune.setdefault(bar, []).append(
                (note.start_beats - float(tempo_map.bar_start(bar)), name, note.length_beats)
            )

    def key_at(picture_s: float) -> Key:
        plan = next(
            (each for each in reversed(composition.plans) if each.sections[0].start_s <= picture_s + 1e-6), None
        )
        return composition.key if plan is None else plan.section_at(picture_s).key

    before = None
    for slot in composition.slots:
        beats = round(slot.start_beats, 6)
        bar = tempo_map.bar_at(beats)
        own = chords.setdefault(bar, [])
        start_s.setdefault(bar, slot.start_s)
        place = beats - float(tempo_map.bar_start(bar))
        opens = bar in sections and not own  # a section begins with its chord's name, whatever sounded before
        if slot.chord != before or opens:
            own.append((place, spell(slot.chord, key_at(slot.start_s), composition.typed)))
        elif not own:
            own.append((place, "%"))
        before = slot.chord
    numbers = sorted(chords)
    meters = [str(tempo_map.meter_at(tempo_map.bar_start(bar))) for bar in numbers]
    return tuple(
        SheetBar(
            bar, start_s[bar], tuple(chords[bar]), tuple(tune.get(bar, ())), sections.get(bar), statements.get(bar, ""),
            "" if index == 0 or meters[index] == meters[index - 1] else meters[index],
        )
        for index, bar in enumerate(numbers)
    )  # fmt: skip


def bars_from(
    chords: Sequence[tuple[Chord, float]],
    tune: Sequence[tuple[float, int, float]],
    tempo_map: TempoMap,
    key: Key | None = None,
) -> tuple[SheetBar, ...]:
    """Bars from chords (chord, beat) and a tune (beat, pitch, beats), for music that has no plan."""
    written = key or Key(0)
    last = max([beat for _, beat in chords] + [beat for beat, _, _ in tune], default=0.0)
    first = min([beat for _, beat in chords] + [beat for beat, _, _ in tune], default=0.0)
    found: list[SheetBar] = []
    for bar in range(tempo_map.bar_at(round(first, 6)), tempo_map.bar_at(round(last, 6)) + 1):
        line, next_line = float(tempo_map.bar_start(bar)), float(tempo_map.bar_start(bar + 1))
        own = [(beat - line, spell(chord, written)) for chord, beat in chords if line - 1e-3 <= beat < next_line - 1e-3]
        sung = [
            (beat - line, spell_pitch(pitch, written), round(length, 2))
            for beat, pitch, length in tune
            if line - 1e-3 <= beat < next_line - 1e-3
        ]
        if not own or own[0][0] > 1e-3:  # the chord before goes on
            own.insert(0, (0.0, "%"))
        meter = tempo_map.meter_at(line)
        changed = str(meter) if found and meter != tempo_map.meter_at(line - 1e-3) else ""
        found.append(SheetBar(bar, tempo_map.seconds_at(line), tuple(own), tuple(sung), None, "", changed))
    return tuple(found)


def headline(composition: Composition, plan: CuePlan | None) -> str:
    """What is said over the sheet."""
    tempo_map = composition.tempo_map
    start = 0.0 if plan is None else composition.beats_at_picture(plan.sections[0].start_s)
    words = [
        Path(composition.film.path).name or "film", f"take {composition.take.name}",
        f"{tempo_map.bpm_at(start + 0.01):g} bpm", str(tempo_map.meter_at(start + 0.01)),
    ]  # fmt: skip
    if plan is not None:
        words += [plan.reason, f"ends {plan.ending}"]
        if plan.theme is not None and plan.theme.shape:
            words.append(f"theme: {plan.theme.shape}, {plan.theme.rhythm}, {plan.theme.form}")
    return " · ".join(words)


def text(composition: Composition) -> str:
    """The sheet as text, a bar a line: number, time, chords, tune; a line for each section."""
    lines = [headline(composition, plan) for plan in composition.plans] or [headline(composition, None)]
    return "\n".join(lines) + "\n" + text_of_bars(sheet_bars(composition))


def text_of_bars(bars: Sequence[SheetBar]) -> str:
    """A bar a line."""
    lines: list[str] = []
    for bar in bars:
        if bar.section is not None:
            lines.append("")
            lines.append(f"[{section_line(bar.section)}]")
        minutes, seconds = divmod(bar.start_s, 60)
        chords = " ".join([*([bar.meter] if bar.meter else []), *(name for _, name in bar.chords)])
        tune = " ".join(f"{name}:{length:g}" for _, name, length in bar.tune)
        mark = f"({bar.statement}) " if bar.statement else ""
        lines.append(f"{bar.number:4d}  {int(minutes):02d}:{seconds:04.1f} | {chords:26} | {mark}{tune}".rstrip())
    return "\n".join(lines) + "\n"


def section_line(section: SectionPlan) -> str:
    layers = "+".join(section.layers) or "silence"
    return (
        f"{section.letter} {section.role}: {section.mood}, intensity {section.intensity}, {section.variant} in "
        f"{section.key.name}, {layers}; then {section.transition}"
    )


def draw(composition: Composition, path: str | os.PathLike[str]) -> None:
    """Writes the sheet as a PNG, an SVG or the pages of a PDF, by the file's ending.

    Four bars a line, chords over the tune on five lines, sections in the margin.
    Raises UserError where matplotlib is absent or the file cannot be written.
    """
    heads = [headline(composition, plan) for plan in composition.plans] or [headline(composition, None)]
    draw_bars(sheet_bars(composition), "\n".join(heads), composition.tempo_map, path)


def draw_bars(bars: Sequence[SheetBar], title: str, tempo_map: TempoMap, path: str | os.PathLike[str]) -> None:
    """As `draw`, from bars."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise UserError("drawing a lead sheet needs matplotlib: pip install 'cuebridge[plot]'.") from None
    rows: list[list[SheetBar]] = []
    for bar in bars:
        metered = not rows or meter_of(rows[-1][-1], tempo_map) != meter_of(bar, tempo_map)
        if metered or len(rows[-1]) == BARS_A_LINE or bar.section is not None:
            rows.append([])
        rows[-1].append(bar)
    has_sections = any(bar.section is not None for bar in bars)
    is_paged = Path(path).suffix.lower() == ".pdf"
    size = ROWS_A_PAGE if is_paged else max(len(rows), 1)
    pages = [rows[first : first + size] for first in range(0, len(rows), size)] or [[]]
    octaves = octaves_of(bar.tune for bar in bars)
    written = _Written(tempo_map, bars)
    figures = []
    for number, page in enumerate(pages, start=1):
        # Pages of one document are alike; a picture is as tall as what is on it.
        height = size if is_paged and len(pages) > 1 else len(page)
        figure = Figure(figsize=(11, 1.2 + ROW_INCHES * height), dpi=110)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0.02, 0.0, 0.96, 1.0))
        axes.set_xlim(0 if has_sections else MARGIN - HEAD_ROOM - 0.05, MARGIN + BARS_A_LINE + 0.1)
        axes.set_ylim(-height - 0.1, 0.75)
        axes.axis("off")
        axes.text(
            0 if has_sections else MARGIN - HEAD_ROOM,
            0.4,
            title if number == 1 else f"page {number}",
            fontsize=8,
            va="center",
        )
        for index, row in enumerate(page):
            _draw_row(axes, row, -index, octaves, written)
        figures.append(figure)
    try:
        with written_aside(path) as aside:
            if is_paged:
                from matplotlib.backends.backend_pdf import PdfPages

                with PdfPages(aside) as document:
                    for figure in figures:
                        document.savefig(figure)
            else:
                figures[0].savefig(aside)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be written: {error}.") from None


def meter_of(bar: SheetBar, tempo_map: TempoMap) -> TimeSignature:
    return tempo_map.meter_at(tempo_map.bar_start(bar.number))


class _Written:
    """What each bar of a sheet shows of the tune: with what is tied into it.  meters: where a time signature stands."""

    def __init__(self, tempo_map: TempoMap, bars: Sequence[SheetBar]) -> None:
        self.beats = {bar.number: float(meter_of(bar, tempo_map).bar_beats) for bar in bars}
        rows = tied([bar.tune for bar in bars], list(self.beats.values()))
        self.tunes = dict(zip(self.beats, rows, strict=True))
        self.has_tune = any(bar.tune for bar in bars)
        self.last = max(self.beats, default=0)
        self.meters: dict[int, TimeSignature] = {}
        before = None
        for bar in bars:
            meter = meter_of(bar, tempo_map)
            if meter != before:
                self.meters[bar.number] = meter
            before = meter


def _draw_row(axes: Any, row: list[SheetBar], y: float, octaves: int, written: _Written) -> None:
    first, bottom = row[0], y - _STAFF
    top = bottom + GAP * (LINES - 1)
    draw_lines(axes, MARGIN, MARGIN + len(row), bottom, octaves)
    meter = written.meters.get(first.number)
    if meter is not None:
        draw_meter(axes, MARGIN, bottom, meter.numerator, meter.denominator)
    if first.section is not None:
        label = f"{first.section.letter}  {first.section.role}\n{first.section.variant}, {first.section.key.short_name}"
        axes.text(0, (bottom + top) / 2, label, fontsize=7, va="center")
    for place, bar in enumerate(row):
        x, beats = MARGIN + place, written.beats[bar.number]
        if place:
            axes.plot([x, x], [bottom, top], color="black", lw=0.8)
        axes.text(
            x + 0.01,
            y - 0.08,
            f"{bar.number}" + (f"  {bar.statement}" if bar.statement else ""),
            fontsize=5.5,
            color="0.4",
        )
        for beat, name in bar.chords:
            axes.text(x + 0.03 + 0.95 * beat / beats, y - 0.25, name, fontsize=9, fontweight="bold")
        tune, ties = written.tunes[bar.number]
        draw_tune(axes, tune, x, beats, bottom, octaves, ties)
        if written.has_tune:
            draw_rests(axes, tune, x, beats, bottom)
    end = MARGIN + len(row)
    if row[-1].number == written.last:
        axes.plot([end - 0.025] * 2, [bottom, top], color="black", lw=0.8)
        axes.plot([end - 0.004] * 2, [bottom, top], color="black", lw=2.4)
    else:
        axes.plot([end] * 2, [bottom, top], color="black", lw=0.8)
