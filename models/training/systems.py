"""Every trainable system by name: the paper's four chord models and five regressors, and the two that ship.

The paper's systems use the paper's width where nothing else is asked for; `reduced` divides it for machines without a
GPU and is stated in the card of what it produced.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from models.config import AmtConfig, RegressorConfig
from models.errors import ModelError
from models.training.variation import ChordVariation, LabelVariation, Variation

_SHIPPED_VARIATION: Final = Variation(
    transpose=0.7,
    drop_semantic=0.5,
    drop_emotion=0.2,
    noise_emotion=0.3,
    permute_emotion=0.2,
    other_film=0.2,
    noise_features=0.1,
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a system is trained.  The learning rate rises over `warmup` steps and falls as a half cosine to 0."""

    steps: int
    batch: int = 8  # songs per step
    learning_rate: float = 1e-3
    kernel_rate: float = 1.0  # times that for the kernels of recall and echo, which are tables of logits
    mixed: bool = False  # matrix products in bfloat16 while training
    warmup: int = 100
    weight_decay: float = 0.01
    average: float = 0.995  # exponential moving average of the weights; what is evaluated and saved
    smooth_emotion: bool = True  # the causal 5 s mean of paper 3.2.2; False: MuVi-Sync's raw column
    label_smoothing: float = 0.0
    emotion_weight: float = 0.0  # 1 - lambda of eq. 5; the chord loss has the rest
    quality_weight: float = 0.0  # of losses.quality_loss, added
    correlation_weight: float = 0.0  # regressors: of losses.correlation_loss, added
    variation: Variation = field(default_factory=Variation)
    excerpt: int = 0  # passages of at most so many slots instead of whole songs
    labels: LabelVariation | None = None  # inverse labels in the conditioning columns
    chords: ChordVariation | None = None  # regressors that read chords: which
    only: str = ""  # parameters whose names begin so are trained, the rest stay what they are; "" = all


@dataclass(frozen=True, slots=True)
class System:
    """A name, what it is, its network and its training."""

    name: str
    about: str
    network: AmtConfig | RegressorConfig
    recipe: Recipe

    @property
    def predicts(self) -> str:
        """ "chords" or "dynamics"."""
        return "chords" if isinstance(self.network, AmtConfig) else "dynamics"


_PAPER_CHORDS: Final = Recipe(steps=1500, batch=8, learning_rate=3e-4, weight_decay=0.0, smooth_emotion=False)
_PAPER_DYNAMICS: Final = Recipe(
    steps=750, batch=8, learning_rate=1e-3, weight_decay=1e-5, warmup=20, smooth_emotion=False
)
_MASKED: Final = AmtConfig(masked=True)

# What ships, and the recipes of its parts trained alone.
_SHIPPED: Final = AmtConfig(
    width=192,
    heads=6,
    encoder_layers=1,
    decoder_layers=4,
    feedforward=512,
    dropout=0.15,
    attention_dropout=0.0,
    masked=True,
    scaled=True,
    run_buckets=24,
    recall_heads=6,
    recall_roots=True,
    echo_heads=6,
    condition_width=96,
)
_SHIPPED_CHORDS: Final = Recipe(
    steps=4000, kernel_rate=5.0, mixed=True, variation=_SHIPPED_VARIATION, excerpt=128, labels=LabelVariation()
)
_PARTS_CHORDS: Final = replace(_SHIPPED_CHORDS, steps=1800, kernel_rate=1.0, mixed=False, excerpt=0, labels=None)
_UNCONDITIONED: Final = replace(_SHIPPED, condition_width=0)
_RECALL: Final = replace(_UNCONDITIONED, echo_heads=0)

