"""What each choice brings, on and off: `python benchmarks/choices.py DATA MODELS [--parts views ...]`.

DATA and MODELS as for reference.py. Every row is fitted on train and validation, penalties or epochs chosen on validation, and
judged once on test (Flickr8k: dev; ESC-50: each fold; Caltech-101: a fifth). Differences are of recall@1, paired by query, with
bootstrap intervals over groups. Nothing here chooses a default. Prints Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from losses import World, esc50, flickr8k, judged, opened, read, spread
from reference import (
    DRAWS,
    Part,
    concepts,
    everything,
    half,
    held_out,
    interval,
    named,
    over_draws,
    precision,
    printed,
    scored,
    with_sounds,
)

import textanchor
from textanchor.config import DEFAULT_ANCHOR
from textanchor.evaluation.refits import Fresh
from textanchor.evaluation.unseen import zero_shot
from textanchor.metrics.interval import bootstrap
from textanchor.runtime import Runtime
from textanchor.space import TEXT
from textanchor.space.texts import embed_texts

VIEWS = ("centring", "raw", "whitening", "all-but-the-top", "canonical")
CORRECTIONS = ("csls", "nnn", "dis")
TRAINED = "gradient(loss=info-nce, projector={}, epochs=30)"


def views(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """Kernel ridge under each view without a correction, and each correction under two views."""
    made = {view: f"kernel-ridge(view={view}, hubness=none)" for view in VIEWS}
    for view in ("centring", "canonical"):
        made |= {f"{view}, {name}": f"kernel-ridge(view={view}, hubness={name})" for name in CORRECTIONS}
    for name, tables, modality in sets(data, work):
        worlds = [opened(read(table, encoders={modality: encoders[modality]})) for table in tables]
        board(f"views and corrections, {name}", {row: (worlds, spec, 1) for row, spec in made.items()})


def anchors(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """The default under several text models; for sounds also classes that no fit has seen."""
    known = {"all-MiniLM-L6-v2": DEFAULT_ANCHOR} | {name: f"st:{place}" for name, place in built(work / "anchors")}
    for name, tables, modality in sets(data, work):
        told = {modality: encoders[modality]}
        rows = {
            row: ([opened(read(table, encoders=told, anchor=anchor)) for table in tables], "auto", 1)
            for row, anchor in known.items()
        }
        board(f"anchors, {name}", rows)
    print("\n### anchors, ESC-50, ten classes that no fit has seen\n\n| anchor | accuracy, chance .10 |\n|---|---|")
    for row, anchor in known.items():
        one = zero_shot(everything(data, work, encoders, anchor=anchor), [Fresh(aligner="auto")])[0]
        print(f"| {row} | {one.accuracy:.3f} ± {one.spread:.3f} |", flush=True)


def built(place: Path) -> Iterable[tuple[str, Path]]:
    """The default anchor cut short, with random weights, and a bag of random word vectors, as folders."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from transformers import AutoModel

    from textanchor.encoders import make

    for layers in (3, 1):
        cut: Any = make(DEFAULT_ANCHOR, TEXT, Runtime(device="cpu"))._model  # type: ignore[attr-defined]
        cut[0].auto_model.encoder.layer = cut[0].auto_model.encoder.layer[:layers]
        cut[0].auto_model.config.num_hidden_layers = layers
        yield f"its first {layers} of 6 layers", saved(cut, place / f"layers-{layers}")
    plain: Any = make(DEFAULT_ANCHOR, TEXT, Runtime(device="cpu"))._model  # type: ignore[attr-defined]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain[0].auto_model.load_state_dict(AutoModel.from_config(plain[0].auto_model.config).state_dict())
        words = StaticEmbedding(plain.tokenizer, embedding_dim=384)
    yield "random weights", saved(plain, place / "random")
    yield "bag of random word vectors", saved(SentenceTransformer(modules=[words], device="cpu"), place / "words")


def saved(model: Any, place: Path) -> Path:
    """The folder of a text model."""
    model.save_pretrained(str(place))
    return place


