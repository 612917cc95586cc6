"""The options and the start of the page that `seefood review` and `seefood audit` serve."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from pathlib import Path

    from seefood.review.queue import Queue

_OPTIONS: Final = (
    click.option("--reviewer", metavar="NAME", help="Who answers.  [default: this user's name]"),
    click.option(
        "--labels", metavar="A,B", multiple=True, help="Labels to choose from, beside the model's."
    ),
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        metavar="PORT",
        help="0 takes a free one.  [default: 8017, or a free one]",
    ),
    click.option(
        "--host",
        default="127.0.0.1",
        show_default=True,
        metavar="ADDRESS",
        help="Where to listen; 0.0.0.0 lets a phone in that has the address.",
    ),
    click.option("--open", "show", is_flag=True, help="Open the page in a browser."),
)


def page_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--reviewer`, `--labels`, `--port`, `--host` and `--open`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def serve_page(
    queue: "Queue", *, host: str, port: int | None, show: bool, model: "Path | None" = None
) -> None:
    """Serve the page until it is stopped, and open it in a browser if `show`."""
    from seefood.review.server import listen_somewhere, serve_queue

    def say(text: str) -> None:
        click.echo(text, err=True)
        if show and text.startswith("Open "):
            import webbrowser

            webbrowser.open(text.removeprefix("Open "))

    serve_queue(queue, listen_somewhere(host, port), host, say, model)
