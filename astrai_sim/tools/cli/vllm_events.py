"""`vllm-events`: from what vLLM or SGLang publish of their caches to a trace."""

from pathlib import Path

import click

from astrai_sim.command_line import printable
from astrai_sim.extras import MissingExtra
from astrai_sim.files import FileError
from astrai_sim.imports.kv_events import GPU
from astrai_sim.imports.membership import Asked, Ledger, NothingToShow, taken, write_trace
from astrai_sim.imports.messages import read_messages
from astrai_sim.imports.subscriber import CannotListen, Limits, Subscriber
from astrai_sim.trace.header import MOST_PAGES, UNKNOWN

TRANSPORTS = ("tcp://", "ipc://")
NOT_KNOWN = "not in these events: refcounts, requests, page tables, and in which page of the engine a block is"
MOST_GAPS = 5


class Endpoint(click.ParamType):
    """An address of ZMQ over TCP, or of a socket in the file system."""

    name = "tcp://HOST:PORT|ipc://PATH"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address as it is."""
        if not value.startswith(TRANSPORTS):
            self.fail(f"{value!r} is no address: give {self.name}", param, ctx)
        return value


@click.command("vllm-events")
@click.argument("source", metavar=f"FILE|{Endpoint.name}")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Trace to write.")
@click.option("--replay", type=Endpoint(), help="The publisher's replay endpoint, asked for messages that do not come.")
@click.option("--topic", default="", help="Topic to listen to.  [default: all]")
@click.option("--seconds", type=click.FloatRange(min=0.1), help="Stop listening after that long.")
@click.option("--events", type=click.IntRange(min=1), help="Stop listening once so many events have come.")
@click.option("--medium", default=GPU, show_default=True, help="Take the blocks in this memory.")
@click.option("--rank", type=click.IntRange(min=0), help="Data-parallel rank to take.  [default: the first message's]")
@click.option("--group", type=click.IntRange(min=0), default=0, show_default=True, help="Group of layers to take.")
@click.option(
    "--pages",
    type=click.IntRange(1, MOST_PAGES),
    help="Places that there are for blocks.  [default: as many as are cached at most at once]",
)
@click.option("--engine", default=UNKNOWN, show_default=True, help="Name of the engine, which the events do not tell.")
@click.option("--title", default="", help="Title for films and plots.")
def vllm_events(
    source: str,
    output: Path,
    replay: str | None,
    topic: str,
    seconds: float | None,
    events: int | None,
    medium: str,
    rank: int | None,
    group: int,
    pages: int | None,
    engine: str,
    title: str,
) -> None:
    """Make a trace of the cache events that vLLM or SGLang publish, from a file or a running engine.

    They tell which blocks are cached, not who uses them: the trace says so, and pages are places that the
    import hands out. Listening to an address ends with --seconds, --events or Ctrl-C, and then the trace is written.
    """
    live = "://" in source
    if live:
        Endpoint().convert(source, None, click.get_current_context())
    if not live and (replay or topic or seconds or events):
        raise click.UsageError(
            "--replay, --topic, --seconds and --events are for tcp:// and ipc://", click.get_current_context()
        )
    asked = Asked(medium, rank, group, pages, printable(engine), printable(title))
    listener = Subscriber(source, replay, topic, Limits(seconds, events), _tell)
    if live:
        _tell(f"listening to {source}" + ("" if seconds or events else ": Ctrl-C ends it and writes the trace"))
    try:
        ledger = taken(listener.messages() if live else read_messages(Path(source)), asked)
        digest = write_trace(output, ledger, printable(source if live else Path(source).name))
    except NothingToShow as error:
        heard = "" if not live or listener.heard.connected else ": no publisher was there"
        raise click.ClickException(f"{source}: {error}{heard}") from None
    except (FileError, CannotListen, MissingExtra) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{output}: cannot be written: {error.strerror}") from None
    if live:
        _tell(f"stopped: {listener.heard.stopped}")
    for line in _told(ledger, listener.heard.replayed):
        _tell(line)
    click.echo(f"{output}  sha256 {digest}")


def _tell(line: str) -> None:
    click.echo(printable(line), err=True)


def _told(ledger: Ledger, replayed: int) -> list[str]:
    """What was taken, what is missing, what was left out, and what nobody knows."""
    told = f"{ledger.messages:,} messages: {ledger.stored:,} blocks stored, {ledger.removed:,} removed"
    lines = [f"{told}, at most {ledger.most:,} cached at once, of {ledger.page_size} tokens"]
    if replayed:
        lines.append(f"{replayed:,} messages came from the replay endpoint")
    if ledger.missing:
        gaps = [f"{first}" if count == 1 else f"{first} to {first + count - 1}" for first, count in ledger.gaps]
        more = ", …" if len(gaps) > MOST_GAPS else ""
        lines.append(f"{ledger.missing:,} messages are missing: {', '.join(gaps[:MOST_GAPS])}{more}")
    if ledger.again:
        lines.append(f"{ledger.again:,} blocks were reported stored while they were cached: none is a second copy")
    if ledger.unknown:
        lines.append(f"{ledger.unknown:,} removed blocks were not known to be cached")
    lines += [f"left out: {count:,} {what}" for what, count in ledger.left_out.items()]
    return [*lines, NOT_KNOWN]