_SEEING: Final = RegressorConfig(kind="bigru", width=64, dropout=0.3, scaled=True, levels=True)
_SHIPPED_DYNAMICS: Final = Recipe(
    steps=1200,
    batch=16,
    learning_rate=1e-3,
    warmup=50,
    weight_decay=0.05,
    correlation_weight=0.3,
    variation=Variation(
        drop_semantic=0.5, drop_emotion=0.2, noise_emotion=0.3, permute_emotion=0.1, noise_features=0.1
    ),
)
_READING_DYNAMICS: Final = replace(
    _SHIPPED_DYNAMICS,
    steps=300,
    weight_decay=0.01,
    only="chord_",
    variation=replace(_SHIPPED_DYNAMICS.variation, transpose=0.3, drop_film=0.1),
    chords=ChordVariation(),
)

_ALL: Final = (
    System(
        "transformer",
        "the paper's Transformer: chords only, absolute positions",
        replace(_MASKED, see=False, relative=False),
        _PAPER_CHORDS,
    ),
    System(
        "music-transformer",
        "the paper's Music Transformer: chords only, relative positions",
        replace(_MASKED, see=False),
        _PAPER_CHORDS,
    ),
    System("amt-no-emotion-loss", "AMT without the emotion matching loss", _MASKED, _PAPER_CHORDS),
    System("amt-paper", "AMT as published: eq. 3-7, lambda 0.4", _MASKED, replace(_PAPER_CHORDS, emotion_weight=0.6)),
    System(
        "amt",
        "the AMT that ships: smaller, with recall and echo over the song so far, robust to what is missing",
        _SHIPPED,
        _SHIPPED_CHORDS,
    ),
    System(
        "amt-unconditioned",
        "the AMT that ships, without mood course and boundaries",
        _UNCONDITIONED,
        replace(_PARTS_CHORDS, kernel_rate=5.0, mixed=True),
    ),
    System(
        "amt-sections",
        "the AMT that ships (--start-from it) and what section of the form each slot is in",
        replace(_SHIPPED, section_width=64),
        replace(_SHIPPED_CHORDS, labels=LabelVariation(drop_sections=0.3)),
    ),
    System("amt-recall", "the AMT that ships, without echo", _RECALL, _PARTS_CHORDS),
    System(
        "amt-plain-recall",
        "the same, its recall without roots and phase",
        replace(_RECALL, recall_roots=False),
        _PARTS_CHORDS,
    ),
    *(
        System(
            kind, f"the paper's {kind.upper()} regressor (section 4.2.1)", RegressorConfig(kind=kind), _PAPER_DYNAMICS
        )
        for kind in ("fc", "lstm", "bilstm", "gru", "bigru")
    ),
    System(
        "regressor",
        "the regressor that ships: biGRU on scaled inputs and targets, ridge for the level, padding masked",
        _SEEING,
        _SHIPPED_DYNAMICS,
    ),
    System(
        "regressor-chords",
        "a part that reads chords for the regressor that ships (--start-from it): true, spoiled and composed ones",
        replace(_SEEING, chord_width=64),
        _READING_DYNAMICS,
    ),
)
SYSTEMS: Final[dict[str, System]] = {system.name: system for system in _ALL}


def find(name: str) -> System:
    """The system of that name; ModelError lists the names."""
    if name not in SYSTEMS:
        raise ModelError(f"No system is called {name!r}; there are {', '.join(SYSTEMS)}.")
    return SYSTEMS[name]


def reduced(system: System, factor: int) -> System:
    """The same system with widths divided by `factor` and half the layers, for machines without a GPU.

    Raises ModelError where nothing is left of them.
    """
    if not isinstance(system.network, AmtConfig):
        return system
    net = system.network
    layers = max(1, net.encoder_layers // 2), max(1, net.decoder_layers // 2)
    try:
        smaller = replace(
            net,
            width=net.width // factor,
            heads=max(1, net.heads // factor),
            feedforward=net.feedforward // factor,
            encoder_layers=layers[0],
            decoder_layers=layers[1],
        )
    except ValueError as error:
        raise ModelError(f"{system.name} cannot be reduced by {factor}: {error}.") from None
    return replace(system, network=smaller)
