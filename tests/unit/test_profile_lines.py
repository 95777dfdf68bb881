"""The line finder agrees with the parser on every key and list item of valid TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from xiangyue.tenancy.profile_toml import TomlLines, dotted, locate

# @@@ stands for three single quotes.
ODD = r'''# a comment with [brackets] = and "quotes"
title = "a # no comment" # a comment
"quoted key" = 'it is'
a.b . "c.d" = 1
list = [ # here
  1, [2, 3],
  "x]", # there
  { k = "v", m.n = [true] },
]
text = """
[no.table]
no = "key""""
raw = @@@
x = 1
@@@
when = 1979-05-27T07:32:00Z
[table] # header
key = -1.5e3
[[items]]
name = "first"
[items.sub]
deep = 1
[[items]]
name = "second"
[[items.more]]
z = 1
[other."dotted.name"]
end = true'''.replace("@@@", "'" * 3)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*path, index))


def test_odd_but_valid() -> None:
    text = ODD
    lines = locate(text)
    missing = [path for path in paths(tomllib.loads(text)) if path not in lines]
    assert missing == []
    found = {dotted(path): line for path, line in lines.items()}
    by_line = text.splitlines()
    for path, begin in {
        "quoted key": '"quoted key"',
        "a.b.c.d": "a.b",
        "list": "list",
        "list[0]": "  1,",
        "list[1][1]": "  1,",
        "list[2]": '  "x]"',
        "list[3].m.n[0]": "  { k",
        "text": "text",
        "when": "when",
        "table": "[table]",
        "table.key": "key",
        "items[0].sub.deep": "deep",
        "items[1]": "[[items]]",
        "items[1].more[0].z": "z",
        "other.dotted.name.end": "end",
    }.items():
        assert by_line[found[path] - 1].startswith(begin), path
    assert by_line[found["items[1].name"] - 1] == 'name = "second"'


def test_windows_line_ends() -> None:
    assert locate('a = """\r\nx\r\n"""\r\nb = 1\r\n') == {("a",): 1, ("b",): 4}


def test_an_unknown_path_has_its_parents_line() -> None:
    lines = TomlLines(locate("a = 1\n[b]\nc = [\n1,\n2]\n"))
    assert (lines["b", "x", "y"], lines["b", "c", 7], lines["nothing",], lines["b", "c", 1]) == (2, 3, 1, 5)


keys = st.text("abcxyz_-09", min_size=1, max_size=4)
texts = st.text("a\"'#[]{}=,.\\\n x").map(lambda s: '"' + s.translate({34: '\\"', 92: "\\\\", 10: "\\n"}) + '"')
values = st.recursive(
    texts | st.integers(-9, 9).map(str) | st.booleans().map(lambda b: str(b).lower()),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[\n" + ",\n".join(items) + "]")
        | st.dictionaries(keys, inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{k} = {v}" for k, v in table.items()) + "}"
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(keys, values, max_size=4), st.lists(st.dictionaries(keys, values, max_size=3), max_size=3))
def test_every_path_has_a_line(top: dict[str, str], items: list[dict[str, str]]) -> None:
    text = "".join(f"{key} = {value}\n" for key, value in top.items())
    for item in items:
        text += "[[ITEMS]]\n" + "".join(f"{key} = {value}\n" for key, value in item.items())
    assert set(locate(text)) == set(paths(tomllib.loads(text)))
