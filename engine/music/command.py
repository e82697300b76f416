"""Command lines whose errors are one sentence, the same in every command of the program."""

from __future__ import annotations

import argparse
from typing import NoReturn

from engine.music.errors import UserError


class SentenceParser(argparse.ArgumentParser):
    """An ArgumentParser that raises UserError instead of printing its usage and exiting."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message.rstrip('.')}; {self.prog} --help says more.")
