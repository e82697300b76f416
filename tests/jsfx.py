"""A small interpreter of REAPER's JSFX: the sections of an effect, and EEL2 as its reference describes it, as far as
effects that send MIDI need it.  What it does not know it refuses, so that a misspelt name is found.

    effect = Effect(path.read_text(), gmem)
    effect.block(512, beat_position=0.0, play_state=1)   # -> [(offset, status, data1, data2), …]
"""

from __future__ import annotations

import re
import struct
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<number>0x[0-9a-fA-F]+|\d+\.?\d*|\.\d+)|(?P<name>[A-Za-z_][\w.]*)"
    r"|(?P<sign>===|!==|==|!=|<=|>=|<<|>>|&&|\|\||[-+*/%|&]=|[-+*/%|&~^<>!?:;,=()\[\]]))"
)
# Of the infix operators, loosest first; those of one row bind from the left.
LEVELS = (
    ("||",),
    ("&&",),
    ("|",),
    ("&",),
    ("==", "!=", "<", ">", "<=", ">="),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
NEAR = 0.00001  # == takes what is nearer for the same
HOST = {
    "srate",
    "tempo",
    "play_state",
    "play_position",
    "beat_position",
    "samplesblock",
    "ts_num",
    "ts_denom",
    "ext_noinit",
}
MOST_TURNS = 1 << 20


class JsfxError(ValueError):
    """The effect is none, or does what this interpreter does not know."""


def tokens_of(text: str) -> list[tuple[str, str]]:
    text = re.sub(r"/\*.*?\*/", " ", re.sub(r"//[^\n]*", " ", text), flags=re.S).rstrip()
    found, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise JsfxError(f"not EEL2: {text[at : at + 30]!r}")
        kind = match.lastgroup or ""
        found.append((kind, match[kind]))
        at = match.end()
    return found


@dataclass
class Function:
    """scope: of its parameters and local variables, which keep their values from call to call."""

    parameters: list[str]
    body: Any
    scope: dict[str, float]


@dataclass
class Parser:
    """Trees are tuples: (kind, …)."""

    tokens: list[tuple[str, str]]
    functions: dict[str, Function]
    at: int = 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, sign: str = "") -> str:
        if self.at >= len(self.tokens) or (sign and self.peek() != sign):
            raise JsfxError(f"{sign or 'something'} is missing before {self.peek()!r}")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def sequence(self, end: str) -> Any:
        """Statements up to `end`, which is taken."""
        done = []
        while self.peek() != end:
            if self.peek() == ";":
                self.take()
            elif self.peek() == "function":
                self.function()
            else:
                done.append(self.assignment())
                if self.peek() not in (";", end):
                    raise JsfxError(f"; is missing before {self.peek()!r}")
        if end:
            self.take(end)
        return ("sequence", done)

    def function(self) -> None:
        self.take("function")
        name, parameters, local = self.take(), self.names(), []
        if self.peek() == "local":
            self.take()
            local = self.names()
        self.take("(")
        self.functions[name] = made = Function(parameters, None, dict.fromkeys([*parameters, *local], 0.0))
        made.body = self.sequence(")")

    def names(self) -> list[str]:
        self.take("(")
        found = []
        while self.peek() != ")":
            if self.peek() == ",":
                self.take()
            else:
                found.append(self.take())
        self.take(")")
        return found

    def assignment(self) -> Any:
        left = self.condition()
        sign = self.peek()
        if sign in ("=", "+=", "-=", "*=", "/=", "%=", "|=", "&="):
            if left[0] not in ("name", "memory"):
                raise JsfxError(f"nothing can be given to {left[0]}")
            self.take()
            right = self.assignment()
            return ("assign", left, right if sign == "=" else ("infix", sign[0], left, right))
        return left

    def condition(self) -> Any:
        left = self.infix(0)
        if self.peek() != "?":
            return left
        self.take()
        yes = self.assignment()
        no = ("number", 0.0)
        if self.peek() == ":":
            self.take()
            no = self.assignment()
        return ("condition", left, yes, no)

    def infix(self, level: int) -> Any:
        if level == len(LEVELS):
            return self.prefix()
        left = self.infix(level + 1)
        while self.peek() in LEVELS[level]:
            sign = self.take()
            left = ("infix", sign, left, self.infix(level + 1))
        return left

    def prefix(self) -> Any:
        if self.peek() in ("-", "!", "+"):
            return ("prefix", self.take(), self.prefix())
        left = self.primary()
        while self.peek() == "[":
            self.take()
            left = ("memory", left, self.sequence("]"))
        return left

    def primary(self) -> Any:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        self.at += 1
        if kind == "number":
            return ("number", float(int(text, 16)) if text.startswith("0x") else float(text))
        if text == "(":
            return self.sequence(")")
        if kind != "name":
            raise JsfxError(f"unexpected {text!r}")
        if self.peek() != "(":
            return ("name", text)
        self.take("(")
        if text == "while":
            test = self.sequence(")")
            self.take("(")
            return ("while", test, self.sequence(")"))
        given = []
        while self.peek() != ")":
            given.append(self.assignment())
            if self.peek() == ",":
                self.take()
        self.take(")")
        return ("call", text, given)


