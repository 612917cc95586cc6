"""Says why filters keep nothing: `--include '*.JPG'` over files whose names end in `.jpg`."""

import re
from collections import Counter
from typing import Final

from seefood.sources.filters import Selection, matches_name
from seefood.storage.uris import parse_location

_MAX_SUFFIXES: Final = 1000


class FilterTally:
    """Counts what the filters of a listing keep, until the first object passes them."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._suffixes: Counter[str] = Counter()
        self.seen = 0
        self.named = 0
        """How many objects passed the filters by name."""
        self.kept = 0

    def see(self, uri: str) -> None:
        """Count an object that was listed."""
        self.seen += 1
        if self.named:
            return
        name = parse_location(uri).key.rpartition("/")[2]
        suffix = f".{name.rpartition('.')[2]}" if "." in name else "(no suffix)"
        if suffix in self._suffixes or len(self._suffixes) < _MAX_SUFFIXES:
            self._suffixes[suffix] += 1

    def hint(self) -> str | None:
        """Return why nothing was kept; None if something was, or if nothing was listed."""
        if self.kept or not self.seen:
            return None
        total = f"none of the {self.seen:,} objects that were listed"
        if self.named:
            return f"{total} is of the time that `--since` asks for or later"
        chosen = self._selection
        options = [
            *(f"--include {pattern!r}" for pattern in chosen.include),
            *(f"--exclude {pattern!r}" for pattern in chosen.exclude),
            *([f"--sample {chosen.sample:g}"] if chosen.sample < 1 else []),
        ]
        common = ", ".join(f"{suffix} ({n:,})" for suffix, n in self._suffixes.most_common(5))
        return f"{total} passes {' '.join(options)}; their names end in {common}" + self._caseless()

    def _caseless(self) -> str:
        """Say which patterns match once capitals and small letters are the same."""
        for pattern in self._selection.include:
            for suffix, count in self._suffixes.most_common():
                for name in (f"x{suffix}", suffix):
                    if matches_name(pattern, name, re.IGNORECASE) and not matches_name(
                        pattern, name
                    ):
                        tail = pattern.rpartition(".")[0] + suffix
                        return (
                            "; patterns tell capitals from small letters: "
                            f"`--include {tail!r}` would let {count:,} of them through"
                        )
        return ""
