"""What the studio's tests look at: a kept collection with hostile names, a report, and a studio on a socket."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conftest import picture
from textanchor.collections import Collection
from textanchor.serve.settings import Access
from textanchor.studio.opened import Opened, opened
from textanchor.studio.running import Running

TOKEN = "an-invitation-of-the-tests"
HOSTILE = ("<img src=x onerror=document.title=1>.png", "${document.title=2}{{value}}'\"&amp;.png")
SECRET = "nobody may read this"


def write_world(folder: Path, shapes: Path, space: Any) -> Path:
    """A folder with drawings and sounds, a film, names full of markup and a link that leads out; kept as a collection."""
    items = folder / "items"
    for kind in ("circle", "cross"):
        (items / kind).mkdir(parents=True)
        for modality, ending in (("image", "png"), ("audio", "wav")):
            for number in range(6):
                shutil.copy(shapes / modality / kind / f"{number:02d}.{ending}", items / kind)
    for seed, name in enumerate(HOSTILE):
        picture("square", 50 + seed).save(items / name)
    film(items / "film.mp4")
    (items / "broken.png").write_bytes(b"no picture at all")
    (folder / "secret.txt").write_text(SECRET)
    picture("stripes", 77).save(folder / "outside.png")
    kept = Collection(folder / "kept", create=True)
    kept.add(space, items)
    kept.close()
    hostile = (
        "<script>parent.document.title='3'</script><img src='http://192.0.2.1/x'><form action='http://192.0.2.1/x'></form>"
    )
    for name, more in (("report", ""), ("hostile", hostile)):
        (folder / name).mkdir()
        (folder / name / "report.html").write_text(f"<!doctype html><title>r</title><h1>A report</h1>{more}")
    return folder


def film(file: Path, frames: int = 10) -> None:
    """A second of a circle, as browsers play it."""
    import av

    with av.open(str(file), "w") as out:
        stream = out.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        for number in range(frames):
            frame = av.VideoFrame.from_image(picture("circle", number, 64))
            out.mux(stream.encode(frame))
        out.mux(stream.encode())


@contextmanager
def running(places: list[str], **told: Any) -> Iterator[Running]:
    """A studio that is stopped in the end."""
    found: Opened = opened(places, space=told.pop("space", None))
    made = Running(found, Access(tokens=(TOKEN,), port=0), **told).start()
    try:
        yield made
    finally:
        made.stop()
