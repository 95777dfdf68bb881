"""A sheet of A3 that hangs on a wall (公示牌): who is in charge and how they are reached, as a PDF with real text and a
QR code. ADR 6 says by what it is drawn.

What is shown is public; nothing here looks anything up. Sizes are millimetres, of letters points.
"""

from __future__ import annotations

import io
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xiangyue.files.poster_text import BRAND, GREY, PALE, WHITE, Pen
from xiangyue.files.workbook import Written
from xiangyue.i18n import lazy_gettext as _l

if TYPE_CHECKING:
    from fpdf import FPDF

MEDIA_TYPE = "application/pdf"
LANDSCAPE, PORTRAIT = "landscape", "portrait"
ORIENTATIONS = {LANDSCAPE: _l("Landscape"), PORTRAIT: _l("Portrait")}
_EDGE = 16.0
_FOOT = 12.0
#: Letters are drawn as large as fits: these are tried one after another.
_SCALES = (1.5, 1.4, 1.3, 1.2, 1.15, 1.1, 1.05, 1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.52)


@dataclass(frozen=True, slots=True)
class Line:
    """Somebody with a post. ``strong``: the one who answers."""

    post: str
    name: str
    detail: str = ""
    phone: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Poster:
    """One sheet. ``kind``: what it is (网格公示牌); ``facts``: label and value, beside the QR code of the page at
    ``url``; ``items``: numbered, under ``items_title``; ``text``: a paragraph above the people; ``foot``: who made it
    known, as of when."""

    kind: str
    place: str
    name: str
    url: str
    url_caption: str
    people_title: str
    people: Sequence[Line]
    nobody: str
    facts: Sequence[tuple[str, str]] = ()
    text: str = ""
    items_title: str = ""
    items: Sequence[str] = ()
    items_source: str = ""
    foot: str = ""


@dataclass(slots=True)
class _Frame:
    """Where the moving part of a page lies."""

    left: float
    top: float
    width: float
    bottom: float
    missing: set[str] = field(default_factory=set)


def write_posters(
    posters: Iterable[Poster],
    *,
    title: str,
    author: str,
    orientation: str = LANDSCAPE,
    language: str = "zh-CN",
    step: Callable[[int], None] | None = None,
) -> Written:
    """A PDF of one or more posters, each on a page of its own (and on further ones where it needs them). ``rows`` of
    what is returned: how many. ``step`` is told the number of each that is done.

    A letter that the font lacks comes out as 〓, with its code at the foot of the page, so that nobody takes a wrong
    name for a right one.
    """
    from fpdf import FPDF

    pdf = FPDF(orientation=orientation, unit="mm", format="A3")
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    pdf.set_title(title)
    pdf.set_author(author)
    pdf.set_lang(language)
    pdf.set_creator("Xiangyue")
    pen = Pen(pdf)
    count = 0
    for count, poster in enumerate(posters, 1):
        _draw(pdf, pen, poster)
        if step is not None:
            step(count)
    if not count:
        pdf.add_page()
    data = bytes(pdf.output())
    return Written(io.BytesIO(data), count, len(data), "pdf", MEDIA_TYPE)


def _draw(pdf: FPDF, pen: Pen, poster: Poster) -> None:
    wide = pdf.epw > pdf.eph
    pen.missing.clear()
    frame = _open(pdf, pen, poster, wide)
    room = frame.bottom - frame.top
    tried = bisect_left(_SCALES, True, key=lambda scale: _measure(pen, poster, frame, scale) <= room)
    scale = _SCALES[min(tried, len(_SCALES) - 1)]
    y = frame.top
    for height, draw in _blocks(pen, poster, frame, scale):
        if y + height > frame.bottom and y > frame.top:
            _close(pdf, pen, poster)
            frame = _open(pdf, pen, poster, wide)
            y = frame.top
        draw(y)
        y += height
    _close(pdf, pen, poster)


