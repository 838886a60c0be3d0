"""What a space has been fitted and selected on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from textanchor.records.showing import short

SIDES = ("", "val", "train")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Content hashes and group keys, each with its side ("train" or "val").

    `decoded` are hashes of what items hold once decoded, whatever the bytes of their files are. `bare_groups` are names of
    groups without a table, as spaces of format 2 and before have them.
    """

    __repr__ = short

    contents: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    bare_groups: Mapping[str, str] = field(default_factory=dict)
    decoded: Mapping[str, str] = field(default_factory=dict)

    def merged(self, other: Seen) -> Seen:
        """Both together; "train" wins where the two differ."""
        return Seen(
            contents=_merged(self.contents, other.contents),
            groups=_merged(self.groups, other.groups),
            bare_groups=_merged(self.bare_groups, other.bare_groups),
            decoded=_merged(self.decoded, other.decoded),
        )

    def side(self, content: str, groups: Iterable[str], bare_groups: Iterable[str]) -> str:
        """ "train", "val" or "" for an item of a content hash and the keys and names of its groups; training wins."""
        sides = [self.contents.get(content, "")]
        sides += [self.groups.get(key, "") for key in groups]
        sides += [self.bare_groups.get(name, "") for name in bare_groups]
        return max(sides, key=SIDES.index)


def _merged(mine: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    trained = {key: "train" for sides in (mine, others) for key, side in sides.items() if side == "train"}
    return {**mine, **others, **trained}
