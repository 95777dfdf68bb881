"""What the feature registers."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint

from xiangyue.features.today import pages, work
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.plugin.hookspecs import hookimpl
from xiangyue.plugin.registry import NavItem, WorkProvider


@hookimpl
def register_pages() -> Sequence[Blueprint]:
    return (pages.bp,)


@hookimpl
def register_navigation() -> Sequence[NavItem]:
    return (
        NavItem("today", _l("Today"), "today.show_today", None, group="today", icon="checklist", position=0, tab=True),
    )


@hookimpl
def register_work() -> Sequence[WorkProvider]:
    return (work.PROVIDER,)
