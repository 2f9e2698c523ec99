"""Small plots as inline SVG: no script, no outside request, colours from the page's style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_LABELS = 120
_WIDTH = 460
_ROW = 24


@dataclass(frozen=True, slots=True)
class Dot:
    """A score with its interval, and what it was before."""

    label: str
    n: int
    value: float
    low: float
    high: float
    before: float | None = None


def dots(rows: Sequence[Dot], title: str) -> str:
    """Scores from 0 to 1 as dots on a line with their intervals; hollow dots are the last run."""
    height = _ROW * len(rows) + 30
    right = _LABELS + _WIDTH
    parts = [_open(right + 60, height, title)]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _x(share)
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="4" y2="{height - 22}"/>')
        parts.append(_text(x, height - 6, f"{share:g}", "middle"))
    for place, row in enumerate(rows):
        y = place * _ROW + 16
        was = "" if row.before is None else f", before {row.before:.2f}"
        tip = f"{row.label}: {row.value:.2f} ({row.low:.2f} to {row.high:.2f}), n={row.n}{was}"
        parts += [
            f"<g><title>{escape(tip)}</title>",
            _text(_LABELS - 8, y + 4, row.label, "end"),
            f'<line class="range" x1="{_x(row.low)}" x2="{_x(row.high)}" y1="{y}" y2="{y}"/>',
        ]
        if row.before is not None:
            parts.append(f'<circle class="before" cx="{_x(row.before)}" cy="{y}" r="5"/>')
        parts.append(f'<circle class="now" cx="{_x(row.value)}" cy="{y}" r="4"/>')
        parts += [_text(right + 12, y + 4, f"n={row.n}", "start"), "</g>"]
    return "".join([*parts, "</svg>"])


def distribution(series: Sequence[tuple[str, Sequence[float]]], title: str) -> str:
    """The share of answers (up) that were there within so many seconds (across)."""
    series = [(name, sorted(values)) for name, values in series if values]
    if not series:
        return ""
    longest = max(values[-1] for _, values in series) or 1.0
    parts = [_open(_LABELS + _WIDTH + 60, 200, title), *_axes(f"{longest:.2f} s")]
    for place, (name, values) in enumerate(series):
        points = [(value / longest, (rank + 1) / len(values)) for rank, value in enumerate(values)]
        line = " ".join(f"{_x(x)},{_y(y)}" for x, y in [(0.0, 0.0), *points, (1.0, 1.0)])
        parts.append(f'<polyline class="series s{place}" points="{line}"/>')
        parts.append(_text(_LABELS - 8, 24 + 18 * place, name, "end", f"key s{place}"))
    return "".join([*parts, "</svg>"])


def tradeoff(points: Sequence[tuple[float, float]], now: tuple[float, float], title: str) -> str:
    """Over-refusal (across) against abstention recall (up) as the threshold moves."""
    line = " ".join(f"{_x(x)},{_y(y)}" for x, y in points)
    return "".join(
        [
            _open(_LABELS + _WIDTH + 60, 200, title),
            *_axes("1"),
            f'<polyline class="series s0" points="{line}"/>',
            f'<circle class="now" cx="{_x(now[0])}" cy="{_y(now[1])}" r="4"/>',
            "</svg>",
        ]
    )


def tradeoff_points(scored: Sequence[tuple[float, bool]]) -> list[tuple[float, float]]:
    """Over-refusal and abstention recall for every threshold on a score; `True` is unanswerable.

    Empty when one of the two groups is, or when the score never differs.
    """
    hopeless = [value for value, unanswerable in scored if unanswerable]
    answerable = [value for value, unanswerable in scored if not unanswerable]
    thresholds = sorted({value for value, _ in scored})
    if not hopeless or not answerable or len(thresholds) < 2:
        return []
    return [
        (
            sum(value < threshold for value in answerable) / len(answerable),
            sum(value < threshold for value in hopeless) / len(hopeless),
        )
        for threshold in (*thresholds, thresholds[-1] + 1)
    ]


def _axes(end: str) -> list[str]:
    return [
        f'<line class="axis" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(0)}" y2="{_y(0)}"/>',
        f'<line class="grid" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(1)}" y2="{_y(1)}"/>',
        f'<line class="grid" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(0.5)}" y2="{_y(0.5)}"/>',
        _text(_x(0), 194, "0", "middle"),
        _text(_x(1), 194, end, "middle"),
        _text(_x(1) + 8, _y(1) + 4, "100 %", "start"),
        _text(_x(1) + 8, _y(0.5) + 4, "50 %", "start"),
    ]


def _open(width: int, height: int, title: str) -> str:
    return (
        f'<svg role="img" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'aria-label="{escape(title)}">'
    )


def _text(x: float, y: float, text: str, anchor: str, style: str = "") -> str:
    classes = f' class="{style}"' if style else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{classes}>{escape(text)}</text>'


def _x(share: float) -> float:
    return round(_LABELS + share * _WIDTH, 1)


def _y(share: float) -> float:
    return round(180 - share * 166, 1)
