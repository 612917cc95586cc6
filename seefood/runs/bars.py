"""Live bars on a terminal. Imports rich, which takes 60 ms: import it where a bar is shown."""

from collections.abc import Iterable
from typing import Final

from rich.console import Console, RenderableType
from rich.constrain import Constrain
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task
from rich.text import Text

_MARGIN: Final = 2
"""In columns. The terminal puts `^C` behind the bars; without room it would begin a
new line, and the bars would be drawn twice."""


class Bars(Progress):
    """Bars on stderr that leave room for `^C`."""

    def __init__(
        self, *columns: str | ProgressColumn, expand: bool = False, disable: bool = False
    ) -> None:
        self._terminal = Console(stderr=True)  # the base class already draws while it begins
        super().__init__(*columns, console=self._terminal, expand=expand, disable=disable)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield the table of the bars, narrower than the terminal."""
        yield Constrain(self.make_tasks_table(self.tasks), self._terminal.width - _MARGIN)


class LatestSpinner(SpinnerColumn):
    """Turns beside the latest bar, also if it is full: what comes next has no bar yet."""

    def __init__(self) -> None:
        super().__init__()
        self.latest = 0

    def render(self, task: Task) -> RenderableType:
        """Return the spinner, or a blank for bars that others follow."""
        return self.spinner.render(task.get_time()) if task.id == self.latest else Text(" ")
