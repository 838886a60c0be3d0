"""What people call the sides of a split: in columns, in folders and in names of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

EVAL = "eval"  # validation where a test side stands beside it, else test
SIDE_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "trn", "restval"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "develop", "development"), "val"),
    **dict.fromkeys(("test", "testing", "tst", "heldout", "holdout"), "test"),
    **dict.fromkeys(("eval", "evaluation"), EVAL),
}
_MEDIA = {
    "images", "image", "imgs", "img", "photos", "pictures", "pics", "audio", "audios", "sounds", "sound", "wav", "wavs",
    "video", "videos", "clips",
}  # fmt: skip
_BESIDE = {"set", "data", "dataset", "datasets", "split", "files", "samples", "part", "folder", "full", *_MEDIA}
_UNLABELLED = {"pred", "predict", "prediction", "predictions", "unlabeled", "unlabelled", "unsup", "extra", "inference"}
_SHARD = re.compile(r"(-[0-9]{5}-of-[0-9]{5})?(-[0-9a-f]{8,})?$")


def side_of(name: str) -> str:
    """The side that a name means (`training_set`, `Test Images`, `held-out`), `EVAL` for what may be two, or ""."""
    words = _words(name)
    joined = SIDE_NAMES.get("".join(words), "")
    if joined:
        return joined
    told = [SIDE_NAMES[word] for word in words if word in SIDE_NAMES]
    return told[0] if len(told) == 1 and all(word in SIDE_NAMES or word in _BESIDE for word in words) else ""


def side_of_file(stem: str) -> str:
    """The side that the name of a table means: `train`, `train-00000-of-00002`, `test-00000-of-00001-9564e8b05b4757ab`."""
    return side_of(_SHARD.sub("", stem))


def is_shard(stem: str) -> bool:
    """Whether a table is one of several parts by its name: `part-00000`, `data-00000-of-00003`, `0000`."""
    return re.fullmatch(r"\d{4,}|part-\d{4,}.*|.*-\d{5}-of-\d{5}(-[0-9a-f]{8,})?", stem) is not None


def sides_of(names: Iterable[str]) -> dict[str, str]:
    """The side that each of the names beside one another means, as far as they mean one.

    Names that have all words but one in common are told apart by that word: `seg_train`, `seg_test`, `seg_pred`.
    """
    split = {name: _words(name) for name in names}
    found = {name: side for name in split if (side := side_of(name))}
    if not found and len(split) > 1:
        common = set.intersection(*(set(words) for words in split.values()))
        rest = {name: "".join(word for word in words if word not in common) for name, words in split.items()}
        sides = {name: SIDE_NAMES[word] for name, word in rest.items() if word in SIDE_NAMES}
        if len(sides) > 1 and all(word in SIDE_NAMES or word in _UNLABELLED for word in rest.values()):
            found = sides
    return settled(found)


def settled(sides: Mapping[str, str]) -> dict[str, str]:
    """With `EVAL` made validation where a test side stands beside it, else test."""
    side = "val" if "test" in sides.values() else "test"
    return {name: side if told == EVAL else told for name, told in sides.items()}


def is_unlabelled(name: str) -> bool:
    """Whether a folder beside those of a split holds what has no text: `pred`, `unlabeled`."""
    return any(word in _UNLABELLED for word in _words(name))


def is_medium(name: str) -> bool:
    """Whether a folder's name says only what kind of files it holds: `images`, `sound_files`."""
    words = _words(name)
    return any(word in _MEDIA for word in words) and all(word in _BESIDE for word in words)


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()) or [name.lower()]