def _open(pdf: FPDF, pen: Pen, poster: Poster, wide: bool) -> _Frame:
    """A page with its head, facts and QR code; what is left of it is the frame."""
    pdf.add_page()
    width, height = pdf.w, pdf.h
    band = 58.0 if wide else 66.0
    pdf.set_fill_color(*BRAND)
    pdf.rect(0, 0, width, band, style="F")
    pen.line(poster.kind, _EDGE, 9, 24, WHITE)
    pen.line(poster.place, _EDGE + pen.width(poster.kind, 24) + 8, 11.2, 17, WHITE,
             most=width - 2 * _EDGE - pen.width(poster.kind, 24) - 8)  # fmt: skip
    room = width - 2 * _EDGE
    size = next((s for s in (64, 56, 48, 42) if pen.width(poster.name, s) <= room), 34)
    lines = pen.wrap(poster.name, size, room)[:2]
    y = band - 7 - len(lines) * pen.height(size, 1.12)
    for line in lines:
        pen.line(line, _EDGE, y, size, WHITE, bold=True)
        y += pen.height(size, 1.12)
    if wide:
        side = 92.0
        x = width - _EDGE - side
        _code(pdf, pen, poster, x, band + 14, side)
        y = band + 14 + side + 13
        for label, value in poster.facts:
            y = _fact(pen, label, value, x, y, side)
        return _Frame(_EDGE, band + 14, x - _EDGE - 18, height - _FOOT - 8)
    side = 64.0
    y = height - _FOOT - 12 - side
    _code(pdf, pen, poster, _EDGE, y, side)
    x, half = _EDGE + side + 14, (width - 2 * _EDGE - side - 14) / 2
    tops = [y, y]
    for number, (label, value) in enumerate(poster.facts):
        tops[number % 2] = _fact(pen, label, value, x + (number % 2) * half, tops[number % 2], half - 6)
    return _Frame(_EDGE, band + 14, width - 2 * _EDGE, y - 10)


def _code(pdf: FPDF, pen: Pen, poster: Poster, x: float, y: float, side: float) -> None:
    """The QR code as rectangles, sharp at any size, with what it leads to below."""
    import segno

    rows = [bytes(row) for row in segno.make(poster.url, error="m", micro=False).matrix]
    size = side / len(rows)
    pdf.set_fill_color(0, 0, 0)
    for number, row in enumerate(rows):
        start = 0
        while start < len(row):
            end = start + 1
            while end < len(row) and row[end] == row[start]:
                end += 1
            if row[start]:
                pdf.rect(x + start * size, y + number * size, (end - start) * size + 0.02, size + 0.02, style="F")
            start = end
    pen.line(poster.url_caption, x, y + side + 2.5, 14, GREY, most=side)


def _fact(pen: Pen, label: str, value: str, x: float, y: float, width: float) -> float:
    pen.line(label, x, y, 13, GREY, most=width)
    y += pen.height(13, 1.35)
    for line in pen.wrap(value, 21, width):
        pen.line(line, x, y, 21)
        y += pen.height(21, 1.25)
    return y + 3


def _close(pdf: FPDF, pen: Pen, poster: Poster) -> None:
    """The foot of a page: who, as of when, and letters that have to be written in by hand."""
    y = pdf.h - _FOOT
    pdf.set_draw_color(*PALE)
    pdf.set_line_width(0.4)
    pdf.line(_EDGE, y - 3, pdf.w - _EDGE, y - 3)
    room = pdf.w - 2 * _EDGE
    pen.line(poster.foot, _EDGE, y - 0.5, 12, GREY, most=room / 2)
    note = pen.note()
    if note:
        pen.line(note, pdf.w - _EDGE - min(pen.width(note, 12), room / 2), y - 0.5, 12, BRAND, most=room / 2)


_Block = tuple[float, Callable[[float], None]]


def _measure(pen: Pen, poster: Poster, frame: _Frame, scale: float) -> float:
    return sum(height for height, _draw in _blocks(pen, poster, frame, scale))


