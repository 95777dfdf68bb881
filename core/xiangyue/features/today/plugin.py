"""What the feature registers."""

from __future__ import annotations

from pathlib import Path

from xiangyue.features.today import pages, work
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import Feature, NavItem


@hookimpl
def register_feature() -> Feature:
    return Feature(
        key="today",
        blueprints=(pages.bp,),
        navigation=(
            NavItem(
                "today", _l("Today"), "today.show_today", None, group="today", icon="checklist", position=0, tab=True
            ),
        ),
        work=(work.PROVIDER,),
        translations=Path(__file__).parent / "translations",
    )
