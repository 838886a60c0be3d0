"""What a report says, as figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from textanchor.labelling.care import Couple
from textanchor.labelling.project import Audited, Class, Progress, Project, Run
from textanchor.labelling.reporting.comparing import Agreed, Compared, Share, agreed, compared


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything, of one state of a project; `days` are decisions of people by day."""

    progress: Progress
    classes: tuple[Class, ...]
    runs: tuple[Run, ...]
    audit: Audited | None
    compared: Compared
    agreement: Agreed
    days: tuple[tuple[str, int], ...]

    @property
    def run(self) -> Run | None:
        """The newest."""
        return self.runs[-1] if self.runs else None


def facts(project: Project) -> Facts:
    """Read them."""
    with project.database.reading():
        log = project.history()
        progress, runs = project.progress(), tuple(project.runs())
        days = Counter(one.at[:10] for one in log if one.kind not in ("undo", "take"))
        return Facts(
            progress=progress,
            classes=project.classes,
            runs=runs,
            audit=project.audit() if progress.machine or runs else None,
            compared=compared(project),
            agreement=agreed(log),
            days=tuple(sorted(days.items())),
        )


def facts_json(project: Project) -> dict[str, Any]:
    """The same as JSON holds it."""
    told = facts(project)
    audit = None if told.audit is None else {name: None if one != one else one for name, one in asdict(told.audit).items()}
    return {
        "format": "textanchor-labels",
        "version": 1,
        "project": project.file.name,
        "progress": asdict(told.progress),
        "classes": [asdict(one) for one in told.classes],
        "runs": [{name: value for name, value in asdict(one).items() if name != "certificate"} for one in told.runs],
        "audit": audit,
        "proposals right of items drawn at random": _share(told.compared.proposed),
        "confusions": [{"proposed": one, "said": other, "count": count} for one, other, count in told.compared.pairs],
        "agreement": {
            "items": told.agreement.people.items,
            "alpha": told.agreement.people.alpha.value,
            "alpha interval": told.agreement.people.alpha.interval,
            "couples": [_couple(one) for one in told.agreement.people.couples],
            "repeats": [_couple(one) for one in told.agreement.repeats],
        },
        "days": dict(told.days),
    }


def _share(told: Share) -> dict[str, object]:
    return {"right": told.right, "items": told.items, "share": told.share, "interval": told.interval}


def _couple(told: Couple) -> dict[str, object]:
    return {
        "people": told.people,
        "items": told.items,
        "alike": told.share,
        "interval": told.interval,
        "kappa": told.kappa.value,
    }
