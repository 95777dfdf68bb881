"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.features.files import jobs, pages
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="files",
        blueprints=(pages.bp,),
        jobs=(jobs.CLEAR,),
        schedules=(jobs.DAILY,),
        translations=Path(__file__).parent / "translations",
        actions={"file.fetch": _l("Downloaded a file")},
    )
