"""A decision with all that it was made of, so that anybody can make it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from textanchor.config import installed
from textanchor.errors import DamagedError, InputError
from textanchor.files import digest, write_bytes
from textanchor.labelling.guarantee.batches import Batch
from textanchor.labelling.guarantee.decision import Decision
from textanchor.labelling.guarantee.limits import limits
from textanchor.labelling.guarantee.promise import Calibration, Promise, Rest, Scored
from textanchor.labelling.guarantee.strict import Table, parsed

FORMAT = 1
KIND = "textanchor labelling certificate"
LARGEST = 512 * 2**20  # bytes of a certificate that is read
PACKAGES = ("textanchor", "numpy", "scipy", "scikit-learn")
LOTS = "equal scores by numpy.random.default_rng(seed).permutation, calibration items first, then the rest, as listed"


@dataclass(frozen=True, kw_only=True)
class About:
    """Whose proposals they were: the `proposer` as the registry spells it, and what names the `space` or features."""

    proposer: str
    space: str = ""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A promise, the calibration labels and the rest it was decided on, what was let through and, of an audit, what was seen.

    `exams` [m] and `items` [n] are content hashes, or other lasting names, in the order of calibration and rest, in which lots
    are drawn among equal scores (`lots`). `accepted` are places in `items`. `looks` say of the first items of the audit's
    stream whether they were wrong; `declared` is their number if it was fixed beforehand. `digest` is a hash of all the rest:
    whoever keeps it elsewhere sees any change, even by somebody who knows how it is made.
    """

    promise: Promise
    calibration: Calibration
    rest: Rest
    exams: tuple[str, ...]
    items: tuple[str, ...]
    accepted: tuple[int, ...]
    about: About
    limits: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    made: str
    looks: tuple[bool, ...] = ()
    declared: int | None = None
    lots: str = LOTS
    digest: str = ""

    def __post_init__(self) -> None:
        if len(self.exams) != len(self.calibration) or len(self.items) != len(self.rest):
            raise InputError(
                f"{len(self.exams)} names for {len(self.calibration)} calibration labels and {len(self.items)} for "
                f"{len(self.rest)} items; expected one each"
            )

    @classmethod
    def of(
        cls,
        decision: Decision,
        calibration: Calibration,
        rest: Rest,
        promise: Promise,
        *,
        exams: Sequence[str],
        items: Sequence[str],
        about: About,
    ) -> Certificate:
        """Of a decision that was made now. Raises `InputError` unless there is one name an exam and one an item."""
        return cls(
            promise=promise,
            calibration=calibration,
            rest=rest,
            exams=tuple(exams),
            items=tuple(items),
            accepted=tuple(np.flatnonzero(decision.accepted).tolist()),
            about=about,
            limits=limits(calibration, promise),
            versions=tuple((name, installed(name) or "unknown") for name in PACKAGES),
            made=datetime.now(UTC).isoformat(timespec="seconds"),
        ).sealed()

    def looked_at(self, wrong: Sequence[bool], *, declared: int | None = None) -> Certificate:
        """With what a person found in the audit so far, in the order of `auditing.stream`."""
        return replace(self, looks=tuple(bool(one) for one in wrong), declared=declared).sealed()

    def sealed(self) -> Certificate:
        """With the digest of what it says."""
        return replace(self, digest=digest(replace(self, digest="").text()))

    def text(self) -> str:
        """As JSON, a line a field."""
        lines = (f"{json.dumps(name)}: {json.dumps(value, allow_nan=False)}" for name, value in _json(self).items())
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def write(self, path: Path) -> None:
        """Write the whole file or nothing. Raises `InputError` where that cannot be done."""
        try:
            write_bytes(path, self.text().encode())
        except OSError as why:
            raise InputError(f"{path} cannot be written ({why}); name another place") from None

    @classmethod
    def read(cls, path: Path) -> Certificate:
        """Raises `InputError` if there is none, and `DamagedError` for whatever is not one."""
        try:
            if path.stat().st_size > LARGEST:
                raise DamagedError(f"{path} has {path.stat().st_size} bytes; expected a certificate, of {LARGEST} at most")
            return cls.parsed(path.read_text(encoding="utf-8"), str(path))
        except OSError as why:
            raise InputError(f"{path} cannot be read ({why}); name a certificate") from None
        except UnicodeDecodeError:
            raise DamagedError(f"{path} is no text; expected a certificate") from None

    @classmethod
    def parsed(cls, text: str, place: str = "the certificate") -> Certificate:
        """From `text`, which is nothing but data. Raises `DamagedError` for whatever no certificate says."""
        table = parsed(text, place, KIND)
        if table.whole("format") != FORMAT:
            raise DamagedError(f"{place} is of a newer format; expected format {FORMAT} of a {KIND}")
        table.only(*_FIELDS)
        try:
            return _certificate(table)
        except DamagedError:
            raise
        except InputError as why:
            raise DamagedError(f"{place}: {why}") from None


