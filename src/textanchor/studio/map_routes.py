"""`/studio/map/...`: the points of a map with what they are coloured by, and the item of one point."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from fastapi import APIRouter, Response
from pydantic_core import to_json

from textanchor.serve.refusal import Refusal
from textanchor.studio.cards import card_of
from textanchor.studio.map.colouring import of_decisions, of_items
from textanchor.studio.map.gathering import of_collection, of_project
from textanchor.studio.map.laying import Layouts
from textanchor.studio.opened import Opened
from textanchor.studio.showing import keys
from textanchor.studio.sources import Labelling, Shelved, Source

STEPS = 10_000  # places of a point along a side


def map_routes(opened: Opened, layouts: Layouts) -> APIRouter:
    """Both."""
    router = APIRouter()

    @router.get("/studio/map/{where}")
    def points(where: str) -> Response:
        """All points, or word that they are not laid out yet."""
        return _json(_points(opened, _source(opened, where), layouts))

    @router.get("/studio/item/{where}/{key}")
    def item(where: str, key: str) -> Response:
        """One item, to be shown."""
        source = _source(opened, where)
        found = source.item(key)
        return _json(asdict(card_of(source, key, found, source.public_id(found.id), opened.limits)))

    return router


def _source(opened: Opened, where: str) -> Shelved | Labelling:
    source: Source | None = opened.sources.get(where)
    if not isinstance(source, Shelved | Labelling):
        raise keys.gone()
    return source


def _points(opened: Opened, source: Shelved | Labelling, layouts: Layouts) -> dict[str, Any]:
    labelling = isinstance(source, Labelling)
    gathered = of_project(source, opened.space) if isinstance(source, Labelling) else of_collection(source)
    if not gathered.keys:
        return {"state": "empty"}
    try:
        laid = layouts.of(gathered.vectors)
    except Exception as why:
        raise Refusal(500, f"the map could not be laid out: {why}", code="no_map") from None
    if laid is None:
        return {"state": "working", "items": len(gathered.keys)}
    there = np.isfinite(laid).all(axis=1)
    colours = of_decisions(source, gathered) if isinstance(source, Labelling) else of_items(gathered)
    places = np.where(there[:, None], np.round(laid * STEPS), -1).astype(int)
    return {
        "state": "ready",
        "total": gathered.total,
        "keys": gathered.keys,
        "x": places[:, 0].tolist(),
        "y": places[:, 1].tolist(),
        "colours": [asdict(one) for one in colours],
        "labelling": labelling,
        "classes": [asdict(one) for one in source.project.classes] if isinstance(source, Labelling) else [],
    }


def _json(value: object) -> Response:
    return Response(to_json(value, inf_nan_mode="null"), media_type="application/json")
