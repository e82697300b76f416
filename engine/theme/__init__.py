"""Themes: built from a shape, a rhythm and an interval, and what is done with them.  Pure: the standard library."""

from engine.theme.build import build_theme

__all__ = ["build_theme"]
