"""A sign of life on a terminal, for commands that count nothing while they work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from seefood.runs.progress import can_draw


@contextmanager
def working(text: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner with `text` on stderr until the block ends; nothing if it cannot draw.

    Yields a function that replaces the text. The block may print to stderr, not to stdout.
    """
    if not can_draw():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner

    spinner, console = Spinner("dots", text), Console(stderr=True)
    with Live(spinner, console=console, transient=True, redirect_stdout=False) as live:
        live.refresh()  # an import that follows may keep other threads waiting
        yield lambda now: spinner.update(text=now)
