"""What each sender may still use: messages, errors, and time of the thread that does what they ask."""

from __future__ import annotations

from typing import Final

MAX_REMEMBERED: Final = 256

Sender = tuple[str, int]


class Budget:
    """So much a second for each sender, refilled steadily, at most `burst` at once."""

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s, self._burst = per_s, burst
        self._left: dict[Sender, tuple[float, float]] = {}

    def take(self, sender: Sender, host_s: float, amount: float = 1.0) -> bool:
        """Takes the amount where that much is left."""
        left = self.left(sender, host_s)
        self._keep(sender, left - amount if left >= amount else left, host_s)
        return left >= amount

    def spend(self, sender: Sender, host_s: float, amount: float) -> None:
        """Takes the amount, which was used already; what is left may become less than nothing."""
        self._keep(sender, self.left(sender, host_s) - amount, host_s)

    def left(self, sender: Sender, host_s: float) -> float:
        left, at_s = self._left.get(sender, (self._burst, host_s))
        return min(left + (host_s - at_s) * self._per_s, self._burst)

    def _keep(self, sender: Sender, left: float, host_s: float) -> None:
        if len(self._left) >= MAX_REMEMBERED and sender not in self._left:
            self._left.clear()
        self._left[sender] = (left, host_s)


class WorkBudget:
    """Thread time of a sender's messages: a quarter of a second at once, a quarter of the thread from then on.

    Counting messages would not do: one that takes a millisecond and one that takes ten count the same.
    """

    PER_S: Final = 0.25
    BURST_S: Final = 0.25

    def __init__(self) -> None:
        self._work = Budget(self.PER_S, self.BURST_S)
        self._said = Budget(1.0, 1.0)

    def may(self, sender: Sender, host_s: float) -> bool:
        return self._work.left(sender, host_s) > 0.0

    def spend(self, sender: Sender, host_s: float, seconds: float) -> None:
        self._work.spend(sender, host_s, seconds)

    def to_be_said(self, sender: Sender, host_s: float) -> bool:
        """Whether a refusal is said: once a second."""
        return self._said.take(sender, host_s)
