#!/usr/bin/env python3
"""Makes a moving SVG picture of two boards and the cable between them from what `tmux capture-pane -e -N -p` prints.

usage: screens_to_moving_svg.py COLUMNS ROWS FOLDER STILL > picture.svg

FOLDER holds for each frame, numbered from 1: N.caption, N.cable (whole or cut), N.board1 and N.board2 (the screens).
The picture needs no script, so that it moves as an image in a web page, too. Frame STILL is shown where nothing may move.
"""

import re
import sys
from html import escape
from pathlib import Path

from screen_to_svg import CELL_HEIGHT, CELL_WIDTH, MARGIN, cells, opening

SECONDS = 5
CAPTION, LABEL, CABLE = 50, 24, 44
LABELS = ("board 1: card1_monitor", "board 2: card2_global_display")
GREY, GREEN, RED, YELLOW = "#7a828e", "#46a758", "#ff6369", "#ffd24d"


def style(frames: int) -> str:
    """One animation for all frames: each begins it at another moment."""
    share = 100 / frames
    starts = "".join(f".f{n}{{animation-delay:{(n - 1 - frames) * SECONDS}s}}" for n in range(1, frames + 1))
    return (
        f"<style>@keyframes show{{0%{{visibility:visible}}{share:g}%{{visibility:hidden}}}}"
        f"@keyframes glow{{0%{{fill-opacity:.5}}{share * 0.4:g}%{{fill-opacity:.14}}}}"
        f".frame{{visibility:hidden;animation:show {frames * SECONDS}s step-end infinite}}.still{{visibility:visible}}"
        f".new{{fill:{YELLOW};fill-opacity:.14;animation:glow {frames * SECONDS}s ease-out infinite}}{starts}"
        "@media (prefers-reduced-motion:reduce){.frame,.new{animation:none}}</style>"
    )


def sensors(screen: str) -> dict[tuple[int, int], str]:
    """What the screen says of each sensor, by the row and column where that begins."""
    lines = enumerate(re.sub(r"\x1b\[[\d;]*m", "", screen).split("\n"))
    words = ((row, found) for row, line in lines for found in re.finditer(r"Sensor \d.*?(?=\s+\S?Sensor|\s*$)", line))
    return {(row, found.start()): found.group() for row, found in words}


def changes(frame: int, columns: int, screen: str, before: str, top: int) -> list[str]:
    """A light behind each sensor of which the screen says something new."""
    known = sensors(before)
    return [
        f'<rect class="new f{frame}" x="{MARGIN + (column - 1) * CELL_WIDTH}" y="{top + row * CELL_HEIGHT}"'
        f' width="{(columns // 2 - 1) * CELL_WIDTH}" height="{CELL_HEIGHT}"/>'
        for (row, column), words in sensors(screen).items()
        if words != known.get((row, column))
    ]


def cable(state: str, width: int, top: int) -> list[str]:
    """The cable between the two screens."""
    middle, y = width // 2, top + CABLE // 2
    colour, words = (GREEN, "cable") if state == "whole" else (RED, "cable cut")
    gap = 46 if state == "whole" else 70
    ends = ((MARGIN + 6, middle - gap), (middle + gap, width - MARGIN - 6))
    dashes = "" if state == "whole" else ' stroke-dasharray="3 7"'
    lines = [f'<line x1="{a}" y1="{y}" x2="{b}" y2="{y}" stroke="{colour}" stroke-width="3"{dashes}/>' for a, b in ends]
    return [*lines, f'<text x="{middle}" y="{y + 5}" text-anchor="middle" fill="{colour}">{words}</text>']


def picture(columns: int, rows: int, folder: Path, still: int) -> str:
    """The SVG."""
    frames = len(list(folder.glob("*.caption")))
    width, screen_height = columns * CELL_WIDTH + 2 * MARGIN, rows * CELL_HEIGHT
    tops = (CAPTION + LABEL, CAPTION + 2 * LABEL + screen_height + CABLE)
    height = tops[1] + screen_height + MARGIN
    parts = [*opening(width, height, "The cable between two boards is cut and comes back"), style(frames)]
    parts += [
        f'<text x="{MARGIN + 6}" y="{top - 9}" fill="{GREY}" font-size="13">{label}</text>'
        for label, top in zip(LABELS, tops, strict=True)
    ]
    before = ("", "")
    for frame in range(1, frames + 1):
        name = "frame still" if frame == still else "frame"
        caption, state, *screens = (
            (folder / f"{frame}.{part}").read_text(encoding="utf-8") for part in ("caption", "cable", "board1", "board2")
        )
        parts += [
            f'<g class="{name} f{frame}">',
            f'<text x="{MARGIN + 6}" y="31" fill="#ffffff" font-size="16" font-family="system-ui, sans-serif">'
            f"{escape(caption.strip())}</text>",
            f'<text x="{width - MARGIN - 6}" y="31" text-anchor="end" fill="{GREY}">{frame}/{frames}</text>',
            *cable(state.strip(), width, tops[0] + screen_height),
        ]
        for screen, old, top in zip(screens, before, tops, strict=True):
            if frame > 1:
                parts += changes(frame, columns, screen, old, top)
            parts += cells(screen, rows, MARGIN, top)
        parts.append("</g>")
        before = tuple(screens)
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Reads the frames."""
    if len(sys.argv) != 5 or "-h" in sys.argv:
        print(__doc__.strip(), file=sys.stderr)
        sys.exit(0 if "-h" in sys.argv else 2)
    columns, rows, folder, still = sys.argv[1:]
    sys.stdout.write(picture(int(columns), int(rows), Path(folder), int(still)))


if __name__ == "__main__":
    main()
