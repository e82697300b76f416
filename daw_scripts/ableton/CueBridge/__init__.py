"""CueBridge for Ableton Live 11 and 12: choose it as a Control Surface in Settings > Link, Tempo & MIDI."""

from .cuebridge import CueBridge


def create_instance(c_instance):
    return CueBridge(c_instance)
