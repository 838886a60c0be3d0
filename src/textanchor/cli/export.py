"""`textanchor export`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textanchor.cli import options
from textanchor.runtime import Runtime

if TYPE_CHECKING:
    from textanchor.space import Space

FORMATS = ("sentence-transformers", "onnx", "hub")
BELONGS = {  # options that mean something for some formats only
    "modality": FORMATS[:2], "view": FORMATS[:2], "whole": ("onnx",),
    **dict.fromkeys(("packed", "evaluation", "license", "push"), ("hub",)),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Hub:
    """What belongs to the model hub: encoders' files beside, figures and licence for the card, and where it is pushed."""

    packed: bool
    evaluation: Path | None
    licence: str | None
    push: str | None


_HUB = (
    click.option("--packed", is_flag=True, help="hub: with the files of the encoders."),
    click.option(
        "--evaluation", type=click.Path(path_type=Path), help="hub: metrics.json of `textanchor evaluate`, for the card."
    ),
    click.option("--license", "licence", help="hub: licence of the space, such as apache-2.0."),
    click.option("--push", metavar="REPOSITORY", help="hub: push the folder to this repository, such as user/name."),
)


@click.command()
@click.argument("space", type=click.Path(path_type=Path))
@click.option("--to", "form", type=click.Choice(FORMATS), required=True, help="What is written.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--modality", multiple=True, help="What is exported: for onnx one (or text), else by default all that can be.")
@click.option("--whole", is_flag=True, help="onnx: the encoder too, and not the projector alone.")
@click.option("--view", metavar="MODALITY", help="Unit vectors as they are compared with this modality. [default: raw vectors]")
@options.gathered("hub", Hub, *_HUB)
@options.encoders
@options.runtime_without("engine", "workers", "pixels", "seconds", "numbers", "strict", "cache")
@options.overwrite
def command(
    space: Path,
    form: str,
    output: Path,
    modality: tuple[str, ...],
    whole: bool,
    view: str | None,
    hub: Hub,
    encoders: dict[str, str],
    runtime: Runtime,
    overwrite: bool,
) -> None:
    """Write SPACE as a folder that other programs take.

    sentence-transformers: `SentenceTransformer(folder).encode` gives the same vectors of texts and of what its modules can
    hold. onnx: a graph of one modality. hub: a folder with a model card for the Hugging Face hub.
    """
    given = {"modality": modality, "view": view, "whole": whole, "packed": hub.packed, "evaluation": hub.evaluation}
    given |= {"license": hub.licence, "push": hub.push}
    for name, value in given.items():
        if value and form not in BELONGS[name]:
            raise click.UsageError(f"--{name} means nothing for --to {form}; it belongs to --to {' or '.join(BELONGS[name])}")
    from textanchor.space.storage import load

    held = load(space, encoders=encoders, runtime=runtime)
    if form == "onnx":
        _onnx(held, output, modality, whole=whole, view=view, overwrite=overwrite)
    elif form == "sentence-transformers":
        _sentence_transformers(held, output, modality, view=view, overwrite=overwrite)
    else:
        _hub(held, output, hub, overwrite=overwrite)


def _onnx(space: Space, output: Path, modality: tuple[str, ...], *, whole: bool, view: str | None, overwrite: bool) -> None:
    from textanchor.files import read_json
    from textanchor.interop.onnx import FACTS, export_onnx

    if len(modality) != 1:
        raise click.UsageError(f"say which: --modality {' or '.join(('text', *space.modalities))}")
    export_onnx(space, output, modality=modality[0], whole=whole, compared_with=view, overwrite=overwrite)
    told = read_json(output / FACTS)
    inputs = ", ".join(f"{one['name']} {one['shape']}" for one in told["inputs"])
    click.echo(f"saved to {output}: {inputs} -> vectors; at most {told['difference']:.1e} from ours")


def _sentence_transformers(space: Space, output: Path, modality: tuple[str, ...], *, view: str | None, overwrite: bool) -> None:
    from textanchor.interop.sentence_transformers import export_sentence_transformers

    done = export_sentence_transformers(space, output, modalities=modality or None, compared_with=view, overwrite=overwrite)
    for name, reason in done.left_out.items():
        click.echo(f"left out {name}: {reason}", err=True)
    remote = ", trust_remote_code=True" if done.own_code else ""
    click.echo(f"saved to {output}: {', '.join(done.modalities)}; SentenceTransformer('{output}'{remote}).encode(...)")


def _hub(space: Space, output: Path, hub: Hub, *, overwrite: bool) -> None:
    from textanchor.interop.hub import export_hub, upload

    export_hub(
        space,
        output,
        packed=hub.packed,
        evaluation=hub.evaluation,
        licence=hub.licence,
        name=hub.push or "",
        overwrite=overwrite,
    )
    click.echo(f"saved to {output}, with a model card in README.md")
    if hub.push:
        click.echo(f"pushed to {upload(output, hub.push)}")
