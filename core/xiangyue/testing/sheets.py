"""Reading printed sheets back: what stands on them as text."""

from __future__ import annotations

import io

from pypdf import PdfReader
from pypdf.generic import NameObject


def open_sheet(data: bytes) -> PdfReader:
    """The PDF, its fonts told to be of two bytes a letter: they carry a table of their own from letters to
    drawings, which pypdf cannot read and takes for one byte."""
    reader = PdfReader(io.BytesIO(data))
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            font.get_object()[NameObject("/Encoding")] = NameObject("/Identity-H")
    return reader


def sheet_words(data: bytes) -> list[str]:
    """The text of each page without blanks and line ends."""
    return ["".join(page.extract_text().split()) for page in open_sheet(data).pages]
