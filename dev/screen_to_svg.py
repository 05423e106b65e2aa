#!/usr/bin/env python3
"""For developers. Turns what `tmux capture-pane -e -p` prints into an SVG picture: the characters and colours of the screen, nothing added.

Usage: dev/screen_to_svg.py COLUMNS ROWS TITLE < screen > picture.svg
"""

import re
import sys
from dataclasses import dataclass, replace
from html import escape

CELL_WIDTH, CELL_HEIGHT, MARGIN, BAR = 9, 19, 12, 26
BACKGROUND, FOREGROUND = "#16181d", "#d5d8de"
# The sixteen colours of a terminal, by their number in the escape sequences.
PALETTE = [
    "#2b2f37", "#e5484d", "#46a758", "#e2b33c", "#4a8fe7", "#b06fd8", "#3fb6c6", "#d5d8de",
    "#7a828e", "#ff6369", "#5fcf77", "#ffd24d", "#70a8f5", "#cf8ff0", "#63d4e2", "#ffffff",
]


@dataclass(frozen=True)
class Style:
    """How a cell is drawn."""

    foreground: str | None = None
    background: str | None = None
    bold: bool = False
    dim: bool = False
    reverse: bool = False
    underline: bool = False

    def colours(self) -> tuple[str, str]:
        """Foreground and background as they are seen."""
        pair = (self.foreground or FOREGROUND, self.background or BACKGROUND)
        return pair[::-1] if self.reverse else pair


def styled(style: Style, codes: list[int]) -> Style:
    """The style after a select-graphic-rendition sequence (ECMA-48, 8.3.117)."""
    rest = iter(codes or [0])
    for code in rest:
        match code:
            case 38 | 48:
                # 38;5;N and 48;5;N: the sixteen colours by number; the programs use no others.
                next(rest, None)
                colour = PALETTE[next(rest, 7) % len(PALETTE)]
                style = replace(style, foreground=colour) if code == 38 else replace(style, background=colour)
            case 0:
                style = Style()
            case 1:
                style = replace(style, bold=True)
            case 2:
                style = replace(style, dim=True)
            case 4:
                style = replace(style, underline=True)
            case 7:
                style = replace(style, reverse=True)
            case 22:
                style = replace(style, bold=False, dim=False)
            case 24:
                style = replace(style, underline=False)
            case 27:
                style = replace(style, reverse=False)
            case 39:
                style = replace(style, foreground=None)
            case 49:
                style = replace(style, background=None)
            case _ if 30 <= code <= 37:
                style = replace(style, foreground=PALETTE[code - 30])
            case _ if 90 <= code <= 97:
                style = replace(style, foreground=PALETTE[code - 82])
            case _ if 40 <= code <= 47:
                style = replace(style, background=PALETTE[code - 40])
            case _ if 100 <= code <= 107:
                style = replace(style, background=PALETTE[code - 92])
    return style


def runs(line: str, style: Style) -> tuple[list[tuple[str, Style]], Style]:
    """A line as pieces of one style each, and the style that goes on into the next line."""
    pieces = []
    for text, codes in re.findall(r"([^\x1b]+)|\x1b\[([\d;]*)m", line):
        if text:
            pieces.append((text, style))
        else:
            style = styled(style, [int(code) for code in codes.split(";") if code])
    return pieces, style


def cells(screen: str, rows: int, left: int, top: int) -> list[str]:
    """The elements of a screen whose first cell begins there."""
    parts = []
    style = Style()
    for row, line in enumerate(screen.split("\n")[:rows]):
        pieces, style = runs(line, style)
        column = 0
        for text, look in pieces:
            x, y = left + column * CELL_WIDTH, top + row * CELL_HEIGHT
            foreground, background = look.colours()
            length = len(text) * CELL_WIDTH
            if background != BACKGROUND:
                parts.append(f'<rect x="{x}" y="{y}" width="{length}" height="{CELL_HEIGHT}" fill="{background}"/>')
            extra = ' font-weight="bold"' if look.bold else ""
            extra += ' opacity="0.6"' if look.dim else ""
            # Word by word, so that fonts of another width do not push what follows out of its column.
            for word in re.finditer(r"\S+(?: \S+)*", text):
                parts.append(
                    f'<text x="{x + word.start() * CELL_WIDTH}" y="{y + 14}" fill="{foreground}"{extra}'
                    f' textLength="{len(word.group()) * CELL_WIDTH}">{escape(word.group())}</text>'
                )
            column += len(text)
    return parts


def opening(width: int, height: int, title: str) -> list[str]:
    """The beginning of a picture: its size, its fonts and its ground."""
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' font-family="ui-monospace, \'DejaVu Sans Mono\', Menlo, Consolas, monospace" font-size="15">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>',
    ]


def picture(columns: int, rows: int, title: str, screen: str) -> str:
    """The SVG."""
    width = columns * CELL_WIDTH + 2 * MARGIN
    height = rows * CELL_HEIGHT + 2 * MARGIN + BAR
    parts = [
        *opening(width, height, title),
        f'<text x="{width / 2}" y="{BAR - 7}" text-anchor="middle" fill="#7a828e" font-size="13">{escape(title)}</text>',
        *cells(screen, rows, MARGIN, BAR + MARGIN),
    ]
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Reads the screen from stdin."""
    if len(sys.argv) != 4 or "-h" in sys.argv:
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(0 if "-h" in sys.argv else 2)
    sys.stdout.write(picture(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.stdin.read()))


if __name__ == "__main__":
    main()
