"""Letters on a printed sheet: measured, wrapped as Chinese is, and never silently left out."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from xiangyue.i18n import gettext as _
from xiangyue.i18n import join_words

if TYPE_CHECKING:
    from fpdf import FPDF

Colour = tuple[int, int, int]
BRAND: Colour = (22, 90, 58)
PALE: Colour = (226, 238, 231)
GREY: Colour = (92, 101, 112)
BLACK: Colour = (20, 20, 20)
WHITE: Colour = (255, 255, 255)
#: Stands for a letter that the font lacks, as printers have always done it (geta).
GETA = "\u3013"
_POINT = 25.4 / 72
#: Words of Latin letters and numbers stay together; every other letter stands alone.
_PIECES = re.compile(r"[0-9A-Za-z@#&+\-./:'%_]+|\s+|.", re.DOTALL)
#: No line begins with these: U+3001 U+3002 U+FF0C … closing marks.
_NOT_FIRST = frozenset("\u3001\u3002\uff0c\uff1b\uff1a\uff1f\uff01\uff09\u300b\u201d\u3011\u2019,.;:?!)")
_MOST_NAMED = 8


class Pen:
    """Writes with one font on a document. ``missing``: letters since the last `clear` that the font has no sign for."""

    def __init__(self, pdf: FPDF) -> None:
        import pylopdf_fonts_zh_cn

        self.pdf = pdf
        pdf.add_font("sheet", fname=Path(pylopdf_fonts_zh_cn.__file__).parent / "NotoSansSC-Regular.otf")
        pdf.set_font("sheet", size=12)
        self._known = pdf.fonts["sheet"].cmap  # type: ignore[union-attr]
        self._widths: dict[str, float] = {}
        self.missing: set[str] = set()

    def clean(self, text: str) -> str:
        """What can be drawn of a text: unknown letters as 〓, control signs as blanks."""
        found = []
        for letter in unicodedata.normalize("NFC", text):
            # Letters of private use are what some name systems made of rare ones: they must show too.
            if unicodedata.category(letter) in ("Cc", "Cf", "Cs") or letter.isspace():
                found.append(" ")
            elif ord(letter) in self._known:
                found.append(letter)
            else:
                self.missing.add(letter)
                found.append(GETA)
        return "".join(found)

    def note(self) -> str:
        """What to write in by hand, "" for nothing."""
        if not self.missing:
            return ""
        codes = [f"U+{ord(letter):04X}" for letter in sorted(self.missing)]
        return _("%(sign)s: rare characters to be written in by hand (%(codes)s)", sign=GETA,
                 codes=join_words(codes[:_MOST_NAMED]))  # fmt: skip

    def height(self, size: float, lines: float = 1.0) -> float:
        """Millimetres of a line of letters of ``size`` points, ``lines`` times their height."""
        return size * _POINT * lines

    def width(self, text: str, size: float) -> float:
        """Millimetres."""
        return sum(self._width(letter) for letter in self.clean(text)) * size

    def _width(self, letter: str) -> float:
        found = self._widths.get(letter)
        if found is None:
            self.pdf.set_font("sheet", size=100)
            found = self._widths[letter] = self.pdf.get_string_width(letter) / 100
        return found

    def wrap(self, text: str, size: float, most: float) -> list[str]:
        """Lines of at most ``most`` millimetres. Chinese breaks anywhere but before a closing mark, other words between
        words, and within one that is too long alone."""
        lines: list[str] = []
        line, used = "", 0.0
        for piece in (one for word in _PIECES.findall(self.clean(text)) for one in self._fitting(word, size, most)):
            wide = sum(self._width(letter) for letter in piece) * size
            if line and used + wide > most and piece not in _NOT_FIRST:
                lines.append(line.rstrip())
                line, used = "", 0.0
            if not line and piece.isspace():
                continue
            line += piece
            used += wide
        return [*lines, line.rstrip()] if line.strip() or not lines else lines

    def _fitting(self, word: str, size: float, most: float) -> list[str]:
        return [word] if sum(self._width(letter) for letter in word) * size <= most else list(word)

    def line(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        colour: Colour = BLACK,
        *,
        bold: bool = False,
        most: float | None = None,
    ) -> None:
        """One line from its upper left corner on; drawn smaller where it is wider than ``most`` millimetres."""
        text = self.clean(text)
        if not text.strip():
            return
        if most is not None and (wide := self.width(text, size)) > most:
            size = size * most / wide
        self.pdf.set_font("sheet", size=size)
        self.pdf.set_text_color(*colour)
        place = x, y + self.height(size, 0.88), text
        if not bold:
            self.pdf.text(*place)
            return
        # The font comes in one weight: drawn with a rim it is bold. What is set here ends with the context.
        with self.pdf.local_context(text_mode="FILL_STROKE", line_width=size * 0.012, draw_color=colour):
            self.pdf.set_text_color(*colour)
            self.pdf.text(*place)
