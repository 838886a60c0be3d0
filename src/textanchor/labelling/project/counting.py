"""How far a project is, in figures."""

from __future__ import annotations

from collections import Counter

from textanchor.database import Database
from textanchor.labelling.project.classes import Classes
from textanchor.labelling.project.frontier import frontier
from textanchor.labelling.project.log import split
from textanchor.labelling.project.records import Progress
from textanchor.labelling.project.runs import otherwise


def progress(database: Database) -> Progress:
    """All figures, of one state."""
    keys = {number: key for key, number in Classes(database).numbers().items()}
    told = database.ask(
        "SELECT coalesce(status, 'open'), s.classes, coalesce(disagree, 0), coalesce(drawn, 0), "
        "CASE WHEN drawn = 2 OR (drawn = 1 AND rank < ?) THEN 1 ELSE 0 END, count(*) "
        "FROM items i LEFT JOIN states s ON s.item = i.item WHERE row IS NOT NULL GROUP BY 1, 2, 3, 4, 5",
        frontier(database).rank,
    )
    statuses: Counter[str] = Counter()
    classes: dict[str, Counter[str]] = {"label": Counter(), "machine": Counter()}
    figures: Counter[str] = Counter()
    for status, named, disagree, drawn, counting, count in told:
        statuses[status] += count
        figures.update(disagreements=disagree * count, drawn=(drawn > 0) * count, counting=counting * count)
        for number in split(named or ""):
            if status in classes:
                classes[status][keys[number]] += count
    proposed, through, acceptable = database.ask(
        "SELECT count(*), coalesce(sum(through), 0), coalesce(sum(through AND status IS NULL), 0) FROM proposals "
        "JOIN items USING (item) LEFT JOIN states USING (item) WHERE row IS NOT NULL"
    )[0]
    people = database.ask("SELECT who, count(*) FROM events WHERE kind NOT IN ('undo', 'take') GROUP BY who ORDER BY who")
    return Progress(
        items=statuses.total(),
        open=statuses["open"],
        labelled=statuses["label"],
        machine=statuses["machine"],
        none=statuses["none"],
        unsure=statuses["unsure"],
        disagreements=figures["disagreements"],
        drawn=figures["drawn"],
        counting=figures["counting"],
        proposed=proposed,
        through=through,
        acceptable=acceptable,
        otherwise=otherwise(database),
        skipped=int(database.one("SELECT count(*) FROM skipped")),
        classes={key: classes["label"][key] for key in keys.values()},
        machine_classes={key: classes["machine"][key] for key in keys.values()},
        people=dict(people),
        decisions=int(database.one("SELECT count(*) FROM events")),
    )
