"""A printed sheet: real text, what the font lacks is told, everything fits or goes on to another page."""

from __future__ import annotations

from dataclasses import replace

from pypdf import PdfReader

from xiangyue.files.poster import ORIENTATIONS, Line, Poster, write_posters
from xiangyue.testing.sheets import open_sheet

#: Rare letters that the font has, and one of private use that no font has.
RARE = "\u4dae\U0002cc56"
LOST = "\ue001"
POSTER = Poster(
    kind="网格公示牌", place="甲县 · 乙镇", name="丙村第一网格", url="https://county.example/g/1", url_caption="扫一扫",
    people_title="负责人", people=[Line("网格长", f"{RARE}明", "村委会", "0915-5210000", strong=True)], nobody="暂无",
    facts=[("编码", "6109211002002001")], foot="甲县 · 截至 2026-05-01",
)  # fmt: skip


def read(poster: Poster, orientation: str = "landscape") -> PdfReader:
    return open_sheet(write_posters([poster], title="公示牌", author="甲县", orientation=orientation).stream.read())


def words(reader: PdfReader) -> str:
    return "".join("".join(page.extract_text().split()) for page in reader.pages)


def test_text_is_text_in_both_orientations() -> None:
    for orientation in ORIENTATIONS:
        reader = read(POSTER, orientation)
        (page,) = reader.pages
        sides = sorted(round(float(side) / 72 * 25.4) for side in (page.mediabox.width, page.mediabox.height))
        assert sides == [297, 420]
        assert (page.mediabox.width > page.mediabox.height) == (orientation == "landscape")
        assert reader.metadata is not None
        assert (reader.metadata.title, reader.metadata.author) == ("公示牌", "甲县")
        assert reader.trailer["/Root"]["/Lang"] == "zh-CN"
        for wanted in ("丙村第一网格", f"{RARE}明", "0915-5210000", "6109211002002001", "截至2026-05-01"):
            assert wanted in words(reader), (orientation, wanted)


def test_a_letter_the_font_lacks_is_seen_and_told() -> None:
    found = words(read(replace(POSTER, people=[Line("网格长", f"王{LOST}")])))
    assert "王〓" in found
    assert "U+E001" in found
    assert "U+" not in words(read(POSTER)), "nothing is told where nothing is missing"


def test_long_names_wrap_and_many_people_go_on_to_another_page() -> None:
    long = "阿不都热依木·买买提明·吐尔逊" * 4
    wide = words(read(replace(POSTER, name=long, people=[Line("网格长", long, long)])))
    assert wide.count(long) == 3
    many = [Line("网格员", f"员{n:03}", "村委会") for n in range(80)]
    reader = read(replace(POSTER, people=many), "portrait")
    assert len(reader.pages) > 1
    found = words(reader)
    assert [line.name for line in many if line.name not in found] == []
    assert "丙村第一网格" in "".join(reader.pages[-1].extract_text().split())


def test_several_in_one_file_and_steps() -> None:
    told: list[int] = []
    written = write_posters([POSTER] * 3, title="x", author="y", step=told.append)
    assert (written.rows, told) == (3, [1, 2, 3])
    assert len(PdfReader(written.stream).pages) == 3
