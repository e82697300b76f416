"""The music is this film's: with another film's features, tempo and key the same, other notes are played."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.arrange import arrange
from engine.brief import Brief, request_for
from engine.composer import Composer
from engine.music import EMOTIONS, Composition, Key
from engine.process.messages import Composed
from engine.video import VideoFeatures


def composed(composer: Composer, features: VideoFeatures) -> Composition:
    request, _ = request_for(features.film, (), Brief(bpm=97.0, key=Key(0)))
    last = composer.compose(features, request)
    assert isinstance(last, Composed)
    return last.composition


def test_with_another_films_features_other_notes_are_played(make_features):
    composer = Composer()
    calm = make_features(40.0, seed=1, emotion=EMOTIONS.index("relaxing"))
    tense = make_features(40.0, seed=2, emotion=EMOTIONS.index("tense"))
    tense = replace(tense, film=replace(tense.film, content_key="another"))
    one, other, again = (composed(composer, features) for features in (calm, tense, calm))
    assert again == one  # the film decides, and nothing else
    chords = [a.chord != b.chord for a, b in zip(one.slots, other.slots, strict=True)]
    assert np.mean(chords) > 0.3
    played = [
        {(n.part, n.pitch, n.start_beats) for n in arrange(piece).notes if n.part != "drums"} for piece in (one, other)
    ]
    assert len(played[0] & played[1]) < 0.6 * len(played[0] | played[1])
