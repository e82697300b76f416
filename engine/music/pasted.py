"""What stands around the chords where a progression was pasted from elsewhere, made plain before it is read.

Lines that hold no chord (titles, tempo, the names of sections, words that are sung) are passed over; iReal Pro's signs,
typographic signs and words for repeats and accidentals are written as the reader of lead sheets knows them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from engine.music.chord import Chord
from engine.music.errors import MusicError

_LABEL: Final = (
    r"(?:(?:pre-?\s?|post-?\s?)?(?:intro|verse|vers|chorus|bridge|outro|refrain|coda|solo|interlude|tag|ending|hook|vamp|"
    r"strophe|couplet|instrumental|breakdown|break|turnaround|head|zwischenspiel|pont|puente|estribillo|estrofa|"
    r"ritornello|strofa|refrão|middle\s?8)|(?:part|teil|section)\s[A-H]|[A-H]-teil)(?:\s*\d{1,2})?"
)
_MOST_WORDS: Final = 400  # beyond that no text is looked through for words that are sung

_FULL_WIDTH: Final = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_ROMAN: Final = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2160, 0x2180)}
_SIGNS: Final[dict[int, str]] = {
    **_FULL_WIDTH,
    **_ROMAN,
    # Nothing is seen of these, and pages and word processors put them between words: joiners, marks of direction.
    **dict.fromkeys(
        (
            0xAD,
            0x200B,
            0x200C,
            0x200D,
            0x200E,
            0x200F,
            *range(0x202A, 0x202F),
            0x2060,
            *range(0x2066, 0x206A),
            0xFE0E,
            0xFE0F,
            0xFEFF,
        ),
        "",
    ),
    **str.maketrans(dict.fromkeys("⇒⟶➔➜➝⟹⮕▶►", "→")),
    **str.maketrans(dict.fromkeys("↑↓⇑⇓", " ")),  # how a guitar is struck
    **str.maketrans({"⊕": " ", "𝄌": " ", "𝄋": " ", "″": '"', "〃": '"', "…": "...", "―": "-", "⁽": "(", "⁾": ")"}),
}
_STROKES: Final = re.compile(r"(?<=[\w#♭♯)°ø+])(/{2,8})(?=[\s|:\]]|$)")  # of a guitar
_ARROW: Final = re.compile(r"[=-]>")
_QUOTES: Final = "\"'“”„«»‘’`"
_QUOTED: Final = re.compile(rf"[{_QUOTES}](?=[A-Ha-h\d])|(?<=[\w)#♭♯°ø+])[{_QUOTES}]")
_DITTO: Final = re.compile(r"(?<=[|\s])(?:\"|'')(?=[\s|])")

_DROPPED_LINES: Final = re.compile(
    r"^[ ]?(?:"
    r"[|:+= -]{0,80}-{3}[|:+= -]{0,400}"  # the rule of a table
    r"|\#[ ][^\n]*"
    r"|[A-Ga-g][b#]?[ ]?[|:](?=[^\n]*--)[-\dhpbrsxt/\\~().|*=<> ]{3,400}"  # guitar tablature
    r"|\{[ ]?(?:[a-z_]{1,20}[ ]?:[^{}|\n]{0,200}|soc|eoc|sov|eov|start_of_\w{1,20}|end_of_\w{1,20})\}"
    r"|(?:title|subtitle|artist|composer|album|tuning|capo|key|tonart|tonalité|tonalidad|tempo|bpm|takt|time|"
    r"time[ ]signature|meter|metre|feel|style|groove|genre|titel|titre|komponist)[ ]?[:=][^|\n]{0,200}"
    r"|[♩♪𝅗][ ]?=[ ]?\d{2,3}[^|\n]{0,40}|bpm[ ]\d{2,3}|capo[ ]\d{1,2}[^|\n]{0,20}"
    rf"|{_LABEL}[ ]?:?|[\[(][ ]?{_LABEL}[^\])|:\n]{{0,30}}[\])][ ]?:?"
    r"|\[[A-H]['′]?\]"
    r")[ ]?$",
    re.IGNORECASE | re.MULTILINE,
)
_NAMES_A_SECTION: Final = re.compile(rf"\s?[\[(]?\s?(?:{_LABEL}|[A-H])\s?[\])]?\s?[-–—:)]?\s?", re.IGNORECASE)
_LABEL_AHEAD: Final = re.compile(rf"^[ ]?[\[(]?{_LABEL}[\])]?[ ]?[-–—:]?[ ](?=[^\s:])", re.IGNORECASE | re.MULTILINE)
_LETTER_AHEAD: Final = re.compile(r"^[ ]?[A-H](?::(?=[ \n])|\)(?=[ ]))", re.MULTILINE)
_NUMBERED_SECTION: Final = re.compile(r"(?<![^\s|])\[[A-D][1-4]\](?=[ |\n])")  # beside `[A1]`, which is no chord
_TEMPO: Final = re.compile(r"[♩♪𝅗𝅘𝅥] ?= ?\d{2,3}\b")
_HEADING: Final = re.compile(
    r"^[ ]?(?:chords|progression|changes|akkorde|accords|acordes|accordi)[ ]?:[ ]", re.I | re.M
)
_LETTER_LINES: Final = re.compile(r"^[ ]?([A-D])[ ](?=\|)", re.MULTILINE)
_REST_OF_LINE: Final = re.compile(r"(?<=[ ])#[ ][^\n]*$", re.MULTILINE)
_PLAYED: Final = ("fade", "hold", "let ring", "fermata", "rit", "rall", "accel", "a tempo", "rubato")
_PLAYING: Final = re.compile(
    r"\(?(?<![\w#])(?:fade(?: out)?|hold|let ring|fermata|rit|rall|accel|ritardando|a tempo|rubato)(?![\w#])\.?\)?",
    re.I,
)

# Words of which a text has to hold one, in small letters, to be looked through; what is looked for; what it becomes.
_Rule = tuple[tuple[str, ...], re.Pattern[str], str]

# Repeats in words; `(C F)2`, `2x(C F)`.
_TIMES: Final[tuple[_Rule, ...]] = (
    (
        ("times", "mal", "fois", "veces", "volte"),
        re.compile(r"\(?\b(?:play )?(\d{1,2}) ?(?:times|mal|fois|veces|volte)\b\)?", re.I),
        r" x\1 ",
    ),
    (("twice", "bis", "zweimal"), re.compile(r"\(?(?<![\w#])(?:twice|bis|zweimal)\b\)?", re.I), " x2 "),
    (("*",), re.compile(r"(?<= )\* ?(\d{1,2})(?=[\s|]|$)"), r" x\1 "),
    (
        (")", "]"),
        re.compile(r"(\([^()]{0,400} [^()]{0,400}\)|\[[^\[\]]{0,400} [^\[\]]{0,400}\])(\d{1,2})(?=[\s|]|$)"),
        r"\1 x\2 ",
    ),
    (("x", "×"), re.compile(r"^ ?(\d{1,2}) ?[x×] ?(\([^()]{0,400}\)|\[[^\[\]]{0,400}\])", re.M), r"\2 x\1 "),
)
_ENDING: Final = re.compile(
    r"(?<=\|) ?\[?N?([1-4](?:\.?[ ]?[,-][ ]?[1-4]|\.[1-4])*)(?:st|nd|rd|th|ère|ème|e|\.|\)|:)?\]?"
    r"(?: ?(?:time|ending|fois|mal)\b)?:?(?= )",
    re.I,
)
_WORDS: Final[tuple[_Rule, ...]] = (
    (("dur", "moll"), re.compile(r"(?<=\w)-(dur|moll)\b", re.I), r"\1"),
    (("-maj", "-min"), re.compile(r"(?<=\b[A-G])-(?=(?:major|minor)\b)", re.I), ""),
    (("flat",), re.compile(r"\b([A-G]) ?-?(?:flat)\b", re.I), r"\1b"),
    (("sharp",), re.compile(r"\b([A-G]) ?-?(?:sharp)\b", re.I), r"\1#"),
    (("mol",), re.compile(r"\b(do|ut|r[ée]|mi|fa|sol|la|si) ?-?(?:bémol|bemolle|bemol)\b", re.I), r"\1b"),
    (
        ("dièse", "diese", "diesis", "tenido"),
        re.compile(r"\b(do|ut|r[ée]|mi|fa|sol|la|si) ?-?(?:dièse|diese|diesis|sostenido|sustenido)\b", re.I),
        r"\1#",
    ),
    (("flat",), re.compile(r"(?<=\d) ?flat ?(?=\d)", re.I), "b"),
    (("sharp",), re.compile(r"(?<=\d) ?sharp ?(?=\d)", re.I), "#"),
    (("no chord",), re.compile(r"\bno chord\b", re.I), "N.C."),
    (("sim",), re.compile(r"(?<![\w#])sim(?:ile|\.)(?!\w)", re.I), "%"),
    ((" of ",), re.compile(r" of (?=[b#]?[ivIV\d])"), "/"),
    (
        ("and", "then", "to", "und", "dann", "et", "puis", "&"),
        re.compile(r"(?<=[\s,])(?:and|then|to|und|dann|et|puis|&)(?= [A-Ga-g](?!oda|ine|nd))"),
        ",",
    ),
    (
        (" (",),
        re.compile(r"(?<=[\w°ø+Δ^]) (?=\((?:(?:add|no|omit|sus|maj|[b#♭♯+-])\d{1,2}|alt|9|11|13)[^()\s]{0,12}\))"),
        "",
    ),
    ((".",), re.compile(r"(?<=[\w)])\.(?= ?(?:\n|$))"), ""),
    (("..", "etc"), re.compile(r"(?:(?<=\s)\.{2,}|\betc\.?)[ ]?$", re.M), ""),
)
# Nashville's diamond and push: how a chord is struck, which a progression does not say.
_HELD: Final = re.compile(r"(?<![^\s|(\[])([◇◊♢⬦⟡] ?|[>'’](?=[b#]?[1-7]))([A-Gb#♭♯1-7])")
_DIAMOND: Final = re.compile(r"(?<![^\s|])<(['’>]?[A-G1-7b#♭♯][^<>\s|]{0,12})>(?![^\s|])")
_TOUCHING_REPEAT: Final = re.compile(r"(?<=[^\s|:]):(?=[|｜‖])")  # `| G:|`
_TOUCHING_ENDING: Final = re.compile(r"(?<=\|)( ?\[?[1-4]\.)(?=[A-G])")  # `[1.C`
_IREAL: Final = re.compile(
    r"[{\[]\*[A-Zi]|\*[A-Zi][{\[]|T(?:44|34|24|54|64|74|22|32|68|12)(?=[\s{\[A-G*])|(?<![A-Za-z])N[1-3](?=[ A-G])"
)
_IREAL_SIGNS: Final = (
    (re.compile(r"<[^<>\n]{0,60}>"), " "),
    (re.compile(r"\*[A-Za-z]|T(?:44|34|24|54|64|74|22|32|68|12)|(?<![A-Za-z0-9#])[SQUYZ](?![A-Za-z])"), " "),
    (re.compile(r"(?<![A-Za-z])N([1-3])(?=[ A-G])"), r"| \1. "),
    (re.compile(r"(?<![A-Za-z0-9#])[sl](?=[A-G])"), ""),
    (re.compile(r"(?<=[\s|,])p(?=[\s|,\]}]|$)"), "/ "),
    (re.compile(r"(?<=[\s|,])n(?=[\s|,\]}])"), "N.C."),
)
_CHORD: Final = re.compile(
    r"[A-H](?:[b#♭♯]{1,2}|is|es|s)?(?:m|min|mi|maj|ma|M|dim|aug|sus|add|alt|[-°ºøØΔ△^+])*[\d#b♭♯+()/A-H-]*"
)
_DEGREE: Final = re.compile(r"[b#]?[1-7](?:m|-|maj|\^|△|sus|dim|°|ø|\d)*(?:/[b#]?[1-7])?")
_TOKENS: Final = re.compile(r"[^\s|,;:()\[\]{}]+")
_SUNG: Final = re.compile(r"[^\W\d_]{2,}(?:['’]\w+)?")
_SUNG_TO: Final = re.compile(r"\[[A-H][^\[\]|\n]{0,19}\](?!x\d)[^\W\d_]{2}")  # `[G]La la`
_BRACKETED: Final = re.compile(r"\[([^\[\]|\n]{1,20})\]")


def _strokes_apart(text: str) -> str:
    """`C////` as `C / / /`: the first stroke is the chord's own.  Where all have three, three follow it."""
    counts = {len(strokes) for strokes in _STROKES.findall(text)}
    own = 0 if counts == {3} else 1
    return _STROKES.sub(lambda found: " /" * (len(found[1]) - own), text) if counts else text


