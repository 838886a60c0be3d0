"""Spaces that earlier versions wrote, as this one describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOT_SETTINGS = {"asked", "aligner", "seed", "score", "scores", "centred score", "chosen on", "view", "hubness", "last loss"}
NOTES = {"last loss", "landmarks"}


def brought_up(facts: Mapping[str, Any], seen: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The values of space.json and seen.json as the present format has them; formats 1 and 2 had one story and one wording.

    Their groups were named without the table that they belong to, and keep that meaning. Raises `KeyError` or `TypeError` for
    what no version wrote.
    """
    if facts["version"] > 2:
        return facts, seen
    words = facts.get("wording", {})
    modalities = {name: _modality(told, words) for name, told in facts["modalities"].items()}
    stories = [_story(facts["provenance"], tuple(modalities))] if facts["provenance"].get("fit") else []
    brought = {**facts, "modalities": modalities, "stories": stories, "compositions": facts.get("compositions", {})}
    return brought, {"contents": seen["contents"], "groups": {}, "bare groups": seen["groups"]}


def _modality(told: Mapping[str, Any], words: Mapping[str, Any]) -> dict[str, Any]:
    report = told["report"]
    settings = {key: value for key, value in report.items() if key not in NOT_SETTINGS | NOTES and _plain(value)}
    choice = {
        "aligner": report.get("aligner", report["asked"]),
        "settings": settings,
        "view": report.get("view", ""),
        "hubness": report.get("hubness", ""),
        "chosen on": report.get("chosen on", "nothing"),
        "score": report.get("score"),
        "centred score": report.get("centred score"),
        "scores": report.get("scores", {}),
        "notes": {key: report[key] for key in NOTES if key in report},
    }
    asked = {"asked": report["asked"], "seed": report.get("seed", 0), "wording": words}
    return {**told, "choice": choice, **asked}


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def _story(provenance: Mapping[str, Any], modalities: tuple[str, ...]) -> dict[str, Any]:
    fit = dict(provenance["fit"])
    counts = fit.get("counts", {})
    return {
        **fit,
        "notes": fit.get("notes", []),
        "skipped": fit.get("skipped", []),
        "counts": {name: counts[name] for name in counts if name in modalities},
        "settings": provenance.get("settings"),
        "versions": provenance.get("versions", {}),
    }
