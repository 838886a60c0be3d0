"""Search by Milvus, a server or several, or by Milvus Lite in a file; the extra `[milvus]`.

Source: Wang et al. 2021, "Milvus: A Purpose-Built Vector Data Management System", doi:10.1145/3448016.3457550.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from math import isqrt
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np

from textanchor.collections.backends.lodging import Lodging
from textanchor.collections.backends.milvus_client import Client
from textanchor.collections.backends.protocol import Found, Rows, padded
from textanchor.collections.backends.stored import read_pointer, write_pointer
from textanchor.errors import DamagedError, InputError
from textanchor.records import Vectors
from textanchor.settings import Count, Rule

Kind: TypeAlias = Literal["exact", "hnsw", "ivf", "ivf-sq8"]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_MEANING = "a name of letters, digits and _"
CollectionName: TypeAlias = Annotated[str, Rule(meaning=_MEANING, holds=lambda name: bool(_NAME.fullmatch(name)))]
TYPES = {"exact": "FLAT", "hnsw": "HNSW", "ivf": "IVF_FLAT", "ivf-sq8": "IVF_SQ8"}
MOST = 16_384  # hits that Milvus gives a query
AT_ONCE = 4096  # rows or row numbers in one request
QUERIES = 256  # in one request
ENOUGH = 39  # vectors a cell: with fewer, Milvus Lite warns on stderr


class Milvus:
    """Vectors in Milvus's collection `<collection>_<random>` with the fields `row` and `vector`; `url` is that of a server or a
    path ending in .db. They are compared one by one (`exact`), by a graph of `links` neighbours a row with `breadth` rows in
    view (`hnsw`), or in the `probes` nearest of `lists` cells (`ivf`; `ivf-sq8` keeps a byte a number).

    Each build makes a new collection, which goes with this object unless it is saved; what is saved is its name and the next
    row number, so save after adding. What was never saved stays in a .db file if the process ends before the object.
    Raises `InputError` for what Milvus refuses, `MissingError` without pymilvus.
    """

    def __init__(
        self,
        *,
        url: str,
        collection: CollectionName = "textanchor",
        kind: Kind = "exact",
        links: Count = 16,
        breadth: Count = 128,
        lists: Count | None = None,
        probes: Count = 16,
    ) -> None:
        self._client = Client(url)
        self._kind, self._links, self._lists = kind, links, lists
        self._breadth, self._probes = breadth, probes
        self._next = 0
        self._writing = Lock()
        self._lodging = Lodging(collection, partial(_drop, self._client), self._client.close)
        self._lodging.goes_with(self)

    def __repr__(self) -> str:
        return f"Milvus({self._client}, collection {self._lodging.name}, {self._kind})"

    @property
    def exact(self) -> bool:
        """Whether the best are always found."""
        return self._kind == "exact"

    def __len__(self) -> int:
        return 0 if self._lodging.name is None else self._count(None)

    def build(self, vectors: Vectors) -> None:
        """The collection before serves until it is done."""
        name = self._lodging.fresh()
        with self._client.calls() as client:
            schema, index = self._described(client, *vectors.shape)
            client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
        with self._writing:
            self._next = 0
            self._insert(name, vectors)
        self._lodging.move(name)

    def add(self, vectors: Vectors) -> Rows:
        """More of them; gives their row numbers."""
        if self._lodging.name is None:
            self.build(vectors)
            return np.arange(len(vectors), dtype=np.int64)
        with self._writing:
            return self._insert(self._lodging.name, vectors)

    def remove(self, rows: Rows) -> None:
        """Find these no more."""
        for some in _pieces(rows) if self._lodging.name is not None else ():
            with self._client.calls() as client:
                client.delete(self._lodging.name, ids=some.tolist())

    def top(self, queries: Vectors, k: int, allowed: Rows | None = None) -> Found:
        """Scores and rows of the k best, best first. Raises `InputError` for more hits than Milvus gives."""
        hits: list[list[tuple[int, float]]] = [[] for _ in queries]
        if self._lodging.name is None:
            return padded(hits, 0)
        for filtered in _filters(allowed):
            for start in range(0, len(queries), QUERIES):
                found = self._search(queries[start : start + QUERIES], min(k, MOST), filtered)
                for own, more in zip(hits[start:], found, strict=False):
                    own += more
        fewest = min(map(len, hits), default=0)
        count = k if fewest >= k else min(k, self._count(allowed))
        if count > max(MOST, fewest):
            raise InputError(f"{count} hits were asked for; Milvus gives at most {MOST}, so ask for fewer")
        return padded(hits, count)

    def save(self, file: Path) -> None:
        """The collection's name and the next row number. Raises `InputError` if nothing was built."""
        if self._lodging.name is None:
            raise InputError("the index is empty, so there is nothing to save; build it first")
        write_pointer(file, "milvus", collection=self._lodging.name, next=self._next)
        self._lodging.stay()

    def load(self, file: Path) -> None:
        """Raises `DamagedError` unless the collection is there, is ours and of this kind."""
        told = read_pointer(file, "milvus", collection=str, next=int)
        name, following = str(told["collection"]), int(told["next"])
        if not (_NAME.fullmatch(name) and self._lodging.is_ours(name)) or following < 0:
            raise DamagedError(f"{file} is not a readable index: its collection has an impossible name; build it again")
        with self._client.calls() as client:
            found = _kind_of(client, name) if client.has_collection(name) else "no such collection"
            if found != f"{TYPES[self._kind]} by IP":
                wanted = f"expected kind {self._kind}, so build it again"
                raise DamagedError(f"{file}: collection {name}, {self._client}: {found}; {wanted}")
            client.load_collection(name)
        self._lodging.found(name)
        self._next = following

    def _described(self, client: Any, count: int, width: int) -> tuple[Any, Any]:
        kinds = self._client.types
        schema = client.create_schema(auto_id=False)
        schema.add_field("row", kinds.INT64, is_primary=True)
        schema.add_field("vector", kinds.FLOAT_VECTOR, dim=width)
        cells = {"nlist": max(min(self._lists or isqrt(count), count // ENOUGH), 1)}
        given = {"exact": {}, "hnsw": {"M": self._links, "efConstruction": 200}}.get(self._kind, cells)
        index = client.prepare_index_params()
        index.add_index("vector", index_type=TYPES[self._kind], metric_type="IP", params=given)
        return schema, index

    def _insert(self, name: str, vectors: Vectors) -> Rows:
        rows = np.arange(self._next, self._next + len(vectors), dtype=np.int64)
        self._next += len(vectors)
        for some in _pieces(rows - rows[:1]):
            entries = [{"row": int(rows[place]), "vector": vectors[place]} for place in some.tolist()]
            with self._client.calls() as client:
                client.insert(name, entries)
        return rows

    def _search(self, queries: Vectors, k: int, filtered: str) -> list[list[tuple[int, float]]]:
        own = {"hnsw": {"ef": max(self._breadth, k)}, "exact": {}}.get(self._kind, {"nprobe": self._probes})
        with self._client.calls() as client:
            found = client.search(
                self._lodging.name,
                list(queries),
                limit=k,
                filter=filtered,
                search_params={"metric_type": "IP", "params": own},
                output_fields=["row"],
                consistency_level="Strong",
            )
            return [[(hit["row"], hit["distance"]) for hit in hits] for hits in found]

    def _count(self, allowed: Rows | None) -> int:
        with self._client.calls() as client:
            found = [
                client.query(self._lodging.name, filter=one, output_fields=["count(*)"], consistency_level="Strong")
                for one in _filters(allowed)
            ]
        return sum(int(one[0]["count(*)"]) for one in found)


def _kind_of(client: Any, name: str) -> str:
    """The index of a collection that looks like ours."""
    fields = {field["name"] for field in client.describe_collection(name)["fields"]}
    if fields != {"row", "vector"}:
        return f"the fields {', '.join(sorted(fields))}"
    index = client.describe_index(name, "vector")
    return f"{index['index_type']} by {index['metric_type']}"


def _filters(allowed: Rows | None) -> Iterator[str]:
    """Expressions that together mean the rows; an empty one means all."""
    if allowed is None:
        yield ""
        return
    for some in _pieces(np.unique(allowed)):
        yield f"row in {some.tolist()}"


def _pieces(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]


def _drop(client: Client, name: str) -> None:
    with client.calls() as calling:
        calling.drop_collection(name)
