"""What is kept when a command is interrupted, and what calling it again goes on with."""

from __future__ import annotations

from collections.abc import Mapping

import click

CODE = 130  # 128 and the number of SIGINT, as shells have it
_LATENTS = "latents encoded so far are kept{cache}, and the same command goes on with them"
_KEPT: Mapping[str, str] = {
    "fit": f"the space was not written; {_LATENTS}",
    "start": f"the space was not written; {_LATENTS}",
    "demo": f"no folder was written; {_LATENTS}",
    "evaluate": f"no report was written; {_LATENTS}",
    "doctor": f"nothing was written; {_LATENTS}",
    "rerun": f"nothing was written; {_LATENTS}",
    "search": f"nothing was written; {_LATENTS}",
    "classify": f"nothing was written; {_LATENTS}",
    "encode": _LATENTS,
    "embed": f"the file was not written; {_LATENTS}",
    "bench": "runs measured so far are kept in {output}, " + _LATENTS.replace("goes on with them", "measures the rest"),
    "budget": "shares that were done are tabled in the folder that -o names and cells fitted so far kept there, "
    + _LATENTS.replace("goes on with them", "fits the rest"),
}
_CACHE = "textanchor.cache"
_OUTPUT = "textanchor.output"


def note(*, cache: object) -> None:
    """Remember, while a command runs, where its latents and results go."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta[_CACHE], context.meta[_OUTPUT] = cache, context.params.get("output")


def interrupted(context: click.Context) -> str:
    """The line that ends an interrupted command."""
    kept = _KEPT.get(context.invoked_subcommand or "", "nothing of it was kept")
    cache, output = context.meta.get(_CACHE), context.meta.get(_OUTPUT)
    if cache is None and "{cache}" in kept:  # before the command began
        kept = "nothing was begun"
    return "interrupted: " + kept.format(cache=f" in {cache}", output=output)