def tokens(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """Attention pooling over a photo's patches against the mean of the same patches, same loss and epochs."""
    caltech = data / "caltech101_part" / "images"
    for name, table, seeds in (("Caltech-101", caltech, 5), ("Flickr8k", flickr8k(data, work), 1)):
        pooled = [opened(read(table, encoders={"image": f"{encoders['image']}@pool=mean"}))]
        patches = [opened(read(table, encoders={"image": f"{encoders['image']}@pool=none"}), tokens=True)]
        rows = {
            "linear, mean of patches": (pooled, TRAINED.format("linear"), seeds),
            "MLP, mean of patches": (pooled, TRAINED.format("mlp(dropout=0.3)"), seeds),
            "attention pooling": (patches, TRAINED.format("attention"), seeds),
            "default, mean of patches": (pooled, "auto", 1),
        }
        board(f"tokens, {name}", rows)


def mixed(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """Words ask photos and sounds in one list: precision at 20, and the share of sounds, on one scale and on bare scores."""
    table, told = flickr8k(data, work), {"image": encoders["image"]}
    space = textanchor.fit(table, encoders=told)
    photos, sounds = held_out(table, told), everything(data, work, encoders)
    relevant = concepts(data, photos)
    words = list(relevant)
    asked, labels = embed_texts(space, words), named(sounds)
    found: dict[str, list[tuple[float, float, float]]] = {"one scale": [], "bare scores": []}
    for draw in range(DRAWS):
        known = half(sounds, draw)
        both = with_sounds(space, "auto", sounds, known, draw)
        right = np.hstack([np.array([relevant[word] for word in words]), np.array([labels[~known] == word for word in words])])
        scores = {
            kind: scored(both, (TEXT, asked), (kind, held))
            for kind, held in (("image", photos.pooled), ("audio", sounds.pooled[~known]))
        }
        for name in found:
            scales = {kind: (both.between(TEXT, kind).scale if name == "one scale" else None) or (0.0, 1.0) for kind in scores}
            every = np.hstack([(held - scales[kind][0]) / scales[kind][1] for kind, held in scores.items()])
            top = np.argsort(-every, axis=1, kind="stable")[:, :20]
            sound = top >= len(photos.items)
            due = right[:, len(photos.items) :].sum(axis=1) / right.sum(axis=1)
            found[name].append(
                (np.take_along_axis(right, top, axis=1).mean(), sound.mean(), np.abs(sound.mean(axis=1) - due).mean())
            )
    print("\n### mixed lists of photos and sounds\n\n| ordered by | P@20 | share of sounds | its distance from the true one |")
    print("|---|---|---|---|")
    for name, held in found.items():
        print(f"| {name} | {' | '.join(map(spread, zip(*held, strict=True)))} |", flush=True)
    gain = np.array(found["one scale"])[:, 0] - np.array(found["bare scores"])[:, 0]
    print(f"\nP@20, one scale minus bare: {over_draws(gain)}")


def shared(data: Path, work: Path, encoders: dict[str, str]) -> None:
    """Photos and sounds in one space: a view for each modality against one whitening for all, over the five folds of sounds."""
    specs = {
        "default, own views": ("auto", False),
        "whitening of its own": ("kernel-ridge(view=whitening, hubness=csls)", False),
        "one whitening for all": ("kernel-ridge(view=whitening, hubness=csls)", True),
        "centred, no correction": ("kernel-ridge", False),
    }
    captions, sounds = flickr8k(data, work).read_text(), everything(data, work, encoders)
    found: dict[str, list[list[float]]] = {name: [] for name in specs}
    for fold in esc50(data, work):
        both = work / f"both-{fold.name}"
        both.write_text(captions + fold.read_text().partition("\n")[2])
        pairs = textanchor.read_pairs(both)
        photos, held = held_out(both, encoders), {str(pair.item.path) for pair in pairs.rows if pair.split == "test"}
        test = sounds.take([row for row, name in enumerate(sounds.items.ids) if name in held])
        relevant, labels = concepts(data, photos), named(test)
        asked = np.isin(labels, list(relevant))
        for name, (spec, together) in specs.items():
            space = textanchor.fit(pairs, encoders=encoders, aligner=spec, shared_view=together)
            rows = {
                (row["query"], row["gallery"]): row["R@1"]
                for row in textanchor.evaluate(space, pairs, probe=False, map_=False).table("alignment")
            }
            scores = scored(space.geometry, ("audio", test.pooled[asked]), ("image", photos.pooled))
            kinds = (("image", "text"), ("text", "image"), ("audio", "text"))
            found[name].append([*(rows[kind] for kind in kinds), precision(scores, labels[asked], relevant)])
    print("\n### a view each or one for all, mean ± standard deviation over the folds of sounds\n")
    print("| | image→text R@1 | text→image R@1 | audio→text R@1 | audio→image, never paired, P@10 |")
    print("|---|---|---|---|---|")
    for name, values in found.items():
        print(f"| {name} | {' | '.join(map(spread, zip(*values, strict=True)))} |", flush=True)


def sets(data: Path, work: Path) -> list[tuple[str, list[Path], str]]:
    """Data sets by name, their tables and modality."""
    return [("ESC-50", list(esc50(data, work)), "audio"), ("Flickr8k", [flickr8k(data, work)], "image")]


def board(title: str, rows: dict[str, tuple[Sequence[World], str, int]]) -> None:
    """Recall@1 of both directions, mean over folds or seeds, and the paired difference to the first row."""
    base: dict[str, np.ndarray] = {}
    for name, (worlds, spec, seeds) in rows.items():
        found = [[judged(world, spec, seed) for seed in range(seeds)] for world in worlds]
        rankings = [[{one.name: one for one in figures.rankings} for figures, _ in held] for held in found]
        ways = list(rankings[0][0])
        hits = {way: np.concatenate([np.mean([each[way].hits for each in held], axis=0) for held in rankings]) for way in ways}
        groups = {way: [group for held in rankings for group in held[0][way].groups] for way in ways}
        if not base:
            base = hits
            head = " | ".join(f"{way} R@1 | minus the first row" for way in ways)
            print(f"\n### {title}\n\n| | {head} |\n|---|{'---|' * (2 * len(ways))}", flush=True)
        cells = []
        for way in ways:
            rates = [each[way].hits.mean() for held in rankings for each in held]
            gain = hits[way] - base[way]
            cells.append(spread(rates))
            cells.append(f"{gain.mean():+.3f} {interval(bootstrap(gain, groups[way]))}" if base is not hits else "")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


PARTS: dict[str, Part] = {
    "views": views,
    "shared": shared,
    "anchors": anchors,
    "tokens": tokens,
    "mixed": mixed,
}

if __name__ == "__main__":
    printed(__doc__, PARTS)
