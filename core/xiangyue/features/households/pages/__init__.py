"""Pages: lists of households and persons, one of each, their forms, export, search."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("households", "xiangyue.features.households", template_folder="templates")

from xiangyue.features.households.pages import (  # noqa: E402
    addresses,
    export,
    household,
    household_forms,
    ledgers,
    lists,
    person,
    person_forms,
    records,
    register_acts,
    register_export,
    register_forms,
    register_reports,
    search,
)

__all__ = [
    "addresses",
    "bp",
    "export",
    "household",
    "household_forms",
    "ledgers",
    "lists",
    "person",
    "person_forms",
    "records",
    "register_acts",
    "register_export",
    "register_forms",
    "register_reports",
    "search",
]
