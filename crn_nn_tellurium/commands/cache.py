"""`crn-nn cache`: compiled models on disk."""

from __future__ import annotations

from typing import Annotated

from typer import Option


def command(
    clear: Annotated[bool, Option("--clear", help="Delete all of them.")] = False,
) -> None:
    """Where compiled models are kept, how many they are, and how large.

    Large networks take long to compile, so what was compiled once is loaded by whoever needs it
    later. The environment variable CRN_NN_CACHE names another folder, or is "off".

    Example: [bold]crn-nn cache --clear[/bold]
    """
    from crn_nn_tellurium.simulation import cache_state, clear_compile_cache

    state = cache_state()
    if state.folder is None:
        print("compiled models are not kept: CRN_NN_CACHE is off")
        return
    what = f"compiled models: {state.n_models}, {state.n_bytes / 2**20:.1f} MB"
    if clear:
        clear_compile_cache()
    print(f"{state.folder}\n{what}{', deleted' if clear else ''}")
