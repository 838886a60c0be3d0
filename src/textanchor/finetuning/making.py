"""`finetune`: from pairs and an encoder to the folder of a tuned one, with the verdict on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from textanchor.data.pairs import read_pairs
from textanchor.encoders import Encoder
from textanchor.encoders.windowed import windowed
from textanchor.errors import InputError
from textanchor.finetuning.recipe import Recipe
from textanchor.finetuning.tunable import Tunable, tunable
from textanchor.finetuning.tuning import Given, Tuning, tuned
from textanchor.finetuning.verdict import Verdict, found
from textanchor.finetuning.writing import write_tuned
from textanchor.latents.engine import encode
from textanchor.pretraining.comparing import compared
from textanchor.pretraining.loop import Row
from textanchor.pretraining.processes import launched
from textanchor.pretraining.ready import Ready, arrays_of
from textanchor.pretraining.showing import shown
from textanchor.pretraining.sources import Source, source_from
from textanchor.records import Skipped
from textanchor.runtime import Reading, Runtime, Splitting
from textanchor.space.composition import DEFAULTS, expanded
from textanchor.space.preparing import Encoding, Prepared, Sides, check_enough, prepare

SIDES = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True)
class Finetuned:
    """What was made: how training went, the encoder, what the test side says, remarks, what could not be read."""

    tuning: Tuning
    encoder: Encoder
    verdict: Verdict
    notes: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def finetune(
    pairs: object,
    recipe: Recipe,
    *,
    encoding: Encoding,
    folder: Path | None = None,
    announce: Callable[[str], None] = lambda line: None,
    splitting: Splitting | None = None,
    reading: Reading | None = None,
    runtime: Runtime | None = None,
) -> Finetuned:
    """Train the one encoder that `encoding` names on the training side of `pairs`, through a projector into the anchor's space.

    Validation chooses the epoch; the test side says whether it was worth it, beside the encoder as it was. `folder`, if given,
    is written as an encoder (`own:<folder>`), and an interrupted training goes on from it.
    Raises `InputError` or `NothingUsableError`.
    """
    work = runtime or Runtime()
    split = splitting or Splitting()
    modality, name = _one(encoding.encoders)
    given = expanded(read_pairs(pairs, split_name=split.name, reading=reading), dict(DEFAULTS)).only(modality)
    if not given.rows:
        raise InputError(f"--encoder {modality}=...: {given.source} holds no {modality} with a text")
    prepared = prepare(given, encoding, split, work)
    frozen = prepared.sides(modality, SIDES, by_names=False)
    if frozen is None:
        raise InputError(f"no {modality} could be read")
    check_enough(modality, frozen.train)
    model = tunable(name, modality, work)
    tuning = tuned(model, _given(prepared, frozen, modality), recipe, course=shown(announce, work, words=_line), folder=folder)
    encoder = windowed(model.encoder("this encoder"))  # as whoever names it will get it
    source = source_from(prepared.pairs.only(modality), prepared.hashes, prepared.split)
    verdict = _verdict(prepared, {name: frozen}, encoder, _ready(source, model, tuning, prepared), recipe.seed)
    notes = _notes(tuning, recipe)
    if folder is not None and launched().first:
        write_tuned(folder, model, tuning, recipe, name=name, source=source, verdict=verdict, notes=notes)
    skipped = (*prepared.skipped, *tuning.read.skipped)
    return Finetuned(tuning=tuning, encoder=encoder, verdict=verdict, notes=notes, skipped=skipped)


def _one(encoders: Mapping[str, str]) -> tuple[str, str]:
    if len(encoders) != 1:
        raise InputError(f"{len(encoders)} encoders are named; one is trained at a time: --encoder image=own:FOLDER")
    return next(iter(encoders.items()))


def _given(prepared: Prepared, sides: Sides, modality: str) -> Given:
    known = {item.id: item for item in prepared.items(modality, SIDES)}
    val = sides.val if len(sides.val.items) else None
    return Given(
        train=sides.train,
        val=val,
        items=lambda ids: [known[one] for one in ids],
        device=launched().device(prepared.device),
        runtime=prepared.runtime,
    )


def _line(row: Row) -> str:
    """An epoch in a line."""
    score = f", R@1 on validation {row['score']:.3f}" if "score" in row else ""
    return f"epoch {row['epoch']:.0f}: loss {row['loss']:.4f}{score}"


def _verdict(prepared: Prepared, frozen: Mapping[str, Sides], encoder: Encoder, ready: Ready, seed: int) -> Verdict:
    name, old = next(iter(frozen.items()))
    if not len(old.pairs["test"].items) or not launched().first:
        return Verdict()
    modality, work = encoder.modality, prepared.runtime
    items = prepared.items(modality, SIDES)
    latents = encode(items, encoder, work, known=prepared.hashes).latents
    new = prepared.joined(modality, SIDES, latents)
    rows = found({"this encoder": new, name: old}, device=prepared.device, seed=seed)
    judged = compared(encoder, [name], ready, seed=seed, runtime=work) if ready.source.judged else []
    return Verdict(found=rows, probes=tuple(judged))


def _ready(source: Source, model: Tunable, tuning: Tuning, prepared: Prepared) -> Ready:
    """What the linear probes want to know."""
    return Ready(
        source=source,
        front=model.front,
        train=arrays_of(tuning.read, source.train),
        val=None,
        read=tuning.read,
        skipped=tuning.read.skipped,
        device=prepared.device,
        runtime=prepared.runtime,
    )


def _notes(tuning: Tuning, recipe: Recipe) -> tuple[str, ...]:
    best = max((row["score"] for row in tuning.rows if "score" in row), default=None)
    share = f"{tuning.trained:,} of {tuning.of:,} numbers of the encoder"
    notes = [f"{share} were trained, through a projector that begins as the closed form"]
    if best is None or tuning.before is None:
        notes.append("there is no validation side, so that nothing chose the epoch; the last one was kept")
    else:
        notes.append(f"R@1 on validation: {tuning.before:.3f} before, {best:.3f} at the best of {len(tuning.rows)} epochs")
    return tuple(notes)
