# SPDX-License-Identifier: GPL-2.0
"""Plots as SVG: bars, and lines over a logarithmic axis. Light, readable on white and dark paper."""

from math import log10

WIDTH, LEFT, RIGHT, TOP, ROW = 760, 230, 90, 46, 24
COLOURS = ("#3b6ea5", "#c8772e", "#5a8f4f", "#8a5a9e")
FONT = 'font-family="sans-serif" font-size="13"'


def text(x, y, words, anchor="start", more=""):
    words = str(words).replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" {FONT} {more}>{words}</text>'


def line(x1, y1, x2, y2, colour="#999", more=""):
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {more}/>'
    )


def svg(title, height, parts):
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}"'
            f' viewBox="0 0 {WIDTH} {height:.0f}">',
            "<!-- SPDX-License-Identifier: GPL-2.0 -->",
            f'<rect width="{WIDTH}" height="{height:.0f}" fill="white"/>',
            text(12, 22, title, more='font-weight="bold"'),
            *parts,
            "</svg>",
            "",
        ]
    )


def bars(title, rows, unit="", low=0.0, marks=()):
    """rows: (label, value, text behind the bar, colour's number); marks: (value, label)."""
    high = max([row[1] for row in rows] + [mark[0] for mark in marks])
    high += (high - low) * 0.04

    def x(value):
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    parts, y = [], TOP
    for label, value, behind, colour in rows:
        parts.append(text(LEFT - 8, y + 15, label, "end"))
        parts.append(
            f'<rect x="{LEFT}" y="{y + 3}" width="{max(x(value) - LEFT, 0.5):.1f}" height="16"'
            f' fill="{COLOURS[colour]}"/>'
        )
        parts.append(text(x(value) + 5, y + 15, f"{behind}{unit}"))
        y += ROW
    for value, label in marks:
        parts.append(line(x(value), TOP - 4, x(value), y + 4, "#b00", 'stroke-dasharray="4 3"'))
        parts.append(text(x(value), y + 18, label, "middle", 'fill="#b00"'))
    return svg(title, y + 30, parts)


def lines(title, series, x_label, y_label):
    """series: name -> [(x, y)], x above 0; the x axis is logarithmic, the y axis begins at 0."""
    points = [point for of_one in series.values() for point in of_one]
    first, last = (log10(f(p[0] for p in points)) for f in (min, max))
    high = max(p[1] for p in points) * 1.08 or 1
    left, bottom, right = 80, 280, WIDTH - 190

    def x(value):
        return left + (log10(value) - first) / ((last - first) or 1) * (right - left)

    def y(value):
        return bottom - value / high * (bottom - TOP)

    parts = [line(left, bottom, right, bottom), line(left, TOP, left, bottom)]
    for value in sorted({p[0] for p in points}):
        parts.append(text(x(value), bottom + 18, value, "middle"))
    for step in range(5):
        value = high * step / 4
        parts.append(text(left - 8, y(value) + 4, f"{value:,.0f}", "end"))
        parts.append(line(left, y(value), right, y(value), "#ddd"))
    parts.append(text((left + right) / 2, bottom + 38, x_label, "middle"))
    parts.append(text(12, TOP - 6, y_label))
    for n, (name, of_one) in enumerate(series.items()):
        colour = COLOURS[n % len(COLOURS)]
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in of_one)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{colour}"/>' for a, b in of_one]
        parts.append(text(right + 12, TOP + 14 + 20 * n, name, more=f'fill="{colour}"'))
    return svg(title, bottom + 50, parts)