def plain(text: str) -> tuple[str, list[str]]:
    """A text with single blanks, made plain, and what of it was passed over."""
    text = text.translate(_SIGNS)
    text = _ARROW.sub(" → ", _strokes_apart(text))
    text = _DITTO.sub("%", _QUOTED.sub("", text))
    text = _TOUCHING_ENDING.sub(r"\1 ", _TOUCHING_REPEAT.sub(" :", text))
    diamonds = "" if _IREAL.search(text) else text
    struck = ["< >"] if _DIAMOND.search(diamonds) else []
    struck += sorted({match[1].strip() for match in _HELD.finditer(text)})
    text = _HELD.sub(r"\2", _DIAMOND.sub(r"\1", text) if diamonds else text)
    passed: list[str] = []

    def drop(match: re.Match[str]) -> str:
        if match[0].strip(" |:+=-") and not _NAMES_A_SECTION.fullmatch(match[0]):
            passed.append(match[0].strip())
        return ""

    whole, small = text, text.lower()
    text = _DROPPED_LINES.sub(drop, text)
    for pattern in (
        _LABEL_AHEAD,
        _REST_OF_LINE,
        _TEMPO,
        _HEADING,
        *((_PLAYING,) if any(word in small for word in _PLAYED) else ()),
    ):
        text = pattern.sub(drop, text)
    letters = "".join(dict.fromkeys(_LETTER_LINES.findall(text)))
    if len(letters) > 1 and "ABCD".startswith(letters):  # a song in A has lines that begin with A and D
        text = _LETTER_LINES.sub("", text)
        passed.append(f"{', '.join(letters)} at the beginning of lines")
    if re.search(r"\[[A-D]1\]", text):
        text = _NUMBERED_SECTION.sub("", text)
    text = _LETTER_AHEAD.sub(drop, text)
    if not text.strip():  # `Solo` alone, or a chord in brackets
        text, passed = _TEMPO.sub("", whole), []
    if _IREAL.search(text):
        for pattern, plainer in _IREAL_SIGNS:
            text = pattern.sub(plainer, text)
    for words, pattern, plainer in (*_TIMES, *_WORDS):
        if any(word in small for word in words):
            text = pattern.sub(plainer, text)
    if has_letters(text):
        text = _ENDING.sub(lambda match: f" {','.join(re.findall('[1-4]', match[1]))}. ", text)
    text, sung = _without_sung_words(text)
    return single_blanks(text), passed + sung + struck


