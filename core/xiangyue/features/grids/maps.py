"""What a map page draws: outlines with their words, what does not fit, points; and where its tiles come from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from flask import g

from xiangyue.features.grids.boundaries.fit import Fit
from xiangyue.features.grids.boundaries.rings import corners, thinned
from xiangyue.i18n import gettext as _
from xiangyue.web.pipeline import runtime

#: Above so many points of all outlines together they are drawn coarser; a phone draws this many at once.
MOST_POINTS = 30_000
#: Why two outlines do not fit, for people.
_WORDS: dict[str, Callable[[Sequence[str]], str]] = {
    "overlap": lambda names: _("%(one)s and %(other)s overlap", one=names[0], other=names[1]),
    "gap": lambda _names: _("Land in no grid"),
    "beyond": lambda names: _("%(one)s reaches out of the village", one=names[0]),
}


def drawing(shapes: Sequence[Mapping[str, Any]], misfits: Sequence[Mapping[str, Any]] = (),
            points: Collection[Mapping[str, Any]] = ()) -> dict[str, Any]:  # fmt: skip
    """For ``components/map.html``. A shape: ``id``, ``label``, ``text``, ``state`` (fits, out, unled, edge: the outline
    of what lies around), ``geometry``, perhaps ``url``; a misfit as of ``misfit_rows``. Allows the page its tiles."""
    settings = runtime().settings
    if settings.map_tiles:
        g.image_hosts = settings.map_tile_host
    coarse = sum(corners(shape["geometry"]) for shape in shapes) > MOST_POINTS
    return {
        "shapes": [{**shape, "geometry": thinned(shape["geometry"])} if coarse else dict(shape) for shape in shapes],
        "misfits": [{"number": n, "kind": row["kind"], "geometry": row["geometry"], "label": row["words"]}
                    for n, row in enumerate(misfits, 1)],
        "points": list(points),
        "tiles": settings.map_tiles,
        "attribution": settings.map_attribution,
    }  # fmt: skip


def misfit_rows(
    fits: Mapping[int, Fit], grids: Mapping[int, tuple[str, str]], villages: Mapping[int, str]
) -> list[Any]:
    """What does not fit, the largest first: ``kind``, ``words``, ``area`` (m²), ``village``, ``geometry``. ``grids``:
    (code, name) by id."""
    rows = []
    for village, fit in fits.items():
        for misfit in fit.misfits:
            named = [grids.get(id, ("", str(id)))[1] for id in misfit.grids]
            rows.append({"kind": misfit.kind, "words": _WORDS[misfit.kind](named), "area": round(misfit.area),
                         "village": villages.get(village, ""), "geometry": misfit.geometry})  # fmt: skip
    return sorted(rows, key=lambda row: -row["area"])
