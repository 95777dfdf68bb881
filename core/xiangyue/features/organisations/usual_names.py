"""What rosters call kinds of organisations and their posts otherwise, from ``data/usual_names.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Protocol, TypeVar

from xiangyue.text.folding import without_spaces


class _Named(Protocol):
    """A post of an organisation, or of a kind (whose key has the kind's before a dot)."""

    @property
    def key(self) -> Any: ...
    @property
    def name(self) -> Any: ...
    @property
    def name_en(self) -> Any: ...


@lru_cache(maxsize=1)
def usual_names() -> Mapping[str, Mapping[str, Any]]:
    """By key of the kind: ``source``, ``also`` (the kind itself), and names by key of the post."""
    text = files("xiangyue.features.organisations").joinpath("data/usual_names.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def kind_synonyms(kind_key: str) -> tuple[str, ...]:
    """Other words for a kind; none for one of the county's own."""
    return tuple(usual_names().get(kind_key, {}).get("also", ()))


P = TypeVar("P", bound=_Named)


def meant_post(posts: Sequence[P], kind_key: str, written: str, within: Iterable[str] = ()) -> P | None:
    """The post of an organisation of that kind that is written so: by its name, else by a usual one.

    ``within``: names of the place and the organisation, which may stand before it (民政局局长, 城关镇镇长).
    """
    text = without_spaces(written)
    shorter = (text.removeprefix(without_spaces(name)) for name in within)
    texts = [text, *(rest for rest in shorter if rest and rest != text)]
    own = {post.key: (without_spaces(post.name), without_spaces(post.name_en)) for post in posts}
    named = (post for text in texts for post in posts if text in own[post.key])
    usual = usual_names().get(kind_key, {})
    others = (post for text in texts for post in posts if text in usual.get(post.key.rpartition(".")[2], ()))
    return next(named, None) or next(others, None)
