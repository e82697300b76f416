"""Progressions from text: what composers type, and lead sheets as people paste them.

With bar lines (`|`, `||`, `|:`, `:|`, `x3`, line ends) chords of a bar share it; `/` holds the chord for one more beat,
`%` repeats the bar before, an empty bar holds the last chord, `C:3 G:1` weighs two chords of a bar.  Without bar lines
each chord has a bar or the bars after its colon; dashes, arrows and commas only separate.  Roman numerals and Nashville
numbers are read in the key.  Chords may be written in German (`H7`, `Fis`) or in syllables (`Sol7`, `La m`).  First and
second endings are played as such.  Section names, `Key of G:`, `Capo 2`, `D.C.` and a time signature at the beginning
are passed over, and what else stands around pasted chords (engine.music.pasted).  Where two readings are possible the
progression says in `readings` which was taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from engine.music.chord import Chord, is_silence
from engine.music.errors import MusicError, shown
from engine.music.key import A_MINOR, C_MAJOR, Key
from engine.music.note_names import in_letters, language_of
from engine.music.numerals import is_number, is_over, is_roman, is_sixth, means_minor, parse_numeral
from engine.music.pasted import has_letters, plain, single_blanks
from engine.music.progression import MAX_CHORDS, Progression, ProgressionItem

MAX_TEXT: Final = 20_000
MAX_WORD: Final = 120  # characters of a chord with all that is written around it
MAX_DEPTH: Final = 16  # of brackets
_BEATS_OF_SLASHES: Final = 4  # a bar's, where slashes stand without bar lines

_LABEL: Final = (
    r"(?:pre-?\s?)?(?:intro|verse|chorus|bridge|outro|refrain|coda|solo|interlude|tag|ending|hook|vamp|strophe|couplet)"
    r"(?:\s*\d{1,2})?"
)
_TOKEN: Final = re.compile(
    rf"(?P<label>[\[(]\s*{_LABEL}\s*[\])]:?|\b{_LABEL}\s*:|\*[A-Za-z](?=\s)|\bT(?:44|34|24|54|64|74|22|32|68|12)(?=\s))"
    r"|(?P<aside>^[ \t]{0,8}(?:key(?:[ ]?of)?|capo|tempo|time)\b[ ]?:?[ ]?[A-Ga-g]?[b#♭♯]?[\w/.]{0,9}"
    r"(?:[ ]?(?:bpm|major|minor|maj|min))?:?[ \t]{0,8}$"
    r"|\bkey[ ]of[ ][A-G][b#♭♯]?m?(?:[ ]?(?:major|minor))?[ ]?:|\b\d{2,3}[ ]?bpm\b|^[ \t]{0,8}\d{1,2}/\d{1,2}[ ]?:"
    r"|\(?\b(?:D\.[ ]?[CS]\.?|da capo|dal segno|al fine|al coda|to coda|fine|repeat|segno)(?![A-Za-z])\.?\)?)"
    r"|(?P<volta>\[?\s*(?<![\w.,])[1-4](?:,[1-4]){0,3}\.(?=\s))"
    r"|(?P<section>\[[A-D]\](?=[ \t]*\|)|(?<![^\s])[A-D]:(?=[ \t]*\|))"
    r"|(?P<bar>(?:\[\|)|[:：]?[ \t]?(?:\|{1,3}|‖|｜)(?:\]|:(?!\d))?)"
    r"|(?P<line>[\r\n]+)"
    r"|(?P<times>\(?\s*(?:[x×]\s?\d{1,2}|\d{1,2}\s?[x×])(?![A-Za-z0-9])\s*\)?)"
    r"|(?P<same>%|𝄎|\./\.|(?<=[\s|])x(?=\s*[|}\]])|(?<=[\s|])x(?=\s*:\|))"
    r"|(?P<beats>/+(?=[\s|,;/]|$)|(?<![^\s|])[.~_](?![^\s|]))"
    r"|(?P<parting>[,;•·›»]|(?:-+>?|=?>|–|—|→)(?=[\s|]|$))"
    r"|(?P<open>[(\[])|(?P<close>[)\]])"
    r"|(?P<word>[^\s|,;()\[\]‖｜•·›»]+(?:,\d[^\s|,;()\[\]]*)?(?:[(\[][^()\[\]|]*[)\]][^\s|,;()\[\]]*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_LENGTH: Final = re.compile(r"\d{1,4}(?:[.,]\d{1,4})?|\d{1,4}/\d{1,4}")
_NUMBER: Final = re.compile(r"[-+]?(?:\d+(?:[.,]\d*)?(?:e\d+)?|inf|nan)", re.IGNORECASE)  # meant as bars, surely
_METER: Final = re.compile(r"(?:\d{1,2}/(?:1|2|4|8|16))")
# A chord type that stands apart from its root.  A bare number or sign would be a Nashville number or a dash.
_APART: Final = re.compile(
    r"[øØ°]7?|[△Δ∆]\d{0,2}|m|M|min|maj|minor|major|mineur|majeur|minore|maggiore|menor|mayor|maior|moll|dur|dominant|dim|aug|(?:maj|min|m|M|dim|sus|add|aug)\.?(?:2|4|6|7|9|11|13)",
    re.I,
)
_BARE: Final = re.compile(
    r"(?:[A-Ha-h](?:bb|##|b|#|♭|♯|is|es|s)?|d[oó]|ut|r[ée]|mi|f[aá]|sol|l[aá]|si|[ivIV]+)(?:b|#|♭|♯)?", re.I
)
_SEVENTH_PLUS: Final = re.compile(r"(?<=[A-Ga-z#b♭♯])7\+(?=$|/)")
_LONE_NUMBER: Final = re.compile(r"([A-G][b#♭♯]?)\(?([24])\)?")
_SYLLABLE_ALONE: Final = re.compile(r"(?:d[oó]|ut|r[ée]|mi|f[aá]|sol|l[aá]|si)[b#♭♯]?m?", re.I)
_NUMBER_APART: Final = re.compile(r"(?:6/9|69|6|7|9|11|13)(?:[b#♭♯]\d{1,2})*")
_ALTERED_APART: Final = re.compile(r"(?:[b#♭♯](?:5|9|11|13))+")
_BARE_ROOT: Final = re.compile(r"[A-Ga-g](?:bb|##|b|#|♭|♯)?")
_DECISIVE: Final = re.compile(r"m(?!aj)|-|dim|[°ºoøØ+]|aug|maj|sus|M")


class _Token(NamedTuple):
    kind: str
    text: str


@dataclass(slots=True)
class _Entry:
    """A chord in a bar and its weight there."""

    chord: Chord
    typed: str
    weight: Fraction = Fraction(1)


Bar = list[_Entry]


def parse_progression(text: str, mode: str = "start", key: Key | None = None) -> Progression:
    """Reads a progression in any of the notations.  key: that of numerals.

    Raises MusicError naming the offending token.
    """
    tokens, asides = _signs(text)
    reader = _Reader(list(tokens), key)
    barred = any(token.kind == "bar" for token in tokens)
    items = reader.with_bars() if barred else reader.without_bars()
    if not items:
        raise MusicError(f"'{shown(' '.join(text.split()), 60)}' holds no chord; write for example 'C Am F G'.")
    if len(items) > MAX_CHORDS:
        raise MusicError(f"the progression has more than {MAX_CHORDS} chords.")
    passed = [f"'{', '.join(asides)[:60]}' is passed over: it is not a chord."] if asides else []
    return Progression(tuple(items), mode, (*reader.readings, *passed))


def read_ahead(text: str) -> Iterator[None]:
    """Does beforehand, in pieces, what of reading a long text knows of no key: `parse_progression` finds it done.

    Raises MusicError for what is no progression whatever its words mean.
    """
    _made_plain(text)
    yield
    _signs(text)
    yield


@lru_cache(maxsize=8)
def _made_plain(text: str) -> tuple[str, tuple[str, ...]]:
    """A text without what stands around chords, and what of it is passed over.  Raises MusicError."""
    if len(text) > MAX_TEXT:
        raise MusicError(f"the progression has more than {MAX_TEXT} characters.")
    text, passed_over = plain(single_blanks(text))
    return text, tuple(passed_over)


@lru_cache(maxsize=8)
def _signs(text: str) -> tuple[tuple[_Token, ...], tuple[str, ...]]:
    """The signs of a text, and what of it is passed over.  Raises MusicError."""
    text, passed_over = _made_plain(text)
    for sign, bars in (("{", "|: "), ("}", " :|"), ("𝄆", "|: "), ("𝄇", " :|")):  # as iReal and Unicode write repeats
        text = text.replace(sign, bars)
    text = re.sub(r"(?<=[\w)])\.{2,7}(?=[\s|]|$)", lambda dots: " ." * len(dots[0]), text)  # `C...` holds the chord
    tokens = [_Token(match.lastgroup or "", match[0].strip()) for match in _TOKEN.finditer(text)]
    _check_sizes(tokens)
    asides = (*passed_over, *(token.text for token in tokens if token.kind in ("aside", "section")))
    words = sum(token.kind == "word" for token in tokens)
    # A chord may be two words (`C maj7`), and each may have a bar to itself.
    if words > 2 * MAX_CHORDS or words + sum(token.kind == "bar" for token in tokens) > 3 * MAX_CHORDS:
        raise MusicError(f"the progression has more than {MAX_CHORDS} chords.")
    return tuple(_without_dashes(tokens, has_letters(text))), asides


def _check_sizes(tokens: list[_Token]) -> None:
    """Raises MusicError for what nobody writes, before it takes long to read."""
    depth = 0
    for token in tokens:
        if token.kind == "word" and len(token.text) > MAX_WORD:
            raise MusicError(f"'{token.text[:40]}…' is too long for a chord.")
        depth += (token.kind == "open") - (token.kind == "close")
        if depth > MAX_DEPTH:
            raise MusicError(f"there are more than {MAX_DEPTH} brackets inside each other.")


def _without_dashes(tokens: list[_Token], letters: bool) -> list[_Token]:
    """Tokens with `C-Am-F` taken apart and separators, labels and a leading time signature left out."""
    found: list[_Token] = []
    # `| C - - G |`: where one dash follows another each holds the chord for a beat; else they only part.
    dashes = [token.kind == "parting" and token.text in ("-", "–", "—") for token in tokens]
    holds = any(token.kind == "bar" for token in tokens) and any(first and then for first, then in pairwise(dashes))
    named = False  # a section's name was left out just now
    for token in tokens:
        if named and token.kind == "bar" and token.text.strip("|‖｜") == "" and found and found[-1].kind == "bar":
            named = False  # `| B: |` is no empty bar
            continue
        named = token.kind in ("label", "section")
        if token.kind == "word" and found and found[-1].kind == "word" and _APART.fullmatch(token.text):
            joined = found[-1].text + token.text
            if _BARE.fullmatch(found[-1].text):  # `C maj7`, `La m`, `f# Moll`
                found[-1] = _Token("word", joined)
                continue
        syllable = token.kind == "word" and found and _SYLLABLE_ALONE.fullmatch(found[-1].text)
        if (letters or syllable) and token.kind == "word" and found and found[-1].kind == "word":
            before = found[-1].text
            if (_NUMBER_APART.fullmatch(token.text) and re.search(r"[^\d]$", before)) or (
                _ALTERED_APART.fullmatch(token.text) and re.search(r"\d\)?$", before)
            ):  # `C minor 7`, `G7 b9`
                found[-1] = _Token("word", before + token.text)
                continue
        if token.kind == "aside":
            found.append(token)
            continue
        if token.kind in ("label", "section") or (token.kind == "parting" and not holds):
            continue
        if token.kind == "parting":
            if token.text.strip("-–—") == "":
                found.append(_Token("beats", "/"))
            continue
        if token.kind == "word":
            if not any(each.kind == "word" for each in found) and _METER.fullmatch(token.text):
                continue
            for part in _parts(token.text):
                found.append(_Token("word", part))
        else:
            found.append(token)
    return found


@lru_cache(maxsize=1024)
def _parts(word: str) -> tuple[str, ...]:
    if re.fullmatch(r"[b#]?[1-7](?:[-–—][b#]?[1-7]){2,}", word):  # `1-4-5`: nobody writes `1-` before a degree
        return tuple(re.split("[-–—]", word))
    if re.fullmatch(r"[b#]?[ivIV]+\.", word):
        return (word[:-1],)
    if not re.search(r"[-–—→>]\s*[A-Ga-gIViv]", word):
        return (word,)
    try:
        Chord.parse(word, lower_case="major")
        return (word,)
    except MusicError:
        parts = re.split(r"[-–—→>]+(?=[A-GIV]|[a-g](?:[b#]|m(?!aj)|$)|[iv]+)", word)
        return tuple(part for part in parts if part)


@dataclass(slots=True)
class _Reader:
    tokens: list[_Token]
    key: Key | None
    readings: list[str] = field(default_factory=list)
    lower_case: str = "minor"
    system: str = "letters"
    language: str = ""
    last: _Entry | None = None
    known: dict[str, tuple[Chord, str, Fraction | None]] = field(default_factory=dict)  # words that were read
    said: set[str] = field(default_factory=set)  # of which kinds of word it has been said how they are read

    def __post_init__(self) -> None:
        words = [token.text for token in self.tokens if token.kind == "word"]
        heads = [word.partition(":")[0] for word in words]
        heads = [head for head in heads if not is_silence(head)]
        letters = any(re.match(r"[A-G]", head) and not is_sixth(head) for head in heads)
        roman = any(is_roman(head) for head in heads) and not letters
        if roman or (heads and all(is_number(head) for head in heads)):
            self.system = "numerals"
            self._choose_key(words)
        else:
            self._choose_language(words)
            self._choose_case([in_letters(word, self.language) for word in words])

    def _choose_language(self, words: list[str]) -> None:
        self.language = language_of(words)
        if self.language == "german":
            if any(re.match(r"[Bb][b♭]", word) for word in words):
                self.language = ""  # `Bb` beside `Es`: not German throughout, and B is B
                return
            single = next((word for word in words if re.match(r"[Bb](?![b♭#♯]|es|is)", word)), None)
            german_h = next((word for word in words if re.match(r"[Hh](?!es)", word)), None)
            if german_h is not None and single is None:
                self.readings.append(f"'{german_h}' is read as German: H is B here.")
            if single is not None:
                self.readings.append(f"'{single}' is read as German, B flat, since other chords are written in German.")

    def _choose_key(self, words: list[str]) -> None:
        if self.key is None:
            self.key = A_MINOR if means_minor(words) else C_MAJOR
            self.readings.append(f"The degrees are read in {self.key.name}, since no key is set.")
        sixths = [word for word in words if re.fullmatch(r"[b#]?[ivIV]+6", word)]
        over = next((word for word in words if is_over(word)), None)
        if over is not None:
            head, _, under = over.partition("/")
            self.readings.append(f"{over} is read as {head} over the degree {under}; write V/x for a dominant.")
        if sixths:
            self.readings.append(f"{sixths[0]} is read as an added sixth; write {sixths[0][:-1]}/3 for the inversion.")

    def _choose_case(self, words: list[str]) -> None:
        small = [word for word in words if re.match(r"[a-g]", word) and not word.lower().startswith("nc")]
        open_ones = []
        for word in small:
            match = re.match(r"[a-g](?:bb|##|b|#|♭|♯)?:?", word)
            assert match is not None
            if not _DECISIVE.match(word[match.end() :]):
                open_ones.append(word)
        if not open_ones:
            return
        explicit = any(re.match(r"[a-g](?:b|#|♭|♯)?(?:m(?!aj)|-)", word) for word in small)
        capitals = any(re.match(r"[A-G]", word) for word in words)
        self.lower_case = "minor" if capitals and not explicit else "major"
        name = open_ones[0].partition(":")[0]
        other = "major" if self.lower_case == "minor" else "minor"
        chord, meant = (Chord.parse(name, lower_case=case) for case in (self.lower_case, other))
        self.readings.append(f"'{name}' is read as {chord}; write {meant} if you mean that.")

    def chord(self, word: str) -> Chord:
        if self.system == "numerals" and not is_silence(word):
            assert self.key is not None
            return parse_numeral(word, self.key)
        if self.language == "syllables" and _SEVENTH_PLUS.search(word):
            chord = Chord.parse(in_letters(_SEVENTH_PLUS.sub("maj7", word), self.language))
            self._say_once("+", f"'{word}' is read as a major seventh, as in Italy; write 7#5 for the raised fifth.")
            return chord
        chord = Chord.parse(in_letters(word, self.language), lower_case=self.lower_case)
        if _SEVENTH_PLUS.search(word):
            self._say_once("+", f"'{word}' is read with a raised fifth; write maj7 for the major seventh.")
        elif lone := _LONE_NUMBER.fullmatch(word):
            self._say_once("2", f"'{word}' is read as {lone[1]}sus{lone[2]}; write {lone[1]}:{lone[2]} for a length.")
        return chord

    def _say_once(self, what: str, sentence: str) -> None:
        if what not in self.said:
            self.said.add(what)
            self.readings.append(sentence)

    def item(self, word: str) -> tuple[Chord, str, Fraction | None]:
        """The chord of a word, as it was written, and the number after its colon."""
        if word not in self.known:
            self.known[word] = self._read(word)
        return self.known[word]

    def _read(self, word: str) -> tuple[Chord, str, Fraction | None]:
        head, colon, tail = word.rpartition(":")
        # `A:7` is Harte's dominant seventh and `A:6` its sixth, but `Cm:7` can only be seven bars: a colon length is a
        # length unless what stands before it is a bare root and what stands after it a chord type.
        if colon and _LENGTH.fullmatch(tail) and not (_BARE_ROOT.fullmatch(head) and tail in ("6", "7")):
            try:
                bars = Fraction(tail.replace(",", "."))
            except ZeroDivisionError:
                raise MusicError(f"'{word}': a chord cannot last {tail} bars.") from None
            if not 0 < bars <= 999:
                raise MusicError(f"'{word}': a chord lasts more than 0 and at most 999 bars.")
            return self.chord(head), head, bars
        try:
            return self.chord(word), word, None
        except MusicError:
            if not colon or _NUMBER.fullmatch(tail) is None:
                raise
            raise MusicError(f"'{word}': '{tail}' is not a number of bars; a chord lasts at most 999.") from None

    # without bar lines --------------------------------------------------------------------------------------------
    def without_bars(self) -> list[ProgressionItem]:
        kinds = [token.kind for token in self.tokens if token.kind in ("word", "beats")]
        if len(kinds) > 2 and kinds == ["word", "beats"] * (len(kinds) // 2) + ["word"]:
            self.readings.append("Slashes between all chords are read as separators.")
            self.tokens = [token for token in self.tokens if token.kind != "beats"]
        beats = any(token.kind == "beats" for token in self.tokens)
        if beats:
            self.readings.append("Slashes are read as beats, four to a bar.")
        items: list[ProgressionItem] = []
        group = line = last_line = 0  # where what `x2` repeats began, and the line before
        closed = False
        unit = Fraction(1, _BEATS_OF_SLASHES) if beats else Fraction(1)
        for holds, run in groupby(self.tokens, lambda token: token.kind in ("same", "beats")):
            tokens = list(run)
            if holds:
                if not items:
                    raise MusicError(f"'{tokens[0].text}': there is no chord before it to repeat.")
                held = sum(_BEATS_OF_SLASHES if token.kind == "same" else len(token.text) for token in tokens)
                last = items.pop()
                items.append(ProgressionItem(last.chord, last.bars + Fraction(held, _BEATS_OF_SLASHES), last.typed))
                continue
            for token in tokens:
                if token.kind == "word":
                    if closed:
                        group, closed = line, False
                    chord, typed, bars = self.item(token.text)
                    items.append(ProgressionItem(chord, unit if bars is None else bars, typed))
                elif token.kind == "times":
                    if group == len(items):  # alone on its line: that of the line before
                        group = last_line
                    items += items[group:] * (_times(token, items[group:]) - 1)
                    group, line, closed = len(items), len(items), False
                elif token.kind == "open":
                    group, closed = len(items), False
                elif token.kind == "close":
                    closed = True
                elif token.kind == "line":
                    last_line = line if line < len(items) else last_line
                    group = line = len(items)
                _check_length(items)
        return items

    # with bar lines -----------------------------------------------------------------------------------------------
    def with_bars(self) -> list[ProgressionItem]:
        bars = self._bars()
        items: list[ProgressionItem] = []
        for bar in bars:
            if bar:
                whole = sum((entry.weight for entry in bar), Fraction(0))
                items += [ProgressionItem(entry.chord, entry.weight / whole, entry.typed) for entry in bar]
            elif items:
                last = items.pop()
                items.append(ProgressionItem(last.chord, last.bars + 1, last.typed))
            else:
                raise MusicError("'| |': the first bar of a progression is empty.")
        return items

    # size: a state machine: every kind of token reads and moves the same seven variables.
    def _bars(self) -> list[Bar]:
        """The bars in the order in which they sound, repeats written out."""
        bars: list[Bar] = []
        bar: Bar = []
        repeat, line, opened = 0, 0, False
        ending: int | None = None  # where the first ending of what is repeated begins
        passes = 1  # through the first ending
        after_line = True  # nothing has come since a bar line: the next plain one closes an empty bar
        begun = False  # a bar line has been seen
        merged = True  # the next bar line belongs to the one before it
        for position, token in enumerate(self.tokens):
            if token.kind == "line":
                near = [
                    self.tokens[place].kind for place in (position - 1, position + 1) if 0 <= place < len(self.tokens)
                ]
                if "bar" in near or not bar:
                    merged = merged or after_line
                else:
                    bars.append(bar)
                    bar, after_line, merged = [], True, True
                line = len(bars)
            elif token.kind == "bar":
                opens, closes = token.text.endswith(":"), token.text.startswith((":", "："))
                if bar:
                    bars.append(bar)
                elif begun and after_line and not merged and not opens:
                    bars.append([])  # `| |`: an empty bar
                bar, begun, after_line = [], True, True
                merged = closes or opens
                if closes:
                    following = self.tokens[position + 1] if position + 1 < len(self.tokens) else None
                    count = 1 + passes
                    if following is not None and following.kind == "times":
                        count = _times(following, bars[repeat:])
                    if ending is None:
                        bars += bars[repeat:] * (count - 1)
                    else:
                        bars += bars[repeat:] * (count - 2) + bars[repeat:ending]
                    ending, passes = None, 1
                    repeat, opened = len(bars), False
                if opens:
                    repeat, opened = len(bars), True
            elif token.kind == "volta":
                if bar:
                    bars.append(bar)
                    bar = []
                if token.text.lstrip("[ ").startswith("1"):
                    ending, passes = len(bars), token.text.count(",") + 1
                after_line, merged = True, True
            elif token.kind == "times":
                before = self.tokens[position - 1] if position else None
                if before is None or not (before.kind == "bar" and before.text.startswith((":", "："))):
                    if bar:
                        bars.append(bar)
                        bar = []
                    bars += bars[line:] * (_times(token, bars[line:]) - 1)
                line = repeat = len(bars)
                after_line, merged = True, True
            elif token.kind == "aside":
                merged = merged or not bar  # `| to Coda |` is no empty bar
            else:
                self._into(bar, bars, token)
                if token.kind not in ("open", "close"):
                    after_line = merged = False
            if len(bars) > MAX_CHORDS or len(bar) > MAX_CHORDS:
                raise MusicError(f"the progression has more than {MAX_CHORDS} chords.")
        if bar:
            bars.append(bar)
        if opened:
            self.readings.append("'|:' is not closed by ':|'; its bars are played once.")
        return bars

    def _into(self, bar: Bar, bars: list[Bar], token: _Token) -> None:
        """Puts one token into the bar that is being read."""
        if token.kind == "word":
            chord, typed, weight = self.item(token.text)
            self.last = _Entry(chord, typed)
            bar.append(_Entry(chord, typed, Fraction(1) if weight is None else weight))
        elif token.kind == "same":
            if bar:
                bar.append(_Entry(bar[-1].chord, bar[-1].typed))
            elif bars and bars[-1]:
                bar += [_Entry(entry.chord, entry.typed, entry.weight) for entry in bars[-1]]
            elif self.last is not None:
                bar.append(self.last)
            else:
                raise MusicError(f"'{token.text}': there is no chord before it to repeat.")
        elif token.kind == "beats":
            if bar:
                bar[-1].weight += len(token.text)
            elif self.last is not None:
                bar.append(_Entry(self.last.chord, self.last.typed, Fraction(len(token.text))))
            else:
                raise MusicError(f"'{token.text}': there is no chord before it to hold.")


def _times(token: _Token, repeated: list) -> int:
    count = int(re.sub(r"\D", "", token.text))
    if not repeated or not count >= 1:
        raise MusicError(f"'{token.text}': there is nothing before it to repeat.")
    if count * len(repeated) > MAX_CHORDS:
        raise MusicError(f"the progression has more than {MAX_CHORDS} chords.")
    return count


def _check_length(items: list[ProgressionItem]) -> None:
    if len(items) > MAX_CHORDS:
        raise MusicError(f"the progression has more than {MAX_CHORDS} chords.")
