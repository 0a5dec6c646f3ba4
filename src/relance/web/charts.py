"""Charts drawn on the server as SVG: they print, travel in mails, and need no script.

Lengths and positions are SVG attributes and colours come from `data-tone`, so that no style attribute is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from .formats import short_day, short_number


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart: its name, its values from left to right, its colour (d1 to d6, or a status tone)."""

    name: str
    values: Sequence[float]
    tone: str = "d1"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that explains a chart: a plum line at a position, with a name and a detail."""

    at: int
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """The drawing area inside the axes, and the values at its bottom and top."""

    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float
    count: int

    def x(self, position: int) -> float:
        return self.left + (self.right - self.left) * position / max(self.count - 1, 1)

    def y(self, value: float) -> float:
        span = self.high - self.low or 1
        return self.bottom - (self.bottom - self.top) * (value - self.low) / span

    def path(self, values: Sequence[float]) -> str:
        return "M" + "L".join(f"{self.x(place):.1f} {self.y(value):.1f}" for place, value in enumerate(values))

    def area(self, values: Sequence[float]) -> str:
        return f"{self.path(values)}L{self.x(len(values) - 1):.1f} {self.bottom}L{self.left} {self.bottom}Z"


def sparkline(values: Sequence[float], tone: str = "d1") -> SafeString:
    """A line of 72 by 20 beside a figure: decoration for the figure it follows, hidden from screen readers."""
    if len(values) < 2:
        return mark_safe("")
    frame = Frame(1, 71, 3, 18, min(values), max(values), len(values))
    return format_html(
        '<svg class="spark" data-tone="{}" width="72" height="20" viewBox="0 0 72 20" aria-hidden="true">'
        '<path class="area" d="{}"/><path class="line" d="{}"/><circle cx="{}" cy="{}" r="2.2"/></svg>',
        tone,
        f"{frame.path(values)}L71 20L1 20Z",
        frame.path(values),
        71,
        f"{frame.y(values[-1]):.1f}",
    )


def mini_bars(values: Sequence[float], tone: str = "bad") -> SafeString:
    """Small columns of 58 by 20: how a count moved, a grey foot where it was nil."""
    if not values:
        return mark_safe("")
    step, top = 58 / len(values), max(max(values), 1)
    columns = [
        (
            "nil" if not value else "",
            f"{place * step:.1f}",
            f"{20 - height:.1f}",
            f"{max(step - 2, 1):.1f}",
            f"{height:.1f}",
        )
        for place, value in enumerate(values)
        for height in [max(1.5, 20 * value / top)]
    ]
    return format_html(
        '<svg class="spark" data-tone="{}" width="58" height="20" viewBox="0 0 58 20" aria-hidden="true">{}</svg>',
        tone,
        format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="1"/>', columns),
    )


def bar(*shares: tuple[float, str], size: str = "") -> SafeString:
    """A track with one or several shares of it, each a percentage and a tone, laid end to end."""
    pieces, start = [], 0.0
    for share, tone in shares:
        length = min(max(share, 0), 100 - start)
        pieces.append((tone, f"{start:.4g}%", f"{length:.4g}%"))
        start += length
    return format_html(
        '<svg class="bar {}" aria-hidden="true">{}</svg>',
        size,
        format_html_join("", '<rect data-tone="{}" x="{}" width="{}" height="100%"/>', pieces),
    )


def ring(percent: float, label: str) -> SafeString:
    """A share as a ring with its figure inside."""
    return format_html(
        '<svg class="ring" viewBox="0 0 44 44" role="img" aria-label="{label}"><circle cx="22" cy="22" r="19"/>'
        '<circle class="arc" cx="22" cy="22" r="19" pathLength="100" stroke-dasharray="{share} 100"/>'
        '<text x="22" y="22">{label}</text></svg>',
        share=f"{percent:.4g}",
        label=label,
    )


def ticks(states: Sequence[str], *, size: str = "") -> SafeString:
    """One tick an interval: ok, warn, bad or none. Say the same in words beside it."""
    marks = {"ok": "", "warn": "w", "bad": "x", "none": "n"}
    return format_html(
        '<span class="ticks {}" aria-hidden="true">{}</span>',
        size,
        format_html_join("", '<i class="{}"></i>', ((marks[state],) for state in states)),
    )


def horizontal_bars(
    rows: Sequence[tuple[str, float, str]], *, tone: str = "d1", shown: Sequence[str] = ()
) -> SafeString:
    """Names, bars, figures. A row is (name, value, tone or ""); `shown` replaces the figures."""
    top = max((value for _, value, _ in rows), default=0) or 1
    figures = shown or [short_number(value, whole=True) for _, value, _ in rows]
    return format_html(
        '<ul class="hb">{}</ul>',
        format_html_join(
            "",
            '<li><span>{}</span><svg class="tr" aria-hidden="true" data-tone="{}"><rect width="{}%" height="100%" rx="4"/></svg>'
            '<span class="num">{}</span></li>',
            (
                (name, own or tone, f"{100 * value / top:.4g}", figure)
                for (name, value, own), figure in zip(rows, figures, strict=True)
            ),
        ),
    )


def line_chart(
    series: Sequence[Series],
    days: Sequence[date],
    *,
    summary: str,
    events: Sequence[Event] = (),
    from_zero: bool = True,
    size: tuple[int, int] = (720, 240),
) -> SafeString:
    """Lines over days, with what explains them. `summary` says the whole chart in one sentence, for those who do not see it."""
    width, height = size
    values = [value for line in series for value in line.values]
    steps = _round_steps(0 if from_zero else min(values, default=0), max(values, default=0))
    frame = Frame(42, width - 10, 8, height - 24, steps[0], steps[-1], len(days))
    parts = [_grid(frame, steps), _days(frame, days), *(_line(frame, line) for line in series)]
    parts += [_event(frame, event) for event in events]
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>',
        width,
        height,
        summary,
        format_html_join("", "{}", ((part,) for part in parts)),
    )


def _line(frame: Frame, line: Series) -> SafeString:
    if not line.values:
        return mark_safe("")
    return format_html(
        '<g data-tone="{}"><path class="area" d="{}"/><path class="line" d="{}"/>'
        '<circle class="last" cx="{}" cy="{}" r="3.5"/></g>',
        line.tone,
        frame.area(line.values),
        frame.path(line.values),
        f"{frame.x(len(line.values) - 1):.1f}",
        f"{frame.y(line.values[-1]):.1f}",
    )


def _grid(frame: Frame, steps: Sequence[float]) -> SafeString:
    return format_html_join(
        "",
        '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">{}</text>',
        (
            (
                "g" if place else "ax",
                frame.left,
                frame.right,
                f"{frame.y(step):.1f}",
                f"{frame.y(step):.1f}",
                frame.left - 8,
                f"{frame.y(step) + 4:.1f}",
                short_number(step),
            )
            for place, step in enumerate(steps)
        ),
    )


def _days(frame: Frame, days: Sequence[date]) -> SafeString:
    """At most four days named, the first and the last held inside the drawing."""
    if not days:
        return mark_safe("")
    last = len(days) - 1
    named = sorted({0, round(last / 3), round(2 * last / 3), last})
    anchors = {0: "start", last: "end"}
    return format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="{}">{}</text>',
        (
            (f"{frame.x(place):.1f}", frame.bottom + 18, anchors.get(place, "middle"), short_day(days[place]))
            for place in named
        ),
    )


def _event(frame: Frame, event: Event) -> SafeString:
    """The words stand on the side where there is room."""
    x = frame.x(event.at)
    before = event.at > frame.count / 2
    return format_html(
        '<line class="event" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
        '<text class="event-name" x="{3}" y="{4}" text-anchor="{6}">{7}</text>'
        '<text x="{3}" y="{5}" text-anchor="{6}">{8}</text>',
        f"{x:.1f}",
        frame.top,
        frame.bottom,
        f"{x - 8 if before else x + 8:.1f}",
        frame.top + 12,
        frame.top + 26,
        "end" if before else "start",
        event.name,
        event.detail,
    )


def _round_steps(low: float, high: float) -> list[float]:
    """Four equal steps of 1, 2 or 5 times a power of ten, from under the lowest value to above the highest."""
    span = max(high - low, 1) / 4
    power = 1.0
    while power * 10 <= span:
        power *= 10
    step = next(power * times for times in (1, 2, 2.5, 5, 10) if power * times >= span and (power * times) % 1 == 0)
    start = step * (low // step)
    steps = [start + step * place for place in range(5)]
    return steps if steps[-1] >= high else [*steps, steps[-1] + step]
