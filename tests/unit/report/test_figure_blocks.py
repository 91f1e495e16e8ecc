"""Blocks of figures in a terminal."""

from __future__ import annotations

from rich.text import Text

from mockforge.report.figure_blocks import FigureBlocks

LONG = "GET /customers/{id}/orders/{orderId}/shipments/{shipmentId}/history"


def blocks(*names: str, total: str = "") -> FigureBlocks:
    cells = ([Text("1"), Text("2.5")], [Text("10"), Text("")])
    return FigureBlocks(("n", "p50"), ("real", "mock"), dict.fromkeys(names, cells), total)


def lines(table: FigureBlocks, width: int) -> list[str]:
    return [line.plain.rstrip() for line in table.lines(width)]


def test_figures_stand_right_aligned_below_their_titles() -> None:
    assert lines(blocks("GET /a"), 80) == [
        "               n  p50",
        "─────────────────────",
        "GET /a  real   1  2.5",
        "        mock  10",
    ]


def test_long_names_stand_above_where_there_is_no_room_beside() -> None:
    assert lines(blocks(LONG), 40)[2] == LONG


def test_long_names_are_folded_before_a_slash_and_never_cut() -> None:
    shown = lines(blocks(LONG), 60)
    folded = [line.split("  ")[0] for line in shown[2:]]
    assert "".join(folded) == LONG
    assert all(line.startswith("/") for line in folded[1:])


def test_a_rule_stands_above_the_total() -> None:
    shown = lines(blocks("GET /a", "all", total="all"), 80)
    assert [line.startswith("─") for line in shown].count(True) == 2


def test_no_blocks_are_a_header() -> None:
    assert len(lines(blocks(), 80)) == 2
