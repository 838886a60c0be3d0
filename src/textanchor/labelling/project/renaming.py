"""What the classes' texts say, worked out anew when classes were added or put into other words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from textanchor.collections.taking import own_modality
from textanchor.database import Database
from textanchor.errors import TextAnchorError
from textanchor.labelling.project import arrays
from textanchor.labelling.project.classes import Classes
from textanchor.labelling.project.filling import NAMED, VECTORS, keep_names, stamp
from textanchor.labelling.project.naming import Anchored, named_classes, opened_space
from textanchor.labelling.project.starting import ENCODERS, KNOWING, SPACE
from textanchor.runtime import Runtime
from textanchor.space import Space


def named_anew(database: Database, runtime: Runtime) -> tuple[str, ...]:
    """Bring what names say to the classes of now; a line for people where that cannot be done. Then labels alone count."""
    classes = Classes(database).all()
    if not database.fact(ENCODERS) or database.fact(NAMED) == stamp(classes):
        return ()
    encoders, knowing = (told_json(database, name) for name in (ENCODERS, KNOWING))
    try:
        space = opened_space(database.fact(SPACE), encoders, knowing, runtime)
        named = named_classes(space, _anchored(database, space), [one.text for one in classes], runtime)
    except TextAnchorError as why:
        return (f"what the classes' names say is left out: {why}",)
    with database.writing():
        keep_names(database, classes, named)
    return ()


def told_json(database: Database, name: str) -> Any:
    """A fact that is written as JSON."""
    return json.loads(database.fact(name, "{}"))


def _anchored(database: Database, space: Space) -> Anchored | None:
    vectors = arrays.kept(database, VECTORS)
    if vectors is None:
        return None
    kinds = [kind for (kind,) in database.ask("SELECT modality FROM items WHERE row IS NOT NULL ORDER BY row")]
    return Anchored(
        vectors=vectors.astype(np.float32),
        kinds=tuple(own_modality(space, kind) or "" for kind in kinds),
        present=np.asarray(vectors.any(axis=1)),
    )
