"""Tuning: the same number of Optuna trials for every method, on validation only."""

from __future__ import annotations

import inspect
import logging
from typing import Any

from textanchor import registry
from textanchor.errors import MissingError

# Range and scale of what may be tuned, by the name of the setting, wherever a part has it and the spec does not say it.
RANGES: dict[str, tuple[float, float, bool]] = {
    "alpha": (1e-3, 10.0, True),
    "width": (0.25, 4.0, True),
    "rate": (1e-4, 1e-2, True),
    "decay": (1e-4, 1e-1, True),
    "temperature": (0.02, 0.5, True),
    "margin": (0.05, 0.5, True),
    "dropout": (0.0, 0.6, False),
    "shrinkage": (0.03, 1.0, True),
    "power": (0.0, 3.0, False),
}
NESTED = {"loss": "loss", "projector": "projector", "view": "view"}  # settings that are parts themselves


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
    known = inspect.signature(registry.load(kind, name)).parameters
    for key, parameter in known.items():
        path = f"{prefix}{key}"
        if key in RANGES and key not in settings:
            low, high, log = RANGES[key]
            settings[key] = trial.suggest_float(path, low, high, log=log)
        elif key in NESTED and isinstance(told := settings.get(key, parameter.default), str) and told != "auto":
            settings[key] = suggested(trial, told, kind=NESTED[key], prefix=f"{path}.")
    return registry.spelled(name, settings)
