"""`textanchor label propose`, `accept`, `audit`, `simulate`: the work of the machine."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from textanchor.cli import label_options, label_steps, options, printing
from textanchor.errors import InputError
from textanchor.escaping import shown
from textanchor.runtime import Runtime

if TYPE_CHECKING:
    from textanchor.labelling.guarantee import Promise
    from textanchor.labelling.project import Project

_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
_level = click.option("--level", type=_SHARE, help="Share that may be wrong. [default: 0.05]")
_delta = click.option("--delta", type=_SHARE, help="Probability that it may be more after all. [default: 0.1]")


@dataclass(frozen=True, kw_only=True)
class _Promise:
    """What is promised, as typed."""

    form: str
    level: float | None
    delta: float | None
    seed: int | None

    def told(self, seed: int) -> Promise:
        """As the library has it; `seed` where none was typed."""
        from textanchor.labelling.guarantee import Promise

        base = Promise(form=self.form, seed=seed if self.seed is None else self.seed)
        level, delta = base.level if self.level is None else self.level, base.delta if self.delta is None else self.delta
        return replace(base, level=level, delta=delta)


_PROMISE = (
    click.option("--form", default="average", show_default=True, help="What is promised: average, confidence or audit."),
    _level,
    _delta,
    click.option("--seed", type=click.IntRange(min=0), help="By which ties are broken. [default: the project's]"),
)


@click.command("propose")
@label_options.project
@options.gathered("promise", _Promise, *_PROMISE)
@click.option("--proposer", default="", help="Who proposes. [default: the best by cross-validation]")
@click.option("-o", "--certificate", type=click.Path(path_type=Path), help="Write the certificate of what is let through.")
@options.overwrite
@options.runtime_without("engine", "workers", "strict")
@options.as_json
def propose(
    project: Path,
    promise: _Promise,
    proposer: str,
    certificate: Path | None,
    overwrite: bool,
    runtime: Runtime,
    as_json: bool,
) -> None:
    """Propose a class for every item of PROJECT, and say how many may be labelled without a look, at which promised error."""
    from textanchor import registry
    from textanchor.files import refuse_existing
    from textanchor.labelling.project import Project

    registry.part("guarantee", promise.form)
    if certificate is not None:
        refuse_existing(certificate, overwrite=overwrite)
    held = Project(project, runtime=runtime)
    run = held.propose(promise.told(held.settings.seed), proposer=proposer)
    if as_json:
        printing.dump({name: value for name, value in asdict(run).items() if name != "certificate"})
    else:
        for line in run.says:
            click.echo(line)
        if run.through or run.left:
            printing.say(f"next: {label_steps.after_proposing(held, run)}")
    if certificate is not None:
        _write(run.certificate, certificate, multi=held.settings.multi)


@click.command("accept")
@label_options.project
@click.option("--class", "classes", multiple=True, metavar="CLASS", help="All proposed as this, without a promise.")
@click.option("--above", type=click.FloatRange(0, 1), help="All that is proposed with such a probability, without a promise.")
@label_options.who
@options.as_json
def accept(project: Path, classes: tuple[str, ...], above: float | None, who: str, as_json: bool) -> None:
    """Take over what the promise lets through in PROJECT, without a look; `undo` takes it back."""
    held = label_options.opened(project)
    if above is not None and held.run is not None and (missing := _never_proposed(held)):
        printing.say(
            f"{missing} of {len(held.classes)} classes have no label, and nothing is proposed as one of them: "
            "nothing that is of these can be right"
        )
    taken = held.accept(classes, above=above, who=who)
    if as_json:
        printing.dump({"taken": taken, "progress": asdict(held.progress())})
        return
    click.echo(f"{taken} items are labelled by the machine, {held.progress().open} are left to people")
    printing.say(f"look at some of them, drawn at random: textanchor label next {project} --stream audit --count 20")


def _never_proposed(held: Project) -> int:
    """How many classes have neither a label nor a proposal."""
    return sum(not count and not held.entries(proposed=key, limit=1) for key, count in held.progress().classes.items())


@click.command("audit")
@label_options.project
@_level
@_delta
@click.option("-o", "--certificate", type=click.Path(path_type=Path), help="Write the certificate with what was seen.")
@options.as_json
def audit(project: Path, level: float | None, delta: float | None, certificate: Path | None, as_json: bool) -> None:
    """Say how often the machine was wrong in PROJECT, by what people looked at since, drawn at random."""
    held = label_options.opened(project)
    given = {name: value for name, value in (("level", level), ("delta", delta)) if value is not None}
    found = held.audit(**given)  # type: ignore[arg-type]
    if certificate is not None:
        _write(held.certificate, certificate, multi=held.settings.multi)
    if as_json:
        printing.dump({name: None if value != value else value for name, value in asdict(found).items()})
        return
    if not found.population:
        click.echo("there is nothing to look at: nothing was taken over, and nothing is on trial")
        printing.say(f"next: textanchor label accept {project}, or textanchor label propose {project} --form audit")
        return
    click.echo(f"{found.shown} of {found.population} items that the machine labelled were looked at, {found.wrong} were wrong")
    if found.beyond:
        click.echo(f"{found.beyond} more were looked at; they count once those before them in the random order are decided on")
    click.echo(
        f"between {found.low:.1%} and {found.high:.1%} of the others are wrong, except with a probability "
        f"of {found.delta:g}; {_VERDICTS[found.verdict].format(level=found.level)}"
    )
    trial = held.run is not None and held.run.trial
    if found.verdict == "met" and trial:
        printing.say(f"next: {label_steps.next_step(held, held.progress())}")
    elif found.verdict == "open":
        printing.say(f"look at more: textanchor label next {project} --stream audit")


_VERDICTS = {
    "met": "that is at most {level:g}",
    "refuted": "that is more than {level:g}",
    "open": "whether that is at most {level:g} is not clear yet",
}


@dataclass(frozen=True, kw_only=True)
class _Replay:
    """How labelling is replayed, as typed."""

    strategies: tuple[str, ...]
    proposers: tuple[str, ...]
    seeds: int
    drawn: float


_REPLAY = (
    click.option("--strategy", "strategies", multiple=True, help="Strategy to try. Repeatable. [default: the project's]"),
    click.option("--proposer", "proposers", multiple=True, help="Proposer to choose from. Repeatable. [default: the usual]"),
    click.option("--seeds", type=click.IntRange(min=1), default=5, show_default=True, help="How often."),
    click.option("--drawn", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Share drawn in any case."),
)


@click.command("simulate")
@label_options.project
@options.gathered("replay", _Replay, *_REPLAY)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="HTML file with the cost curves.")
@options.overwrite
@options.as_json
def simulate(project: Path, replay: _Replay, output: Path | None, overwrite: bool, as_json: bool) -> None:
    """Replay the labels of PROJECT by several strategies: how many labels it takes to have how much right."""
    from textanchor.labelling.reporting import replayed, write_simulation
    from textanchor.progress import Terminal

    held = label_options.opened(project)
    found = replayed(held, replay.strategies, replay.proposers, seeds=replay.seeds, drawn=replay.drawn, progress=Terminal())
    if output is not None:
        write_simulation(found, output, overwrite=overwrite)
    if as_json:
        printing.dump(found.metrics())
    else:
        click.echo(found.table())


def _write(certificate: str, file: Path, *, multi: bool) -> None:
    from textanchor.files import write_bytes

    if not certificate:
        why = "items have several classes here, each with a promise of its own" if multi else "nothing is let through"
        raise InputError(f"{file} is not written: {why}, so that there is no certificate")
    write_bytes(file, certificate.encode())


@click.command("verify")
@click.argument("certificate", type=click.Path(path_type=Path))
@options.as_json
def verify(certificate: Path, as_json: bool) -> None:
    """Decide again what CERTIFICATE says was decided, from its own scores, labels and seeds.

    The exit code is 1 if it does not fit, and for an audit that has not met its promise yet.
    """
    from textanchor.labelling.guarantee import Certificate
    from textanchor.labelling.guarantee import verify as verified

    told = Certificate.read(certificate)
    found = verified(told)
    if as_json:
        printing.dump({**asdict(found), "holds": found.holds, "promise": asdict(told.promise), "limits": told.limits})
    else:
        promise = told.promise
        click.echo(
            f"{found.accepted} of {found.rest} items are let through: {promise.form}, level {promise.level:g}, made {told.made}"
        )
        for problem in found.problems:
            click.echo(f"does not fit: {shown(problem)}")
        if found.audit is not None:
            seen = f"{found.audit.looked} were looked at, {found.audit.wrong} were wrong"
            click.echo(f"audit: {seen}; {_VERDICTS[found.audit.verdict].format(level=promise.level)}")
        if not found.problems:
            click.echo("the decision follows from what the certificate says")
        for limit in told.limits:
            click.echo(f"  {shown(limit)}")
    if not found.holds:
        raise SystemExit(1)


@click.command("check")
@label_options.project
@click.option("--count", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many of each.")
@click.option("--vocabulary", type=click.Path(path_type=Path), help="File with what new classes may be called.")
@options.as_json
def check(project: Path, count: int, vocabulary: Path | None, as_json: bool) -> None:
    """Say what to look at again in PROJECT: labels that are little believed, items like no class, poor class texts."""
    from textanchor.labelling.reporting import checked

    texts = [] if vocabulary is None else label_options.lines_of(vocabulary)
    found = checked(label_options.opened(project), count=count, vocabulary=texts)
    if as_json:
        printing.dump(found.as_json())
        return
    printing.table(
        [{**label_options.row(one.entry), "believed": one.confidence, "rather": one.instead} for one in found.suspects],
        title="labels that are little believed",
    )
    printing.table([{"item": one.id, "modality": one.modality} for one in found.strange], title="like none of the classes")
    for one in found.new_classes:
        names = f", perhaps '{shown(one.names[0])}'" if one.names else ""
        click.echo(f"{one.items} items may be a class of their own{names}: {', '.join(shown(entry.id) for entry in one.some)}")
    for remark in found.remarks:
        more = f": '{shown(remark.proposal)}'" if remark.proposal else ""
        click.echo(f"class '{shown(remark.text)}' {remark.problem}{more}")
    for note in found.notes:
        printing.say(f"note: {note}")
    if not (found.suspects or found.strange or found.remarks or found.new_classes):
        click.echo("nothing stands out")


COMMANDS = (propose, accept, audit, verify, check, simulate)
