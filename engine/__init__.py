"""Composes: looks at a film and writes chords, activity and dynamics for it.  Importing this costs nothing."""
