"""Class texts that say little: keys, codes and doubles, before an anchor reads them as if they meant something."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from sklearn.preprocessing import normalize

ALIKE = 0.95  # cosine of two texts' raw vectors
NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
SEPARATORS = re.compile(r"[_/\\|]+|(?<=\w)\.(?=\w)")  # no hyphens: a T-shirt is a word
HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")
WORDNET = re.compile(r"[nvars]\d{8}")
KEY = re.compile(r"(cls|class|label|lbl|cat|category|type|kind|target|id|c|k|y)[_\- ]?\d+", re.IGNORECASE)
CODE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z]{0,4}\d[A-Za-z0-9]*")
NUMBERED = re.compile(r"(?P<name>.*?[^\W\d_].*?)[\s_\-]*(v|no\.?|nr\.?|#)?\s*\d+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Remark:
    """What is odd about a class text, why it matters, and what to write instead; no proposal where only people know."""

    text: str
    problem: str
    proposal: str = ""


def lint_classes(texts: Sequence[str], vectors: Float32[np.ndarray, "c a"] | None = None) -> tuple[Remark, ...]:
    """Remarks on class texts, in their order; then on texts that are one after normalisation, and, with the anchor's `vectors`
    of the texts, on those that the anchor can hardly tell apart (a cosine of .95)."""
    own = [remark for text in texts if (remark := _remark(text)) is not None]
    return (*own, *_doubles(texts), *([] if vectors is None else _alike(texts, vectors)))


def plain(text: str) -> str:
    """A text as people write it: one form of each character, humps and separators as single blanks; capitals stay where they
    are not all there is."""
    apart = HUMPS.sub(" ", SEPARATORS.sub(" ", unicodedata.normalize("NFKC", text)))
    joined = " ".join(apart.split())
    return joined.lower() if len(joined) > 4 and joined.isupper() else joined


def _said(text: str) -> str:
    """What two texts share that say the same."""
    return " ".join(plain(text).casefold().replace("-", " ").split())


def _remark(text: str) -> Remark | None:
    """The gravest of a text's own faults."""
    for check in (_empty, _wordnet, _number, _letter, _key, _code, _separators, _numbered):
        found = check(text.strip())
        if found is not None:
            return Remark(text=text, problem=found[0], proposal=found[1])
    return None


def _empty(text: str) -> tuple[str, str] | None:
    return None if text else ("is empty; write what the items show", "")


def _wordnet(text: str) -> tuple[str, str] | None:
    return ("is a WordNet id, which no anchor knows; write the words of the synset", "") if WORDNET.fullmatch(text) else None


def _number(text: str) -> tuple[str, str] | None:
    if not text.isdecimal():
        return None
    word = NUMBERS[int(text)] if int(text) < len(NUMBERS) else ""
    return "is a number; if that is what the items show, write it as a word, else what they show", word


def _letter(text: str) -> tuple[str, str] | None:
    return ("is a single letter; write what it stands for", "") if len(text) == 1 and text.isascii() else None


def _key(text: str) -> tuple[str, str] | None:
    return ("is a key and says nothing of the items; write what they show", "") if KEY.fullmatch(text) else None


def _code(text: str) -> tuple[str, str] | None:
    return ("is a code that only those read who made it; write what it stands for", "") if CODE.fullmatch(text) else None


def _separators(text: str) -> tuple[str, str] | None:
    words = plain(text)
    return None if words == text else ("is written like a name of a file; write words", words)


def _numbered(text: str) -> tuple[str, str] | None:
    found = NUMBERED.fullmatch(text)
    return ("ends in a number; say what sets it apart from the others", found["name"].strip()) if found else None


def _doubles(texts: Sequence[str]) -> Iterator[Remark]:
    """Each text that says the same as one before it."""
    seen: dict[str, str] = {}
    for text in texts:
        key = _said(text)
        if key in seen:
            yield Remark(text=text, problem=f"says the same as '{seen[key]}'; merge the two or say what sets them apart")
        seen.setdefault(key, text)


def _alike(texts: Sequence[str], vectors: Float32[np.ndarray, "c a"]) -> Iterator[Remark]:
    unit = normalize(vectors)
    cosines = np.triu(unit @ unit.T, 1)
    said = [_said(text) for text in texts]
    for one, other in np.argwhere(cosines >= ALIKE).tolist():
        if said[one] != said[other]:
            problem = f"is nearly '{texts[one]}' to the anchor (cosine {cosines[one, other]:.2f}); say what sets them apart"
            yield Remark(text=texts[other], problem=problem)
