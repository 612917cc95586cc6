"""The curve of mistakes, in words."""

from seefood.risk_curve import describe_curve


def test_some_points_by_rising_share() -> None:
    """The points nearest to six shares are shown, each once."""
    points = [(0.95, 0.0), (0.31, 0.02), (0.29, 0.05), (0.0, 0.25)]
    expected = "0% unsure: 25.0% wrong; 29% unsure: 5.0% wrong; 31% unsure: 2.0% wrong; "
    assert expected + "95% unsure: 0.0% wrong" == describe_curve(points)


def test_one_point() -> None:
    """Where all scores are equal there is nothing to choose."""
    assert "0% unsure: 20.0% wrong" == describe_curve([[0.0, 0.2]])
