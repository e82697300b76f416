"""Chord types as people write them after the root: `m7b5`, `(b9)`, `6/9`, `-Δ7`, `sus`, `alt`, `min7(add11)`.

A written type becomes the set of tones it asks for, and from the tones come the nearest of the thirteen qualities that
the networks know and one canonical spelling.  Terms and tones follow common lead-sheet practice (Brandt & Roemer 1976,
*Standardized Chord Symbol Notation*): a dominant eleventh has no third, a thirteenth no eleventh.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

MAX_LENGTH: Final = 40  # characters of a chord type; longer ones are not chord symbols

# What stands for the same thing is written in one way before anything is read.
_PLAIN: Final = str.maketrans(
    {"♭": "b", "♯": "#", "−": "-", "–": "-", "—": "-", "‑": "-", "‐": "-",
     "△": "Δ", "∆": "Δ", "Δ": "Δ", "▵": "Δ", "▲": "Δ", "º": "°", "˚": "°", "∘": "°", "∅": "ø",
     "Ø": "ø", "⌀": "ø", "⁺": "+", "⁻": "-", "ᵒ": "°",
     "(": " ", ")": " ", "[": " ", "]": " ", ",": " ", "♮": ""}
)  # fmt: skip
_BASES: Final = (
    ("hdim", "hdim"), ("halfdim", "hdim"), ("half-dim", "hdim"), ("ø", "hdim"), ("minor", "min"), ("Minor", "min"),
    ("min", "min"), ("Min", "min"), ("MIN", "min"), ("mi", "min"), ("Mi", "min"), ("MI", "min"), ("MINOR", "min"),
    ("moll", "min"), ("Moll", "min"), ("mineur", "min"), ("minore", "min"), ("menor", "min"), ("h", "hdim"),
    ("majeur", "maj"), ("maggiore", "maj"), ("mayor", "maj"), ("maior", "maj"), ("dur", "maj"), ("Dur", "maj"),
    ("mj", "maj"), ("Mj", "maj"), ("major", "maj"), ("Major", "maj"), ("maj", "maj"), ("Maj", "maj"), ("MAJ", "maj"),
    ("ma", "maj"), ("Ma", "maj"), ("MA", "maj"), ("Δ", "maj"), ("^", "maj"), ("j", "maj"), ("M", "maj"),
    ("halfdiminished", "hdim"), ("half-diminished", "hdim"), ("diminished", "dim"), ("dim", "dim"), ("Dim", "dim"),
    ("DIM", "dim"), ("°", "dim"), ("o", "dim"), ("augmented", "aug"), ("aug", "aug"), ("Aug", "aug"), ("AUG", "aug"),
    ("+", "aug"), ("dominant", ""), ("dom", ""), ("m", "min"), ("-", "min"),
)  # fmt: skip
_NUMBERS: Final = ("69", "13", "11", "9", "7", "6", "5", "4", "2")
_MAJOR_SEVENTH: Final = re.compile(r"(?:maj|Maj|MAJ|ma|Ma|M|Δ|\^|j)\s*(7|9|11|13)?")
_ALTERATION: Final = re.compile(r"(b\s*|#\s*|\+|-)(13|11|9|6|5)(?!\d)")  # `7+(9)`: the sign is the fifth's
_ADDED: Final = re.compile(r"[aA]dd\s*(b|#)?\s*(2|4|6|9|11|13)(?!\d)")
_OMITTED: Final = re.compile(r"(?:no|omit)\s*(3|5)(?:rd|th)?")
_ALTERED: Final = {
    ("b", "5"): 6, ("#", "5"): 8, ("b", "9"): 13, ("#", "9"): 15, ("#", "11"): 18, ("b", "13"): 20, ("b", "6"): 20,
}  # fmt: skip
_ADDITIONS: Final = {"2": 14, "9": 14, "4": 17, "11": 17, "6": 9, "13": 21}


@dataclass(frozen=True, slots=True)
class ChordType:
    """quality: the nearest of the thirteen.  intervals: semitones above the root, ascending.  spelling: canonical."""

    quality: str
    intervals: tuple[int, ...]
    spelling: str


class _Tones:
    """The tones of a chord type while it is read: degree of the scale -> semitones above the root."""

    def __init__(self, third: int | None = 4, fifth: int = 7) -> None:
        self.third = third
        self.fifth: int | None = fifth
        self.seventh: int | None = None
        self.others: set[int] = set()  # sus tones 2 and 5, sixth 9, extensions 13..21

    def intervals(self) -> tuple[int, ...]:
        own = {0, self.third, self.fifth, self.seventh} | self.others
        return tuple(sorted(tone for tone in own if tone is not None))


@lru_cache(maxsize=4096)
def read_chord_type(text: str) -> ChordType | None:
    """Reads what stands after a chord's root; None where it is not a chord type.

    `m`/`M` differ by case; brackets, commas and spaces inside are ignored.  Tones that contradict each other
    (`dim7sus2no5`) are no chord type: nothing could be written for them that reads as the same tones again.
    """
    found = _type_of(text)
    return found if found is not None and _type_of(found.spelling) == found else None


def _type_of(text: str) -> ChordType | None:
    if len(text) > MAX_LENGTH:
        return None
    # `C7/9`, `C7(b9/13)`: a slash between numbers parts additions, as in Brazil and France; so does the dot of `maj.7`.
    text = unicodedata.normalize("NFKC", text.translate(_PLAIN))  # superscripts
    text = re.sub(r"6\s*[/,]\s*9", "69", text).strip()
    text = re.sub(r"(?<=[\w+#])\s*/\s*(?=[b#+-]?(?:5|9|11|13|6)(?!\d))", " ", text)
    text = re.sub(r"^(maj|Maj|min|dim|aug|m|M)\.", r"\1", text)
    text = re.sub(r"^(7|9|11|13)M(?![a-z])", r"maj\1", text)  # `C7M`
    text = re.sub(r"^(m|-)(7|9|11|13)M(?![a-z])", r"\1Maj\2", text)
    text = re.sub(r"^(m|-)\s*[+#]7", r"\1Maj7", text)  # `Cm(#7)`: the seventh is raised
    text = re.sub(r"^(min|mi|m|-)\s*(Δ|\^|j)(?!\d)", r"\1Maj7", text)  # `C-Δ`: the triangle alone is the seventh
    text = re.sub(r"^(min|mi|m|-)\s*(9|11|13)\s*(?:maj|Maj|M)7$", r"\1Maj\2", text)  # `Cm9(maj7)`
    text = re.sub(r"^(min|mi|m|-)\s*7M", r"\1Maj7", text)
    text = re.sub(r"^0(?=7?$)", "°", text)  # a nought for the circle
    text = re.sub(r"^(7|9|11|13)(?:maj|Maj|MAJ)$", r"maj\1", text)  # `A7maj`, as in France
    text = re.sub(r"(?<=[\s\dmM])(5|9|11|13)([+-])(?=\s|$)", _sign_first, text) if " " in text else text  # `Bm7(5-)`
    text = re.sub(r"^5([+-])$", lambda found: {"+": "#5", "-": "b5"}[found[1]], text)  # `C5+`: the fifth is raised
    text = re.sub(r"^sus\s?(7|9|13)(?!\d)", r"\1sus4", text)  # `Csus9` is a ninth
    text = re.sub(r"(?<=\d)aug5?$", "#5", text)
    text = re.sub(r"(?<=[\dmj])(?:o|°)5", "b5", text)
    text = re.sub(r"flat\s?(?=\d)", "b", re.sub(r"sharp\s?(?=\d)", "#", text))
    text = re.sub(r"^7 4$", "7sus4", text)  # `C7(4)`
    text = re.sub(r"dim\s*5|°\s*5", "b5", text) if re.match(r"m|-|min", text) else text
    text = re.sub(r"(?<=[a-z])(SUS|Sus)|^(SUS|Sus)|(?<=\d)(SUS|Sus)", "sus", text)
    # The longest word that reads on wins: `madd9` is m + add9, `maj9` is maj + 9.  Before a 5 a sign alters the fifth.
    bases = [(word, base) for word, base in _BASES if text.startswith(word)]
    for word, base in [*bases, ("", "")]:
        if word in ("-", "+") and re.match(r"[-+]\s*5(?!\d)", text):
            continue
        rest = text[len(word) :].lstrip()
        if word in ("Δ", "^", "j") and not rest[:1].isdigit():
            rest = "7" + rest  # the triangle alone is a major seventh
        tones = _read(base, rest)
        if tones is not None:
            return ChordType(_quality(tones), tones.intervals(), _spelling(tones))
    return None


def _sign_first(found: re.Match[str]) -> str:
    """Brazil writes the sign of an alteration after its number."""
    return ("#" if found[2] == "+" else "b") + found[1]


def _read(base: str, rest: str) -> _Tones | None:
    tones = {"min": _Tones(3), "dim": _Tones(3, 6), "aug": _Tones(4, 8), "hdim": _Tones(3, 6)}.get(base, _Tones())
    if base == "hdim":
        tones.seventh = 10
    major_seventh = False
    if base in ("min", "dim", "aug"):
        match = _MAJOR_SEVENTH.match(rest)
        if match is not None and match[1] is not None:
            major_seventh, rest = True, match[1] + rest[match.end() :]
    number = next((each for each in _NUMBERS if rest.startswith(each)), "")
    rest = rest[len(number) :]
    if base == "hdim" and number in ("", "7"):
        number = ""
    seventh = 11 if base == "maj" or major_seventh else 9 if base == "dim" else 10
    if not _apply_number(tones, number, base, seventh) or not _apply_rest(tones, rest, number):
        return None
    return tones


def _apply_number(tones: _Tones, number: str, base: str, seventh: int) -> bool:
    if number == "5":
        tones.third = None
        return base == ""
    if number in ("2", "4"):
        tones.third, tones.others = None, {2 if number == "2" else 5}
        return base == ""
    if number in ("6", "69"):
        tones.others |= {9} if number == "6" else {9, 14}
        return base in ("", "maj", "min")
    if number:
        tones.seventh = seventh
        if number != "7":
            tones.others.add(14)
        if number == "11":
            tones.others.add(17)
            if base in ("", "aug") and seventh == 10:
                tones.third = None  # it would rub against the eleventh a ninth above it
        if number == "13":
            tones.others.add(21)
    return True


def _apply_rest(tones: _Tones, rest: str, number: str) -> bool:
    """Reads sus, add, no, alterations and a late major seventh; whether all of it is understood."""
    while rest := rest.strip():
        if rest.startswith("alt"):
            if number not in ("", "7") or tones.third != 4:
                return False
            tones.seventh, tones.fifth = 10, 8
            tones.others |= {13, 15}
            rest = rest[3:]
        elif match := re.match(r"sus\s*(2\s*/?\s*(?:sus)?\s*4|4\s*/?\s*(?:sus)?\s*2|2|4)?", rest):
            tones.third = None
            tones.others |= {2 if each == "2" else 5 for each in re.findall(r"[24]", match[1] or "4")}
            rest = rest[match.end() :]
        elif rest.startswith("add3") and tones.third is None and 5 in tones.others:  # a fourth beside the third
            tones.third, tones.others = 4, tones.others - {5} | {17}
            rest = rest[4:]
        elif match := _ADDED.match(rest):
            shift = {"b": -1, "#": 1}.get(match[1], 0)
            tones.others.add(_ADDITIONS[match[2]] + shift)
            rest = rest[match.end() :]
        elif rest.startswith("b7") and tones.seventh is None and tones.third is None:  # Harte's `sus4(b7)`
            tones.seventh, rest = 10, rest[2:].strip()
        elif match := re.match(r"(13|11|9|6)(?!\d)", rest):  # `C7(13)`
            tones.others.add(_ADDITIONS[match[1]])
            rest = rest[match.end() :]
        elif match := _OMITTED.match(rest):
            if match[1] == "3":
                tones.third = None
            else:
                tones.fifth = None
            rest = rest[match.end() :]
        elif match := _ALTERATION.match(rest):
            sign = {"+": "#", "-": "b"}.get(match[1], match[1].strip())
            tone = _ALTERED.get((sign, match[2]))
            if tone is None:
                return False
            _alter(tones, tone)
            rest = rest[match.end() :]
        elif rest == "+" or rest.startswith("+ "):
            tones.fifth = 8
            rest = rest[1:]
        elif (match := _MAJOR_SEVENTH.match(rest)) and tones.seventh is None:
            if match[1] is None or not _apply_number(tones, match[1], "maj", 11):
                return False
            rest = rest[match.end() :]
        else:
            return False
    if tones.others & {13, 15}:
        tones.others.discard(14)  # an altered ninth stands for the natural one
    return True


def _alter(tones: _Tones, tone: int) -> None:
    if tone in (6, 8):
        tones.fifth = tone
    else:
        if tone == 18:
            tones.others.discard(17)
        tones.others.add(tone)


def _quality(tones: _Tones) -> str:
    third, fifth, seventh, others = tones.third, tones.fifth, tones.seventh, tones.others
    if third is None:
        if 5 in others or 17 in others:
            return "sus4"
        if 2 in others:
            return "sus2"
        return "7" if seventh == 10 else "maj7" if seventh == 11 else "maj6" if 9 in others else "maj"
    if third == 4:
        if seventh is not None:
            return "maj7" if seventh == 11 else "7"
        return "aug" if fifth == 8 else "maj6" if 9 in others else "maj"
    if fifth == 6:
        return {9: "dim7", 10: "hdim7"}.get(seventh or 0, "dim")
    if seventh == 10:
        return "min7"
    return "min6" if seventh is None and 9 in others else "min"


def _spelling(tones: _Tones) -> str:
    """One spelling for one set of tones; `read_chord_type` reads it as the same tones."""
    others = set(tones.others)
    sus = "".join(f"sus{number}" for number, tone in (("2", 2), ("4", 5)) if tone in others)
    others -= {2, 5}
    if tones.third is None and not sus and tones.seventh is None and not others and tones.fifth == 7:
        return "5"
    # A dominant eleventh is the one type whose third is left out without a word.
    eleventh = tones.third is None and not sus and tones.seventh == 10 and {14, 17} <= others
    head, fifth_said = _head(tones)
    number = ""
    if tones.seventh is not None:
        others_said = set()
        number = "7"
        ninth = 14 in others or 13 in others or 15 in others
        if 21 in others and ninth and not (eleventh and 17 in others):
            number, others_said = "13", {21, 14}
        elif {14, 17} <= others and (eleventh or tones.third == 3 or tones.seventh == 11):
            number, others_said = "11", {14, 17}
        elif 14 in others:
            number, others_said = "9", {14}
        others -= others_said
    elif 9 in others:
        number = "6/9" if 14 in others else "6"
        others -= {9, 14} if 14 in others else {9}
    if number and head == "mmaj":
        head = "mMaj"
    words = [head + number, sus]
    if tones.third is None and not sus and not eleventh:
        words.append("no3")
    if tones.fifth is None:
        words.append("no5")
    elif not fifth_said and tones.fifth != 7:
        words.append("b5" if tones.fifth == 6 else "#5")
    if head + number + sus == "7" and (tones.third, tones.fifth, others) == (4, 8, {13, 15}):
        return "7alt"
    altered = {13: "b9", 15: "#9", 18: "#11", 20: "b13"}
    words += [altered[tone] for tone in sorted(others) if tone in altered]
    words += [f"add{name}" for tone, name in ((9, "6"), (14, "9"), (17, "11"), (21, "13")) if tone in others]
    words += [f"add{name}" for tone, name in ((16, "#9"), (8, "b6"), (10, "#6"), (22, "#13")) if tone in others]
    text = "".join(words)
    return f"({text})" if text[:1] in ("b", "#") else text  # `C(b5)`: else the sign would be the root's


def _head(tones: _Tones) -> tuple[str, bool]:
    """The letters before the number, and whether they say the fifth."""
    third, fifth, seventh = tones.third, tones.fifth, tones.seventh
    major = "maj" if seventh == 11 else ""
    if third == 3:
        if fifth == 6 and seventh in (None, 9):
            return "dim", True
        return "m" + major, False
    if third == 4 and fifth == 8 and seventh is None and 9 not in tones.others:
        return "aug", True
    return major, False
