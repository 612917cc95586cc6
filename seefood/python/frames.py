"""Makes pandas data frames of Arrow tables."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seefood.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def as_frame(table: "pa.Table", options: Mapping[str, Any]) -> "pd.DataFrame":
    """Return `table` as a data frame; `options` go to `pyarrow.Table.to_pandas`.

    Raises `UsageError` without pandas, which seefood does not install.
    """
    from importlib.util import find_spec  # noqa: PLC0415 (rarely used)

    if find_spec("pandas") is None:
        raise UsageError(
            "to_pandas() needs pandas, which is not installed; run `pip install pandas`, or take "
            "to_arrow()"
        )
    return table.to_pandas(**options)
