"""`relance secrets`: the keys that seal what connections keep secret."""

from __future__ import annotations

import typer

from .doors import AsJson, Exit, answer_json, relance_open

app = typer.Typer(help="Secrets at rest: check them, and rotate the key that seals them.", no_args_is_help=True)


@app.command()
def rotate(as_json: AsJson = False) -> None:
    """Seal every secret with the newest key of RELANCE_SECRET_KEYS. Afterwards the older keys can be taken away."""
    with relance_open():
        from relance.workspace.sealed import reseal

        done = reseal()
    if as_json:
        answer_json({"resealed": done.resealed, "current": done.current, "lost": list(done.lost)})
    else:
        print(f"{done.resealed} secrets were sealed anew, {done.current} had the newest key already.")
        _tell_lost(done.lost)
    if done.lost:
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


@app.command()
def check(as_json: AsJson = False) -> None:
    """Can every secret be opened with the keys given? Exit code 1 when one cannot."""
    with relance_open():
        from relance.workspace.sealed import lost_secrets

        lost = lost_secrets()
    if as_json:
        answer_json({"lost": lost})
    elif lost:
        _tell_lost(tuple(lost))
    else:
        print("Every secret opens with the keys given.")
    if lost:
        raise typer.Exit(Exit.SOMEBODY_MUST_ACT)


def _tell_lost(lost: tuple[str, ...]) -> None:
    for one in lost:
        print(
            f"{one}: no key given opens it. It is kept as it is: put the old key back after the new one in "
            "RELANCE_SECRET_KEYS, or type the secret again in the settings of the connection."
        )
