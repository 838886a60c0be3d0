"""What the folders of a file mean: wrapping, side of a split, class; decided from all folders together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from textanchor.data.side_names import is_medium, is_unlabelled, sides_of
from textanchor.data.tables.cells import normal

Folders = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """The class that a file's folders name ("" for none), its side ("" for none), and what is wrong."""

    text: str = ""
    split: str = ""
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class ClassFolders:
    """The meaning of every folder of files, and in a line each what was taken for text and for split."""

    meanings: Mapping[Folders, Meaning] = field(default_factory=dict)
    texts: str = ""
    splits: str = ""

    def of(self, folders: Folders) -> Meaning:
        """Meaning of a file's folders."""
        return self.meanings.get(folders, Meaning())


def class_folders(folders: Collection[Folders], class_depth: int | None = None) -> ClassFolders:
    """Wrapping folders, those of a split, and classes: what remains.

    A level is a split's if all of its folders are named like sides, or if several are and hold classes. Of classes within
    classes the innermost counts, unless its name stands under several: then it is no class of its own but a part of one.
    A level that says only the medium (`images`, `sounds`) is no class where others lie below it, nor is a folder in a side that
    has the side's name. `class_depth` says it outright: 1 the first, 0 all of them together.
    """
    held = sorted(folder for folder in folders if folder)
    depth = _wrapping(held, 0)
    at = next((level for level in (depth, depth + 1) if _split_level(held, level)), None)
    sides = _split_level(held, at) if at is not None else {}
    classes: dict[Folders, Folders] = {}
    split: dict[Folders, str] = {}
    wrong: dict[Folders, str] = {}
    inner = {name: _inner([one for one in held if one[at:][:1] == (name,)], at) for name in sides} if at == depth else {}
    for folder in held:
        if at is None or len(folder) <= at:
            classes[folder] = folder[depth:]
            if at is not None and folder[depth:]:
                wrong[folder] = f"lies beside the folders {', '.join(sorted(sides))} of the split, and in none of them"
            continue
        name = folder[at]
        split[folder] = sides.get(name, "")
        classes[folder] = (*folder[depth:at], *folder[inner.get(name, at + 1) :])
        if name not in sides:
            classes[folder] = ()
            if not is_unlabelled(name):
                wrong[folder] = f"folder '{name}' lies beside {', '.join(sorted(sides))} and is no side of the split"
    media: list[str] = []
    if class_depth is None:
        classes, media = _without_media(classes, {folder: folder[at : at + 1] if at is not None else () for folder in held})
    chosen, remark = _classes(classes, class_depth)
    meanings = {
        folder: Meaning(text=words(chosen[folder]), split=split.get(folder, ""), problem=wrong.get(folder, ""))
        for folder in held
    }
    within = f" within `{'/'.join(held[0][:depth])}`" if depth else ""
    within += f" below {', '.join(f'`{name}`' for name in media)}" if media else ""
    named = any(one.text for one in meanings.values())
    told = ", ".join(f"`{name}` ({side})" for name, side in sorted(sides.items()))
    return ClassFolders(
        meanings=meanings,
        texts=f"texts from the folders' names{within}{remark}" if named else "",
        splits=f"split from the folders {told}" if sides else "",
    )


def words(folders: Iterable[str]) -> str:
    """The words of folders' names, without underscores and dashes."""
    return normal(" ".join(folders).replace("_", " ").replace("-", " "))


def _wrapping(folders: Sequence[Folders], depth: int) -> int:
    """The first level that holds several folders, or the last: single folders around it say nothing."""
    while True:
        here = [folder for folder in folders if len(folder) > depth]
        names = {folder[depth] for folder in here}
        deeper = {folder[depth + 1] for folder in here if len(folder) > depth + 1}
        loose = any(len(folder) == depth + 1 for folder in here)
        if len(names) != 1 or not deeper or sides_of(names) or (loose and len(deeper) < 2 and not sides_of(deeper)):
            return depth
        depth += 1


def _inner(folders: Sequence[Folders], side: int) -> int:
    """The first level of classes within the folder of a side: `train/train/cat` says the side twice."""
    depth = side + 1
    while {folder[depth] for folder in folders if len(folder) > depth} == {folders[0][side]}:
        depth += 1
    return _wrapping(folders, depth)


def _without_media(
    found: Mapping[Folders, Folders], sides: Mapping[Folders, Folders]
) -> tuple[dict[Folders, Folders], list[str]]:
    """Classes without a first level that only says the medium, in each side for itself; and what that level's folders are."""
    tops: dict[Folders, set[str]] = {}
    for folder, names in found.items():
        tops.setdefault(sides[folder], set()).update(names[:1])
    deeper = {sides[folder] for folder, names in found.items() if len(names) > 1}
    media = {side for side in deeper if all(map(is_medium, tops[side]))}
    kept = {folder: names[1:] if sides[folder] in media else names for folder, names in found.items()}
    return kept, sorted({name for side in media for name in tops[side]})


def _split_level(folders: Sequence[Folders], depth: int) -> dict[str, str]:
    """Side by name of folder where a level is a split's; nothing where it is not."""
    names = {folder[depth] for folder in folders if len(folder) > depth}
    sides = sides_of(names)
    others = {name for name in names if name not in sides and not is_unlabelled(name)}
    if not sides or (others and depth and len({folder[:depth] for folder in folders}) > 1):
        return {}
    with_classes = {folder[depth] for folder in folders if len(folder) > depth + 1}
    if not others:
        return sides if with_classes or len(set(sides.values())) > 1 else {}
    if sides.keys() <= with_classes and (len(set(sides.values())) > 1 or not others & with_classes):
        return sides
    return {}


def _classes(found: Mapping[Folders, Folders], class_depth: int | None) -> tuple[dict[Folders, Folders], str]:
    """The folders that name the class, and a remark where there were several to choose from."""
    if class_depth is not None:
        if class_depth == 0:
            return dict(found), ", all of them together (--class-depth 0)"
        place = class_depth - 1
        told = {key: names[place : place + 1] or names[-1:] for key, names in found.items()}
        return told, f", folder {class_depth} of each (--class-depth {class_depth})"
    kept = {key: _lettered(names) for key, names in found.items()}
    nested = [names for names in kept.values() if len(names) > 1]
    if not nested:
        return kept, ""
    above: dict[str, set[Folders]] = {}
    for names in kept.values():
        for depth in range(1, len(names)):
            above.setdefault(words(names[depth : depth + 1]), set()).add(names[:depth])
    parts = {name for name, places in above.items() if len(places) > 1}
    told = {key: _innermost(names, parts) for key, names in kept.items()}
    example = nested[0]
    return told, f", of `{'/'.join(example)}` the text '{words(_innermost(example, parts))}' (otherwise: --class-depth)"


def _innermost(names: Folders, parts: Collection[str]) -> Folders:
    """The last folder whose name is no part's; the first of all where each is."""
    own = [name for name in names[1:] if words([name]) not in parts]
    return (own[-1] if own else names[0],) if names else ()


def _lettered(names: Folders) -> Folders:
    """Without numbers at the end, such as those of sessions, as long as a name remains."""
    while len(names) > 1 and not any(letter.isalpha() for letter in names[-1]):
        names = names[:-1]
    return names
