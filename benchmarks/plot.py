"""The bar chart: one panel per section, seefood's bars in colour."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.sections import Section

_OURS: Final = "#c8452d"
_PEERS: Final = "#8d99a6"


def draw_plot(sections: Sequence[Section], caption: str, file: Path) -> None:
    """Write the sections' bars to `file`; its suffix decides the format."""
    import matplotlib as mpl  # noqa: PLC0415 (takes a second; only the last step needs it)

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "seefood"
    from matplotlib import pyplot as plt  # noqa: PLC0415

    shown = [section for section in sections if section.bars]
    heights = [len(section.bars) + 1.5 for section in shown]
    figure, axes = plt.subplots(
        len(shown),
        1,
        figsize=(8.5, 0.36 * sum(heights) + 0.4),
        height_ratios=heights,
        squeeze=False,
    )
    for axis, section in zip(axes[:, 0], shown, strict=True):
        names = [bar.title for bar in section.bars]
        values = [bar.value for bar in section.bars]
        colours = [_OURS if bar.ours else _PEERS for bar in section.bars]
        drawn = axis.barh(range(len(names)), values, color=colours, height=0.72)
        small = section.unit.startswith("s,")
        axis.bar_label(drawn, fmt="%.2f" if small else "%.0f", padding=3, fontsize=8)
        axis.set_yticks(range(len(names)), names, fontsize=8)
        axis.invert_yaxis()
        axis.set_title(f"{section.title} ({section.unit})", loc="left", fontsize=10)
        axis.spines[["top", "right", "bottom"]].set_visible(False)
        axis.set_xticks([])
        axis.margins(x=0.12)
    figure.text(0.01, 0.004, caption, fontsize=6, color="#555555")
    figure.tight_layout(rect=(0, 0.012, 1, 1))
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
    plt.close(figure)
