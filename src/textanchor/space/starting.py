"""A space before any pair exists: encoders whose classifiers know names, and the anchor's vectors of those names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

from textanchor.aligners.names import TEMPERATURE
from textanchor.config import DEFAULT_ANCHOR
from textanchor.data.readers import reader
from textanchor.encoders import canonical, head_of, make_single
from textanchor.errors import InputError
from textanchor.files import digest
from textanchor.grammar import take_apart
from textanchor.projectors import Kept
from textanchor.projectors.names import names_projector
from textanchor.records import Choice, Named, View
from textanchor.runtime import Reading, Runtime, Simple, Splitting, settled
from textanchor.space.fitted import Fitted
from textanchor.space.geometry import Geometry
from textanchor.space.loose import NOTHING, STRUCTURE, from_structure
from textanchor.space.names import named
from textanchor.space.preparing import Encoding, base_of
from textanchor.space.sides import FittedSide
from textanchor.space.space import Space
from textanchor.space.story import Counted, Recipe, Story
from textanchor.views import view, with_hubness

NAMES = "names"
SOURCE = "names of the encoders' classes, no pairs"
VIEW, HUBNESS = "whitening(shrinkage=4.0)", "nnn(k=10, alpha=0.25)"


def start(
    *,
    by: str = NAMES,
    data: object = None,
    encoders: Mapping[str, str] | None = None,
    anchor: str | None = None,
    seed: int = 0,
    reading: Reading | None = None,
    runtime: Runtime | None = None,
    **simple: Unpack[Simple],
) -> Space:
    """A space that has seen no pair, by `names` or by `structure`.

    By names it is fitted to nothing: what a classifier's scores say of an item, in the words of its classes' names. `encoders`
    maps modalities to encoders whose models are classifiers with named classes (default: the reader's for images).
    By structure it is fitted to `data`, a table or what else `read_pairs` takes, whose rows have an item without a text or a
    text without an item: clusters of either that stand to each other in the same way are taken for each other; see the
    aligner `structure`, which may be called with settings: `by="structure(clusters=50)"`.
    `fit(..., into=space)` refines both with pairs. How well they do is for `evaluate` to say.
    Raises `InputError` for an encoder that knows no names and for data with pairs, `AbstainedError` where structure does not
    say what belongs together, `UnknownNameError` or `MissingError`.
    """
    how = settled(runtime, simple)
    if take_apart(by)[0] == STRUCTURE:
        encoding = Encoding(anchor=anchor, encoders=encoders or {})
        return from_structure(data, by, encoding, seed=seed, reading=reading, runtime=how)
    if by != NAMES or data is not None:
        raise InputError(
            f"by={by}: expected {NAMES}, without data, or {STRUCTURE}, with data: items and texts in rows of their own"
        )
    base = base_of(anchor or DEFAULT_ANCHOR, how)
    asked = encoders or {"image": reader("image").default_encoder}
    new: dict[str, Fitted] = {}
    for modality, name in asked.items():
        encoder = make_single(name, modality, how)
        head = head_of(encoder)
        if head is None:
            raise InputError(
                f"{modality} encoder {name} has no classifier whose classes have names, which is what a space without pairs is "
                "made of; expected efficientnet-lite0 or hub:<image or audio classifier>, or pairs: textanchor fit"
            )
        known = named(base, head, modality, how)
        new[modality] = Fitted(
            encoder=canonical(name),
            fingerprint=encoder.fingerprint,
            projector=Kept.of(names_projector(known, TEMPERATURE)),
            view=_view(known),
            choice=Choice(
                aligner="names", settings={"temperature": TEMPERATURE}, view=VIEW, hubness=HUBNESS, chosen_on="nothing"
            ),
            asked="names",
        )
    data = digest(*(f"{name} {one.fingerprint}" for name, one in new.items()))
    recipe = Recipe(
        anchor=base.anchor,
        encoders={name: one.encoder for name, one in new.items()},
        aligner="names",
        splitting=Splitting(),
    )
    none = {side: Counted(items=0, texts=0, groups=0) for side in ("train", "val", "test")}
    story = Story(source=SOURCE, data=data, split=NOTHING, counts=dict.fromkeys(new, none), recipe=recipe)
    return base.with_modalities(new, story=story)


def started(modality: str, known: Named) -> Geometry:
    """The geometry of a classifier's names alone."""
    return Geometry({modality: FittedSide(Kept.of(names_projector(known, TEMPERATURE)), _view(known))})


def _view(known: Named) -> View:
    """Statistics from the names alone, which stand for texts and for items alike."""
    vectors = known.anchors
    return with_hubness(view(VIEW, anchors=vectors, items=vectors, targets=vectors), HUBNESS, items=vectors, anchors=vectors)
