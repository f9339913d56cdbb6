"""Checkouts of other engines: recorded live, verified, and every film that applies rendered, linted and checked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MEDIA = ROOT / "media" / "engines"
ASTRAI = {
    "shared": "--pages 8 --batch 2 --request 10:20:12,10:21:14 --request 60:20:10 --request 10:19:9 "
    "--request 90:17:12,100:9:5 --request 10:20:4",
    "many": "--pages 16 --request 10:21:19,10:27:16,60:13:12,10:35:14 --request 10:29:9,60:11:8 --request 10:21:13",
}
"""Requests for the newest design: prompts that begin the same, and more pages than there are."""
BEFORE = {"alone": "--request 10:20:10,50:20:14 --request 90:11:8"}
"""Requests that the designs before serve without one of their mistakes: of one length, and nothing shared."""
NANO = {
    "shared": "--request 10:20:10,10:28:14,10:35:20 --request 10:24:8 --request 60:40:20,100:30:20,10:33:20",
    "tight": "--pages 10 --budget 20 --request 10:20:20,40:28:14,10:35:20 --request 60:40:20,100:30:20,10:33:20",
}
MINI_SGLANG = {
    "shared": "--pages 28 --budget 40 --request 10:20:30,60:70:5,10:26:10 --request 10:19:9 --request 90:17:12,10:26:5",
    "tight": "--pages 10 --budget 20 --no-overlap --request 10:20:20,40:28:4 --request 10:33:12 "
    "--request 60:40:9,100:9:5",
    "naive": "--cache naive --request 10:20:12,50:21:14 --request 10:40:9,90:30:12",
}
"""Requests that begin alike do not come at once: the engine would let go of pages that the second still reads."""


def run(*command: object) -> tuple[int, str]:
    """Exit status and output of a command."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=env, cwd=ROOT, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def judged(what: str, status: int, told: str) -> bool:
    """Say how a command went, in a line."""
    last = [line for line in told.splitlines() if line.strip()][-1:] or ["nothing said"]
    click.echo(f"  {what}: {'ok' if status == 0 else 'FAILED'}: {last[0][:160]}")
    return status == 0


def told(trace: Path) -> bool:
    """Whether all films that apply to a trace render, without a finding or a difference."""
    films = (sys.executable, "-m", "scenes")
    status, listed = run(*films, "list", "--json", "--trace", trace)
    if status:
        return judged("list", status, listed)
    applying = [film["film"] for film in json.loads(listed) if film["applies"] == "yes"]
    click.echo(f"  films that apply: {', '.join(applying) or 'none'}")
    good = True
    for film in applying:
        for name in ("lint", "check"):
            good &= judged(f"{name} {film}", *run(*films, name, film, "--trace", trace))
        out = trace.with_name(f"{trace.stem}-{film}.mp4")
        good &= judged(
            f"render {film}", *run(*films, "render", film, "--trace", trace, "--quality", "preview", "-o", out)
        )
    return good


def tried(name: str, script: str, checkout: Path, python: str, workloads: dict[str, str]) -> bool:
    """Whether a checkout can be recorded and filmed, under each of the workloads."""
    good = True
    for load, options in workloads.items():
        trace = MEDIA / f"{name}-{load}.jsonl.gz"
        click.echo(f"{name}, requests {load!r}")
        trace.unlink(missing_ok=True)
        status, said = run(python, HERE / script, checkout, "-o", trace, *options.split())
        if not judged("record", status if trace.exists() else 1, said):
            good = False
            continue
        status, said = run(sys.executable, "-m", "astrai_sim", "verify", trace)
        levels = [
            line.strip() for line in said.splitlines() if line.strip().startswith(("format:", "paging:", "policy:"))
        ]
        click.echo("\n".join(f"  verify: {line[:110]}" for line in levels))
        good &= status == 0 and told(trace)
    return good


@click.command()
@click.option("--astrai", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--nano", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--mini-sglang", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--python", default=sys.executable, help="the interpreter that has what the engines need")
def main(astrai: tuple[Path, ...], nano: tuple[Path, ...], mini_sglang: tuple[Path, ...], python: str) -> None:
    """Try checkouts of AstrAI, nano-vllm and mini-sglang; exit status 1 where something did not hold."""
    if not (astrai or nano or mini_sglang):
        click.echo("no checkout is given: nothing tried; make test-engines ASTRAI=path NANO=path MINI_SGLANG=path")
    MEDIA.mkdir(parents=True, exist_ok=True)
    python = str(Path(python).absolute()) if Path(python).exists() else python
    good = True
    for checkout in map(Path.absolute, astrai):
        newest = (checkout / "astrai" / "inference" / "cache").is_dir()
        good &= tried(checkout.name, "astrai_run.py", checkout, python, ASTRAI if newest else BEFORE)
    for checkout in map(Path.absolute, nano):
        good &= tried(checkout.name, "nano_run.py", checkout, python, NANO)
    for checkout in map(Path.absolute, mini_sglang):
        good &= tried(checkout.name, "mini_sglang_run.py", checkout, python, MINI_SGLANG)
    sys.exit(not good)


if __name__ == "__main__":
    main()