_FIELDS = (
    "kind", "format", "promise", "scored", "calibration", "rest", "accepted", "audit", "about", "limits", "versions", "made",
    "lots", "digest",
)  # fmt: skip


def _json(told: Certificate) -> dict[str, Any]:
    promise, calibration, rest = told.promise, told.calibration, told.rest
    return {
        "kind": KIND,
        "format": FORMAT,
        "promise": {
            "form": promise.form,
            "level": promise.level,
            "delta": promise.delta,
            "seed": promise.seed,
            "batch": {"number": promise.batch.number, "of": promise.batch.of, "accepted": promise.batch.accepted},
        },
        "scored": calibration.scored,
        "calibration": {
            "items": told.exams,
            "scores": _listed(calibration.scores),
            "wrong": _listed(calibration.wrong.astype(int)),
            "groups": _listed(calibration.groups),
            "weights": _listed(calibration.weights),
        },
        "rest": {"items": told.items, "scores": _listed(rest.scores), "groups": _listed(rest.groups)},
        "accepted": told.accepted,
        "audit": {"looks": [int(one) for one in told.looks], "declared": told.declared},
        "about": {"proposer": told.about.proposer, "space": told.about.space},
        "limits": told.limits,
        "versions": dict(told.versions),
        "made": told.made,
        "lots": told.lots,
        "digest": told.digest,
    }


def _listed(values: np.ndarray | None) -> list[float] | None:
    return None if values is None else values.tolist()


def _certificate(table: Table) -> Certificate:
    calibration, rest, audit, about = (table.table(name) for name in ("calibration", "rest", "audit", "about"))
    calibration.only("items", "scores", "wrong", "groups", "weights")
    rest.only("items", "scores", "groups")
    audit.only("looks", "declared")
    about.only("proposer", "space")
    return Certificate(
        promise=_promise(table.table("promise")),
        calibration=Calibration(
            scores=calibration.numbers("scores"),
            wrong=calibration.flags("wrong"),
            groups=None if calibration.missing("groups") else calibration.wholes("groups"),
            weights=None if calibration.missing("weights") else calibration.numbers("weights"),
            scored=_scored(table),
        ),
        rest=Rest(scores=rest.numbers("scores"), groups=None if rest.missing("groups") else rest.wholes("groups")),
        exams=calibration.texts("items"),
        items=rest.texts("items"),
        accepted=tuple(table.wholes_up_to("accepted", len(rest.texts("items")) - 1).tolist()),
        about=About(proposer=about.text("proposer"), space=about.text("space")),
        limits=table.texts("limits"),
        versions=table.table("versions").pairs(),
        made=table.text("made"),
        looks=tuple(audit.flags("looks").tolist()),
        declared=None if audit.missing("declared") else audit.whole("declared"),
        lots=table.text("lots"),
        digest=table.text("digest"),
    )


def _promise(table: Table) -> Promise:
    table.only("form", "level", "delta", "seed", "batch")
    batch = table.table("batch")
    batch.only("number", "of", "accepted")
    return Promise(
        form=table.text("form"),
        level=table.number("level"),
        delta=table.number("delta"),
        seed=table.whole("seed"),
        batch=Batch(
            number=batch.whole("number"),
            of=None if batch.missing("of") else batch.whole("of"),
            accepted=batch.whole("accepted"),
        ),
    )


def _scored(table: Table) -> Scored:
    found = table.text("scored")
    if found == "held apart":
        return "held apart"
    if found == "out of fold":
        return "out of fold"
    raise DamagedError(f"scored is '{found[:200]}'; expected 'held apart' or 'out of fold'")