def single_blanks(text: str) -> str:
    """Long runs of blanks, which some patterns would look through from each of them, are one."""
    return re.sub(r"\s*[\r\n]\s*", "\n", re.sub(r"[^\S\r\n]+", " ", text))


def has_letters(text: str) -> bool:
    """Whether the chords of a text are named by letters, not by degrees."""
    words = _TOKENS.findall(text)
    letters = sum(_CHORD.fullmatch(word) is not None for word in words)
    return 0 < letters >= sum(_DEGREE.fullmatch(word) is not None for word in words)


def _without_sung_words(text: str) -> tuple[str, list[str]]:
    """Chords between or above the words that are sung to them: the chords alone, and a sample of the words."""
    if ("[" not in text and "\n" not in text) or text.count(" ") + text.count("\n") > _MOST_WORDS:
        return text, []
    lines, sung, some_chords = [], [], False
    for line in text.split("\n"):
        chords = [each for each in _BRACKETED.findall(line) if _is_chord(each)]
        words = _SUNG.findall(_BRACKETED.sub(" ", line) if chords else line)
        unknown = [word for word in words if not _is_chord(word)]
        if chords and (any(len(word) > 2 for word in unknown) or _SUNG_TO.search(line)):
            lines.append(" ".join(chords))
            sung.append(line)
        elif (some_chords and len(words) > 2 and {word.lower() for word in words} == {"la"}) or (
            "|" not in line and len(unknown) > 1 and len(unknown) > (len(words) - len(unknown))
        ):
            sung.append(line)
            lines.append("")
        else:
            lines.append(line)
        some_chords = some_chords or bool(lines[-1].strip())
    return ("\n".join(lines), [each.strip() for each in sung]) if some_chords else (text, [])


@lru_cache(2048)
def _is_chord(word: str) -> bool:
    try:
        Chord.parse(word, lower_case="major")
    except MusicError:
        return False
    return True
