"""Tuning: the same number of Optuna trials for every method, on validation only.

What may be tried of a setting stands in its part's signature (`settings.Tuned`), so parts of other packages are tuned alike.
"""

from __future__ import annotations

import inspect
import logging
from typing import Any

from textanchor import registry
from textanchor.errors import MissingError
from textanchor.settings import Part, Tuned, annotation, is_whole, marks


def study(seed: int) -> Any:
    """A study that maximises, by tree-structured Parzen estimators. Raises `MissingError` without Optuna.

    Source: Bergstra et al. 2011; the library Akiba et al. 2019, arXiv:1907.10902.
    """
    try:
        import optuna
    except ImportError:
        raise MissingError('tuning needs Optuna; install it: pip install "textanchor[bench]"') from None
    logging.getLogger("optuna").setLevel(logging.WARNING)
    return optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))


def tell(search: Any, trial: Any, score: float | None) -> None:
    """What a trial reached; None for one that could not be fitted."""
    from optuna.trial import TrialState

    search.tell(trial, score, state=TrialState.FAIL if score is None else None)


def suggested(trial: Any, spec: str, *, kind: str = "aligner", prefix: str = "") -> str:
    """The spec with a value for each tunable setting that it leaves open, in nested parts too."""
    name, settings = registry.take_apart(spec)
    part = registry.load(kind, name)
    for key, parameter in inspect.signature(part).parameters.items():
        path, said = f"{prefix}{key}", settings.get(key, parameter.default)
        for mark in marks(annotation(part, key)):
            if isinstance(mark, Tuned) and key not in settings:
                settings[key] = _value(trial, path, mark, whole=is_whole(annotation(part, key)))
            elif isinstance(mark, Part) and isinstance(said, str) and said != "auto":
                settings[key] = suggested(trial, said, kind=mark.kind, prefix=f"{path}.")
    return registry.spelled(name, settings)


def _value(trial: Any, path: str, mark: Tuned, *, whole: bool) -> int | float:
    if whole:
        return int(trial.suggest_int(path, int(mark.low), int(mark.high), log=mark.log))
    return float(trial.suggest_float(path, mark.low, mark.high, log=mark.log))