def _blocks(pen: Pen, poster: Poster, frame: _Frame, scale: float) -> list[_Block]:
    """What moves, from top to bottom: its height, and drawing it from a height on."""
    found: list[_Block] = []
    if poster.text:
        found.append(_paragraph(pen, poster.text, frame, 17 * scale, after=6 * scale))
    found.append(_heading(pen, poster.people_title, frame, scale))
    if not poster.people:
        found.append(_paragraph(pen, poster.nobody, frame, 20 * scale, after=6 * scale))
    found += [_person(pen, line, frame, scale) for line in poster.people]
    if poster.items:
        found.append((5 * scale, lambda _y: None))
        found.append(_heading(pen, poster.items_title, frame, scale))
        for number, item in enumerate(poster.items, 1):
            found.append(_paragraph(pen, item, frame, 16 * scale, mark=f"{number}.", after=1.6 * scale))
        if poster.items_source:
            found.append(_paragraph(pen, poster.items_source, frame, 12 * scale, colour=GREY))
    return found


def _heading(pen: Pen, text: str, frame: _Frame, scale: float) -> _Block:
    size = 20 * scale

    def draw(y: float) -> None:
        pen.pdf.set_fill_color(*BRAND)
        pen.pdf.rect(frame.left, y + 0.6, 2.2, pen.height(size, 1.0), style="F")
        pen.line(text, frame.left + 6, y, size, BRAND, bold=True)

    return pen.height(size, 1.3) + 4 * scale, draw


def _paragraph(
    pen: Pen, text: str, frame: _Frame, size: float, *, mark: str = "", colour: tuple[int, int, int] = (30, 30, 30),
    after: float = 0.0,
) -> _Block:  # fmt: skip
    indent = pen.width("00. ", size) if mark else 0.0
    lines = pen.wrap(text, size, frame.width - indent)

    def draw(y: float) -> None:
        if mark:
            pen.line(mark, frame.left, y, size, BRAND)
        for line in lines:
            pen.line(line, frame.left + indent, y, size, colour)
            y += pen.height(size, 1.4)

    return len(lines) * pen.height(size, 1.4) + after, draw


def _person(pen: Pen, line: Line, frame: _Frame, scale: float) -> _Block:
    """The post, the name with the unit below, the telephone at the right."""
    big, small = (30 if line.strong else 25) * scale, 15 * scale
    post_width = frame.width * 0.2
    phone_size = 22 * scale
    phone_width = max(frame.width * 0.24, pen.width(line.phone, phone_size)) if line.phone else 0.0
    room = frame.width - post_width - phone_width - 6
    posts = pen.wrap(line.post, 16 * scale, post_width - 4)
    names = pen.wrap(line.name, big, room)
    details = pen.wrap(line.detail, small, room) if line.detail else []
    inside = max(
        len(names) * pen.height(big, 1.2) + len(details) * pen.height(small, 1.3),
        len(posts) * pen.height(16 * scale, 1.25),
    )
    pad = 3.2 * scale

    def draw(y: float) -> None:
        if line.strong:
            pen.pdf.set_fill_color(*PALE)
            pen.pdf.rect(frame.left, y, frame.width, inside + 2 * pad, style="F")
        top = y + pad
        for text in posts:
            pen.line(text, frame.left + 3, top + 1.4 * scale, 16 * scale, BRAND)
            top += pen.height(16 * scale, 1.25)
        top = y + pad
        for text in names:
            pen.line(text, frame.left + post_width, top, big, bold=line.strong)
            top += pen.height(big, 1.2)
        for text in details:
            pen.line(text, frame.left + post_width, top, small, GREY)
            top += pen.height(small, 1.3)
        if line.phone:
            pen.line(line.phone, frame.left + frame.width - 3 - pen.width(line.phone, phone_size),
                     y + pad + 1.2 * scale, phone_size)  # fmt: skip
        pen.pdf.set_draw_color(*PALE)
        pen.pdf.set_line_width(0.4)
        pen.pdf.line(frame.left, y + inside + 2 * pad, frame.left + frame.width, y + inside + 2 * pad)

    return inside + 2 * pad + 1.2 * scale, draw
