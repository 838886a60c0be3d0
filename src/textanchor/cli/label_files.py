"""`textanchor label export`, `import`, `report`: labels out and in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from textanchor.cli import label_options, options, printing

FORMATS = ("csv", "parquet", "folder", "label-studio")


@dataclass(frozen=True, kw_only=True)
class _Out:
    """How labels are written, as typed."""

    format: str | None
    files: str
    prefix: str | None
    root: Path | None
    only_decided: bool

    def told(self, *, overwrite: bool) -> Any:
        """As the library has it."""
        from textanchor.labelling.formats.exporting import Exporting
        from textanchor.labelling.formats.label_studio import Serving

        given = {name: value for name, value in (("prefix", self.prefix), ("root", self.root)) if value is not None}
        return Exporting(
            format=self.format or "",
            how=self.files,
            serving=Serving(**given),  # type: ignore[arg-type]
            only_decided=self.only_decided,
            overwrite=overwrite,
        )


_OUT = (
    click.option("--format", type=click.Choice(FORMATS), help="[default: by the ending of OUTPUT]"),
    click.option(
        "--files",
        type=click.Choice(["copy", "link", "symlink"]),
        default="copy",
        show_default=True,
        help="What stands in folders of classes.",
    ),
    click.option("--url", "prefix", help="What stands before files for Label Studio. [default: /data/local-files/?d=]"),
    click.option(
        "--root",
        type=click.Path(path_type=Path),
        help="Folder below which Label Studio serves files. [default: the one that holds the items' folder]",
    ),
    click.option("--only-decided", is_flag=True, help="Leave out items that are open."),
)


@click.command("export")
@label_options.project
@click.argument("output", type=click.Path(path_type=Path))
@options.gathered("out", _Out, *_OUT)
@options.overwrite
@options.as_json
def export(project: Path, output: Path, out: _Out, overwrite: bool, as_json: bool) -> None:
    """Write the labels of PROJECT: a table (.csv, .parquet), a folder a class, or tasks and configuration for Label Studio."""
    from textanchor.labelling.formats import export_labels

    done = export_labels(label_options.opened(project), output, out.told(overwrite=overwrite))
    if as_json:
        printing.dump({**asdict(done), "output": str(done.output), "folder": done.folder and str(done.folder)})
        return
    click.echo(f"{done.items} items as {done.format} in {done.output} ({done.files} files)")
    if done.folder is not None and done.format != "folder":
        served = done.format == "label-studio" and out.prefix is None
        click.echo(f"paths begin in {done.folder}{', which is LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT' if served else ''}")


@click.command("import")
@label_options.project
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--add-classes", is_flag=True, help="Add classes that the project does not have.")
@label_options.who
@options.as_json
def import_(project: Path, source: Path, add_classes: bool, who: str, as_json: bool) -> None:
    """Take decisions over into PROJECT: from what `export` wrote, a table of items and labels, or JSON of Label Studio."""
    from textanchor.labelling.formats import import_labels

    brought = import_labels(label_options.opened(project), source, who=who, add_classes=add_classes)
    if as_json:
        printing.dump(asdict(brought))
        return
    printing.skipped(brought.skipped)
    added = f"; new classes: {', '.join(brought.classes)}" if brought.classes else ""
    click.echo(f"{brought.new} decisions are new, {brought.known} were there already{added}")


@click.command("report")
@label_options.project
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="HTML file to write.")
@options.overwrite
@options.as_json
def report(project: Path, output: Path, overwrite: bool, as_json: bool) -> None:
    """Write a page on PROJECT: progress, classes, errors, agreement, promise, and what people and machine differ in."""
    from textanchor.labelling.reporting import facts_json, write_label_report

    held = label_options.opened(project)
    write_label_report(held, output, overwrite=overwrite)
    if as_json:
        printing.dump(facts_json(held))
    else:
        click.echo(f"written: {output}")


COMMANDS = (export, import_, report)
