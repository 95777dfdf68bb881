"""The county's rules for grids: sizes by level, the template of codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from xiangyue.access.audit import audit, changed
from xiangyue.db.base import Json
from xiangyue.db.uow import Uow
from xiangyue.errors import Invalid
from xiangyue.features.grids.models import GridSetting
from xiangyue.features.grids.policy import (
    BASES,
    CODE,
    LEVELS,
    CodeTemplate,
    DutyList,
    SizeRule,
    duty_key,
    rule_key,
)
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.whole import whole_number

_LIMITS = ("min_households", "max_households", "min_persons", "max_persons")
MOST = 9_999
SOURCE_LENGTH = 200
MOST_DUTIES, DUTY_LENGTH, TITLE_LENGTH = 40, 200, 60


def setting(uow: Uow, key: str) -> GridSetting | None:
    return uow.session.scalars(select(GridSetting).where(GridSetting.key == key)).one_or_none()


def size_rules(uow: Uow) -> dict[int, SizeRule]:
    """By level; a level without a rule has one without limits."""
    keys = {rule_key(level): level for level in LEVELS}
    rows = uow.session.scalars(select(GridSetting).where(GridSetting.key.in_(keys)))
    found = {keys[row.key]: SizeRule.of(row.value) for row in rows}
    return {level: found.get(level, SizeRule()) for level in LEVELS}


def duty_lists(uow: Uow) -> dict[int, DutyList]:
    """By level; those levels that have one."""
    keys = {duty_key(level): level for level in LEVELS}
    rows = uow.session.scalars(select(GridSetting).where(GridSetting.key.in_(keys)))
    found = {keys[row.key]: DutyList.of(row.value) for row in rows}
    return {level: found[level] for level in sorted(found) if found[level].items}


def checked_duties(values: Mapping[str, Any], prefix: str = "") -> DutyList:
    """``items``: a list, or a text with one a line. Raises Invalid by field, each with ``prefix`` before it."""
    errors: dict[str, list[Any]] = {}
    given = values.get("items") or ()
    lines = given.splitlines() if isinstance(given, str) else [str(one) for one in given]
    items = tuple(text for line in lines if (text := " ".join(line.split())))
    if len(items) > MOST_DUTIES or any(len(item) > DUTY_LENGTH for item in items):
        errors[prefix + "items"] = [
            _l("At most %(n)d lines of %(length)d characters each.", n=MOST_DUTIES, length=DUTY_LENGTH)
        ]
    title, source = (" ".join(str(values.get(name) or "").split()) for name in ("title", "source"))
    for name, text, most in (("title", title, TITLE_LENGTH), ("source", source, SOURCE_LENGTH)):
        if len(text) > most:
            errors[prefix + name] = [_l("At most %(n)d characters.", n=most)]
    if errors:
        raise Invalid(errors)
    return DutyList(title, items, source)


def code_template(uow: Uow) -> CodeTemplate:
    row = setting(uow, CODE)
    return CodeTemplate(**row.value) if row is not None else CodeTemplate()


def checked_rule(values: Mapping[str, Any], prefix: str = "") -> SizeRule:
    """Raises Invalid by field, each with ``prefix`` before it."""
    errors: dict[str, list[Any]] = {}
    found: dict[str, Any] = {}
    for name in _LIMITS:
        value = values.get(name)
        text = "" if value is None else str(value).strip()
        if not text:
            continue
        number = whole_number(text)
        if number is None or not 1 <= number <= MOST:
            errors[prefix + name] = [_l("A whole number from 1 to %(n)s, or nothing for no limit.", n=MOST)]
        else:
            found[name] = number
    for what in ("households", "persons"):
        low, high = found.get(f"min_{what}"), found.get(f"max_{what}")
        if low is not None and high is not None and low > high:
            errors[f"{prefix}max_{what}"] = [_l("The upper limit lies below the lower one.")]
    basis = str(values.get("basis") or SizeRule().basis)
    if basis not in BASES:
        errors[prefix + "basis"] = [_l("Choose one of the options.")]
    source = str(values.get("source") or "").strip()
    if len(source) > SOURCE_LENGTH:
        errors[prefix + "source"] = [_l("At most %(n)d characters.", n=SOURCE_LENGTH)]
    if errors:
        raise Invalid(errors)
    return SizeRule(basis=basis, source=source, **found)


def checked_template(values: Mapping[str, Any]) -> CodeTemplate:
    """Raises Invalid: a template holds letters and digits and each of the three places once."""
    template, width = str(values.get("template") or "").strip(), str(values.get("width") or "").strip()
    errors: dict[str, list[Any]] = {}
    rest = template
    for place in ("{village}", "{level}", "{serial}"):
        if template.count(place) != 1:
            errors["template"] = [_l("Write {village}, {level} and {serial}, each once.")]
        rest = rest.replace(place, "")
    if rest and not (rest.isascii() and rest.isalnum() and len(rest) <= 8):
        errors.setdefault("template", [_l("Between them only digits and Latin letters, at most 8.")])
    digits = whole_number(width) or 0
    if not 2 <= digits <= 6:
        errors["width"] = [_l("From 2 to 6 digits.")]
    if errors:
        raise Invalid(errors)
    return CodeTemplate(template.upper().replace("{VILLAGE}", "{village}").replace("{LEVEL}", "{level}")
                        .replace("{SERIAL}", "{serial}"), digits)  # fmt: skip


def put_setting(uow: Uow, key: str, value: Json) -> bool:
    """Write one setting with its audit entry; whether anything changed."""
    row = setting(uow, key)
    before = dict(row.value) if row is not None else {}
    if before == value:
        return False
    if row is None:
        row = GridSetting(key=key, value=value, version=1)
        uow.session.add(row)
    else:
        row.value = value
        row.version += 1
    old, new = changed(before, value)
    audit(uow, action="grid.settings", obj=row, label=key, before={k: v for k, v in old.items() if v}, after=new)
    return True
