"""How often what was taken over without a look is wrong, by a random part that people looked at since."""

from __future__ import annotations

from scipy.stats import beta

from textanchor.database import Database
from textanchor.errors import InputError
from textanchor.labelling.project.records import Audited

_TAKEN = (
    "SELECT e.item, e.classes FROM events e WHERE e.kind = 'take' "
    "AND NOT EXISTS (SELECT 1 FROM events u WHERE u.undoes = e.event) "
    "AND NOT EXISTS (SELECT 1 FROM events l WHERE l.item = e.item AND l.kind = 'take' AND l.event > e.event "
    "AND NOT EXISTS (SELECT 1 FROM events u WHERE u.undoes = l.event))"
)


def audited(database: Database, level: float) -> Audited:
    """Of what was taken over, the part that was looked at in the random order: all before the first that was not.

    What a person had decided on before it was taken over says nothing; who is unsure counts as finding it wrong.
    Source of the interval: Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404.
    """
    if not 0 < level < 1:
        raise InputError(f"level={level}: expected a share between 0 and 1, such as 0.95")
    told = database.ask(
        f"WITH taken AS ({_TAKEN}) SELECT status = 'machine', status != 'label' OR s.classes != taken.classes, e.how "
        "FROM taken JOIN items i ON i.item = taken.item JOIN states s ON s.item = taken.item "
        "JOIN events e ON e.event = s.event WHERE row IS NOT NULL ORDER BY rank"
    )
    open_at = next((place for place, (still, _, _) in enumerate(told) if still), len(told))
    looked_at = [wrong for still, wrong, how in told[:open_at] if how in ("audit", "drawn")]
    shown, wrong = len(looked_at), sum(looked_at)
    low, high = clopper_pearson(wrong, shown, level)
    share = wrong / shown if shown else float("nan")
    return Audited(shown=shown, wrong=wrong, share=share, low=low, high=high, population=len(told))


def clopper_pearson(hits: int, trials: int, level: float) -> tuple[float, float]:
    """The exact interval of a share of independent trials; (0, 1) of none."""
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, hits, trials - hits + 1)) if hits else 0.0
    high = float(beta.ppf(1 - tail, hits + 1, trials - hits)) if hits < trials else 1.0
    return low, high
