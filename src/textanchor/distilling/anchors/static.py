"""A static student: one vector a token, and a text is their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int
from safetensors.numpy import save
from scipy.linalg import cho_factor, cho_solve, eigh
from scipy.sparse import csr_array
from tokenizers import Tokenizer

from textanchor.distilling.anchors.mapping import solved
from textanchor.distilling.anchors.protocol import Teacher, agreement
from textanchor.distilling.anchors.texts import Taught
from textanchor.encoders.static import NUMBERS, TOKENS
from textanchor.encoders.students import STATIC
from textanchor.errors import InputError
from textanchor.files import write_bytes, write_json
from textanchor.records import Vectors
from textanchor.settings import Amount, Count, Whole

PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
PENALTY = 1e-3  # of the map
MOST_SOLVED = 12_000  # pieces whose vectors are corrected one by one; a matrix of that side is held in memory

Table = Float[np.ndarray, "v d"]


class Static:
    """The teacher's vector of every token, fitted to its vectors of whole texts, in closed form.

    `dim` numbers a vector (at most the teacher's). `vocabulary` tokens are kept, those of the texts first and then the
    tokenizer's in order; 0 keeps all. `frequency` weighs a token by a / (a + p), p its share in the texts (SIF); 0 weighs
    all alike, which the fit makes up for.

    Three steps: token vectors of the teacher; one linear map of their means onto the teacher's texts; a correction of each
    token's vector, drawn towards zero, by ridge regression, its penalty chosen on texts held back. Then the `dim` directions
    in which texts differ most, and 8-bit integers with a scale a token.
    Sources: Tulkens and van Dongen 2024, model2vec; Arora, Liang and Ma 2017, "A simple but tough-to-beat baseline for sentence
    embeddings"; Hoerl and Kennard 1970, doi:10.1080/00401706.1970.10488634.
    """

    kind = STATIC

    def __init__(self, *, dim: Count = 256, vocabulary: Whole = 0, frequency: Amount = 0.0) -> None:
        self.dim, self.vocabulary, self.frequency = dim, vocabulary, frequency

    def make(self, teacher: Teacher, teach: Taught, held: Taught, folder: Path, *, standing: Path) -> tuple[str, ...]:
        """Writes `model.safetensors` and `tokenizer.json`. Raises `InputError` for a teacher without a fast tokenizer."""
        tokens = _tokenizer(teacher.folder)
        shares, judged = (_shares(tokens, teacher.prompt, one.texts.texts) for one in (teach, held))
        kept = _kept(tokens, np.unique(shares.indices), self.vocabulary)
        table = np.zeros((tokens.get_vocab_size(), teach.vectors.shape[1]), dtype=np.float32)
        table[kept] = teacher.vectors(tuple(_written(tokens, int(one)) for one in kept)) * _weights(
            shares, kept, self.frequency
        )
        fit = fitted(table, shares, teach.vectors, judged, held.vectors)
        rotated = fit.table @ directions(shares @ fit.table, self.dim)
        _write(folder, tokens, rotated, kept)
        narrowed = agreement(judged @ _widened(rotated, fit.table), held.vectors)
        return (
            f"{len(np.unique(shares.indices))} of {len(kept)} tokens occur in the texts; the others have the teacher's vector, "
            "mapped",
            f"cosine to the teacher on texts held back: {fit.plain:.3f} by the map alone, {fit.cosine:.3f} with tokens "
            f"corrected (penalty {fit.penalty:g}), {narrowed:.3f} in {rotated.shape[1]} numbers",
        )


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """Token vectors, the penalty of their corrections, and the cosine on what was held back, without them and with them."""

    table: Table
    penalty: float
    plain: float
    cosine: float


def fitted(table: Table, shares: csr_array, targets: Vectors, judged: csr_array, wanted: Vectors) -> Fitted:
    """Map token vectors so that means of them are nearest to `targets`, then correct them one by one.

    The correction D minimises |X (T W + D) - Y|^2 + penalty |D|^2 over the tokens of the texts, most frequent first.
    """
    mapped = np.asarray(table @ solved(shares @ table, targets, penalty=PENALTY), dtype=np.float32)
    often = np.asarray(shares.sum(axis=0)).ravel()
    some = np.sort(np.argsort(-often, kind="stable")[: min(MOST_SOLVED, int((often > 0).sum()))])
    own = shares[:, some]
    gram = (own.T @ own).toarray().astype(np.float32)
    cross = np.asarray(own.T @ (targets - shares @ mapped), dtype=np.float32)
    plain, best = agreement(judged @ mapped, wanted), None
    for penalty in PENALTIES:
        heavier = gram.copy()
        heavier[np.diag_indices_from(heavier)] += penalty
        made = mapped.copy()
        made[some] += cho_solve(cho_factor(heavier, overwrite_a=True), cross)
        found = Fitted(table=made, penalty=penalty, plain=plain, cosine=agreement(judged @ made, wanted))
        if best is None or found.cosine > best.cosine:
            best = found
        elif found.cosine < best.cosine:
            break
    assert best is not None
    return best


def directions(vectors: Vectors, dim: int) -> Float[np.ndarray, "d k"]:
    """Columns that hold most of the vectors' length, the mean's with them, so that cosines stay; no rotation if none goes."""
    if dim >= vectors.shape[1]:
        return np.eye(vectors.shape[1], dtype=np.float32)
    _, basis = eigh(vectors.T.astype(np.float64) @ vectors)
    return np.ascontiguousarray(basis[:, ::-1][:, :dim], dtype=np.float32)


def _tokenizer(folder: Path) -> Tokenizer:
    file = folder / TOKENS
    if not file.is_file():
        raise InputError(f"{folder} has no {TOKENS}, which a static student is made of; take a teacher with a fast tokenizer")
    tokens = Tokenizer.from_file(str(file))
    tokens.no_truncation()
    tokens.no_padding()
    return tokens


def _shares(tokens: Tokenizer, prompt: str, texts: Sequence[str]) -> csr_array:
    """A text without a token has an empty row."""
    rows = [one.ids for one in tokens.encode_batch_fast([prompt + text for text in texts], add_special_tokens=False)]
    lengths = np.array([len(row) for row in rows])
    columns = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    values = np.repeat(1 / np.maximum(lengths, 1), lengths).astype(np.float32)
    made = csr_array((values, (np.repeat(np.arange(len(rows)), lengths), columns)), shape=(len(rows), tokens.get_vocab_size()))
    made.sum_duplicates()
    return made


def _kept(tokens: Tokenizer, seen: Int[np.ndarray, " s"], most: int) -> Int[np.ndarray, " k"]:
    """Tokens that get a vector: of the texts, then by number; none that stand for no text."""
    special = {number for number, one in tokens.get_added_tokens_decoder().items() if one.special}
    every = [number for number in range(tokens.get_vocab_size()) if number not in special]
    first = [number for number in seen.tolist() if number not in special]
    chosen = list(dict.fromkeys([*first, *every]))
    return np.sort(np.asarray(chosen[: most or None], dtype=np.int64))


def _written(tokens: Tokenizer, number: int) -> str:
    """A token as a text of its own."""
    name = str(tokens.id_to_token(number)).removeprefix("##").replace("▁", " ").replace("Ġ", " ").strip()
    return name or "."


def _weights(shares: csr_array, kept: Int[np.ndarray, " k"], frequency: float) -> Float[np.ndarray, "k 1"]:
    if not frequency:
        return np.ones((len(kept), 1), dtype=np.float32)
    often = np.asarray(shares.sum(axis=0)).ravel()[kept] / max(float(shares.sum()), 1e-12)
    return (frequency / (frequency + often))[:, None].astype(np.float32)


def _widened(rotated: Table, table: Table) -> Table:
    """Token vectors of fewer numbers, back among the teacher's directions."""
    found: Table = rotated @ np.linalg.lstsq(rotated, table, rcond=None)[0]
    return found


def _write(folder: Path, tokens: Tokenizer, table: Table, kept: Int[np.ndarray, " k"]) -> None:
    """8-bit rows in model2vec's layout: tokens that were left out share the last row, with a scale of 0."""
    largest = np.abs(table[kept]).max(axis=1)
    rows = np.rint(table[kept] / np.maximum(largest, 1e-12)[:, None] * 127).astype(np.int8)
    places = np.full(len(table), len(kept), dtype=np.int64)
    places[kept] = np.arange(len(kept))
    scales = np.zeros(len(table), dtype=np.float32)
    scales[kept] = largest / 127
    empty = np.zeros((1, table.shape[1]), dtype=np.int8)
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {"embeddings": np.concatenate([rows, empty]), "mapping": places, "weights": scales}
    write_bytes(folder / NUMBERS, save(numbers, {"format": "pt"}))
    write_bytes(folder / TOKENS, tokens.to_str().encode())
    modules = "sentence_transformers.models"
    write_json(
        folder / "modules.json",
        [
            {"idx": 0, "name": "0", "path": "", "type": f"{modules}.StaticEmbedding"},
            {"idx": 1, "name": "1", "path": "1_Normalize", "type": f"{modules}.Normalize"},
        ],
    )
    write_json(
        folder / "config_sentence_transformers.json",
        {"prompts": {}, "default_prompt_name": None, "similarity_fn_name": "cosine"},
    )