Message = tuple[int, int, int, int]


@dataclass
class Effect:
    """gmem: shared with what feeds it.  Sections run as REAPER runs them: @init once, @block for each block."""

    source: str
    gmem: dict[int, float]
    state: bytes | None = None
    values: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    memory: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    sent: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        head, *sections = re.split(r"^@(\w+)[^\n]*\n", self.source, flags=re.M)
        if not re.search(r"^desc:\S", head, re.M) or "options:gmem=CueBridge" not in head:
            raise JsfxError("no description, or no shared memory")
        self.functions: dict[str, Function] = {}
        self.sections = {}
        for name, text in zip(sections[::2], sections[1::2], strict=True):
            self.sections[name] = Parser(tokens_of(text), self.functions).sequence("")
        self.assigned = set(re.findall(r"\b([A-Za-z_]\w*)\s*[-+*/%|&]?=(?!=)", self.source))
        self.sliders = set(re.findall(r"^(slider\d+):", head, re.M))
        self.scopes: list[dict[str, float]] = []
        self.file: list[float] | None = None
        self.written: list[float] = []
        self.values.update(srate=48000.0, tempo=120.0)
        self.run("init")
        if self.state is not None:
            self.file = [each[0] for each in struct.iter_unpack("<f", self.state)]
            self.run("serialize")
            self.file = None

    def run(self, section: str) -> None:
        if section in self.sections:
            self.evaluate(self.sections[section])

    def block(self, samples: int, **host: float) -> list[Message]:
        if unknown := set(host) - HOST:
            raise JsfxError(f"REAPER has no {unknown}")
        self.sent = []
        self.values.update(host, samplesblock=float(samples))
        self.run("block")
        return self.sent

    def save(self) -> bytes:
        """As the project keeps it: 32 bits a number."""
        self.written, self.file = [], None
        self.run("serialize")
        return struct.pack(f"<{len(self.written)}f", *self.written)

    # what an expression is worth ----------------------------------------------------------------------------------
    def evaluate(self, tree: Any) -> float:
        return getattr(self, "_" + tree[0])(*tree[1:])

    def _number(self, value: float) -> float:
        return value

    def _sequence(self, parts: list[Any]) -> float:
        value = 0.0
        for part in parts:
            value = self.evaluate(part)
        return value

    def scope_of(self, name: str) -> dict[str, float]:
        if self.scopes and name in self.scopes[-1]:
            return self.scopes[-1]
        if name not in self.assigned | HOST | self.sliders and name != "gmem":
            raise JsfxError(f"{name} is never given a value")
        return self.values

    def _name(self, name: str) -> float:
        return self.scope_of(name)[name]

    def place(self, base: Any, index: Any) -> tuple[dict[int, float], int]:
        at = self.evaluate(index)
        if base == ("name", "gmem"):
            return self.gmem, int(at + NEAR)
        return self.memory, int(self.evaluate(base) + at + NEAR)

    def _memory(self, base: Any, index: Any) -> float:
        memory, at = self.place(base, index)
        if not 0 <= at < 8 * 1024 * 1024:
            raise JsfxError(f"memory has no place {at}")
        return memory.get(at, 0.0)

    def _assign(self, left: Any, right: Any) -> float:
        value = float(self.evaluate(right))
        if left[0] == "name":
            self.scope_of(left[1])[left[1]] = value
        else:
            memory, at = self.place(*left[1:])
            memory[at] = value
        return value

    def _condition(self, test: Any, yes: Any, no: Any) -> float:
        return self.evaluate(yes if abs(self.evaluate(test)) > NEAR else no)

    def _while(self, test: Any, body: Any) -> float:
        for _ in range(MOST_TURNS):  # REAPER ends loops after so many turns
            if abs(self.evaluate(test)) <= NEAR:
                return 0.0
            self.evaluate(body)
        raise JsfxError("a loop without an end")

    def _prefix(self, sign: str, of: Any) -> float:
        value = self.evaluate(of)
        return -value if sign == "-" else float(abs(value) <= NEAR) if sign == "!" else value

    def _infix(self, sign: str, left: Any, right: Any) -> float:
        a = self.evaluate(left)
        if sign in ("&&", "||"):
            if (abs(a) > NEAR) == (sign == "||"):
                return float(sign == "||")
            return float(abs(self.evaluate(right)) > NEAR)
        return float(INFIX[sign](a, self.evaluate(right)))

    def _call(self, name: str, given: list[Any]) -> float:
        if name in self.functions:
            made = self.functions[name]
            if len(given) != len(made.parameters):
                raise JsfxError(f"{name} takes {len(made.parameters)} values")
            values = [self.evaluate(each) for each in given]
            made.scope.update(zip(made.parameters, values, strict=True))
            self.scopes.append(made.scope)
            try:
                return self.evaluate(made.body)
            finally:
                self.scopes.pop()
        if name in ("file_var", "file_mem"):
            return self._file(name, given)
        if name not in CALLS:
            raise JsfxError(f"there is no function {name}")
        return float(CALLS[name](self, *map(self.evaluate, given)))

    def _file(self, name: str, given: list[Any]) -> float:
        if name == "file_var":
            places: list[Any] = [given[1]]
        else:
            base, count = self.evaluate(given[1]), int(self.evaluate(given[2]))
            places = [("memory", ("number", base), ("number", float(i))) for i in range(count)]
        for place in places:
            if self.file is None:
                self.written.append(self.evaluate(place))
            else:
                self._assign(place, ("number", self.file.pop(0) if self.file else 0.0))
        return float(len(places))

    def midisend(self, offset: float, first: float, rest: float) -> float:
        samples, status, data = self.values["samplesblock"], int(first), int(rest)
        if not 0 <= offset < samples or not 0x80 <= status < 0xF0 or data & ~0x7F7F:
            raise JsfxError(f"no MIDI, or outside its block: {offset} of {samples}, {status:x} {data:x}")
        self.sent.append((int(offset), status, data & 127, data >> 8))
        return first


INFIX: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b if b else 0.0,
    "%": lambda a, b: int(a) % int(b) if int(b) else 0,
    "|": lambda a, b: int(a) | int(b),
    "&": lambda a, b: int(a) & int(b),
    "<<": lambda a, b: int(a) << int(b),
    ">>": lambda a, b: int(a) >> int(b),
    "==": lambda a, b: abs(a - b) < NEAR,
    "!=": lambda a, b: abs(a - b) >= NEAR,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
CALLS: dict[str, Callable[..., float]] = {
    "floor": lambda effect, a: a // 1,
    "abs": lambda effect, a: abs(a),
    "min": lambda effect, a, b: min(a, b),
    "max": lambda effect, a, b: max(a, b),
    "midisend": Effect.midisend,
    "file_avail": lambda effect, handle: -1 if effect.file is None else len(effect.file),
}
