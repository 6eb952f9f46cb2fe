"""Cards and sketches: what they say, what they escape, what they cut."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest

from crn_nn_tellurium.basics import ROWS, bars, card, curves, frame_of, layered

ODD = "<b>&\"'$x^2$"


def texts(html):
    """All texts of HTML that must be well-formed."""
    return list(ElementTree.fromstring(html).itertext())


def rows(html):
    """Cells of the last table, row by row."""
    table = list(ElementTree.fromstring(html).iter("table"))[-1]
    return [[cell.text for cell in row] for row in table.iter("tr")]


def test_all_texts_are_escaped_and_no_formulas():
    frame = pd.DataFrame({ODD: [ODD]}, index=pd.Index([ODD], name=ODD))
    picture = bars({ODD: 1.0}, ODD)
    html = card(ODD, {ODD: ODD}, frame, picture, notes=[ODD])
    # title, fact and its name, bar and caption, index and its name, column and its name, note
    assert texts(html).count(ODD) == 10
    assert "<b>" not in html
    # dollars are formulas to MathJax, but for elements of these classes
    assert html.startswith('<div class="tex2jax_ignore mathjax_ignore">')


def test_a_table_is_cut_and_says_by_how_much():
    wide = pd.DataFrame(np.arange(300.0).reshape(15, 20)).add_prefix("c")
    html = card("wide", {}, wide)
    assert len(rows(html)) == 1 + ROWS
    assert "… 7 more rows and 12 more columns" in texts(html)
    assert "… 992 more rows and 12 more columns" in texts(card("", {}, wide, total=1000))
    assert "more" not in card("", {}, wide.iloc[:ROWS, :2])


def test_cells_are_short():
    frame = frame_of({"sample": [0]}, {"x": [1 / 3], "n": [12345], "text": ["a" * 100], "no": None})
    head, cells = rows(card("", {}, frame))
    assert head == ["sample", "x", "n", "text", "no"]
    assert cells == ["0", "0.3333", "12,345", "a" * 59 + "…", None]


def test_rows_are_all_combinations_the_last_level_the_fastest():
    frame = frame_of({"sample": range(2), "output": ["a", "b"]}, {"x": np.array([[1, 2], [3, 4]])})
    assert frame.loc[(1, "a"), "x"] == 3
    assert list(frame.index.names) == ["sample", "output"]


def paths(svg):
    """The points of each path."""
    found = re.findall(r'<path d="([^"]*)"', svg)
    return [np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", d), dtype=float) for d in found]


def test_curves_are_where_their_values_are():
    x = np.linspace(0, 4, 9)
    svg = curves(x, {"up": [x], "down": [1 - x]}, ("0", "4"), "lines")
    up, down = (path for path in paths(svg) if len(path) == 9)
    # 5 - 8 of 9 points apart: the axes run from -3, the least, to 4, the largest
    height = up[:, 1].max() - up[:, 1].min()
    assert height == pytest.approx(80 * 4 / 7, abs=0.1)  # coordinates have one decimal
    assert np.all(np.diff(up[:, 1]) < 0)  # SVG counts downwards
    assert np.all(np.diff(down[:, 1]) > 0)
    assert {"up", "down", "4", "-3", "lines"} <= set(texts(svg))


def test_curves_break_where_there_is_no_number():
    y = np.array([0.0, 1.0, np.nan, 1.0, 0.0])
    svg = curves(np.arange(5.0), {"y": [y]}, ("", ""), "")
    (broken,) = re.findall(r'd="(M[^"]*L[^"]*)"', svg)
    assert broken.count("M") == 2


def test_more_curves_than_there_is_room_for_are_counted():
    x = np.arange(3.0)
    svg = curves(x, {f"y{i}": [x] for i in range(7)}, ("", ""), "")
    assert "3 more" in texts(svg)
    assert "y4" not in texts(svg)


@pytest.mark.parametrize("x", [[], [1.0], [2.0, 2.0]])
def test_of_no_curve_there_is_no_picture(x):
    x = np.array(x)
    assert curves(x, {"y": [x]}, ("", ""), "") == ""
    assert curves(np.arange(2.0), {"y": [np.full(2, np.nan)]}, ("", ""), "") == ""


def test_bars_are_as_long_as_their_values():
    svg = bars({"a": 2.0, "b": -1.0}, "bars", total=10)
    places = re.findall(r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)"', svg)
    (x_a, a), (x_b, b) = ([float(number) for number in place] for place in places)
    assert a == 2 * b
    assert x_b + b == x_a  # both begin at zero
    assert "8 more" in texts(svg)
    assert bars({"a": 0.0}, "") == ""


def test_weights_are_drawn_by_their_signs():
    svg = layered({"in": 2, "out": 1}, [(0, 1, np.array([[1.0, -2.0]]))])
    positive, negative, _ = paths(svg)
    assert positive.tolist() == [[34, 36], [100, 44]]
    assert negative.tolist() == [[34, 52], [100, 44]]
    assert layered({f"l{i}": 1 for i in range(30)}, []) == ""  # more than there is room for


def test_no_spike_is_left_out_of_a_curve_of_many_points():
    x = np.arange(2001.0)
    y = np.where(x == 1013, 7.0, 1.0)
    y[1500] = np.nan
    svg = curves(x, {"y": [y]}, ("0", "2000"), "a spike")
    assert {"7", "1"} <= set(texts(svg))
    drawn = [float(up) for up in re.findall(r"[ML][\d.]+ ([\d.]+)", svg)]
    assert min(drawn) == 8  # the top of the picture
    assert len(drawn) < 110  # as few as before, with both ends and a mark for the legend


def test_roundings_are_no_waves():
    x = np.linspace(0, 1, 50)
    svg = curves(x, {"y": [4 + 1e-15 * np.cos(40 * x)]}, ("0", "1"), "level")
    (curve,) = [path for path in re.findall(r'd="(M[^"]+)"', svg) if path.count("L") == 49]
    assert len(set(re.findall(r" ([\d.]+)", curve))) == 1
    # the numbers beside it are those of its ends, and differ
    assert {"4.02", "3.98"} <= set(texts(svg))
    assert {"0.5", "-0.5"} <= set(texts(curves(x, {"y": [0 * x]}, ("0", "1"), "zero")))


def test_numbers_that_are_not_finite_are_written_without_a_bar():
    svg = bars({"a": 2.0, "b": np.nan, "c": -np.inf, "d": -1.0}, "")
    assert texts(svg) == ["a", "2", "b", "nan", "c", "-inf", "d", "-1"]
    widths = [float(width) for width in re.findall(r'<rect .*?width="([\d.]+)"', svg)]
    assert widths == [70, 0, 0, 35]
