from __future__ import annotations

import re

from gcsync.model.report import Block, Report, Row
from gcsync.render.text import text


def laid_out(*rows: Row, colour: bool = False, in_pipeline: bool = False) -> str:
    report = Report(document={}, blocks=(Block(rows=rows),))
    return text(report, colour=colour, in_pipeline=in_pipeline)


def test_cells_of_one_depth_stand_below_each_other() -> None:
    rows = [Row(cells=("a", "->", "1")), Row(cells=("longer", "->", "22"))]

    assert laid_out(*rows) == "a       ->  1\nlonger  ->  22\n"


def test_places_stand_below_each_other_too() -> None:
    rows = [Row(cells=("a", "1"), place="x:1:1"), Row(cells=("b", "four"), place="y:2:2")]

    assert laid_out(*rows) == "a  1     x:1:1\nb  four  y:2:2\n"


def test_drawings_stand_below_each_other_after_the_cells() -> None:
    rows = [Row(cells=("a", "1"), drawing="--|"), Row(cells=("b", "22"), drawing="---")]

    assert laid_out(*rows) == "a  1   --|\nb  22  ---\n"


def test_depth_indents_and_aligns_by_itself() -> None:
    rows = [Row(cells=("a long heading",), sign="~"), Row(cells=("x", "y"), depth=1)]

    assert laid_out(*rows) == "~ a long heading\n    x  y\n"


def test_one_very_long_cell_does_not_push_all_others_away() -> None:
    rows = [Row(cells=("x" * 500, "1")), Row(cells=("b", "2"))]

    last = laid_out(*rows).splitlines()[1]

    assert len(last) < 100


def test_no_line_ends_in_blanks() -> None:
    rows = [Row(cells=("a", "")), Row(cells=("longer", "b")), Row(cells=(), depth=2)]

    assert all(line == line.rstrip() for line in laid_out(*rows).splitlines())


def test_blocks_and_the_end_are_parted_by_an_empty_line() -> None:
    report = Report(
        document={},
        blocks=(Block(rows=(Row(cells=("one",)),)), Block(rows=(Row(cells=("two",)),))),
        closing=(Row(cells=("end",)),),
    )

    assert text(report) == "one\n\ntwo\n\nend\n"


def test_nothing_to_say_is_nothing() -> None:
    assert text(Report(document={})) == ""


def test_colour_changes_no_letter() -> None:
    rows = [Row(cells=("a", "b"), tone="bad", sign="!", place="x:1:1", depth=1)]

    coloured = laid_out(*rows, colour=True)

    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == laid_out(*rows)


def test_cells_signs_and_places_pass_the_sink() -> None:
    row = Row(cells=("\x1b[2J", "::error::"), place="\u202e.yaml:1:1", drawing="\x9b::")

    shown = laid_out(row, in_pipeline=True)

    assert shown.rstrip("\n").isprintable()
    assert "::" not in shown
