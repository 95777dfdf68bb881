"""Background work: once a day, and when somebody asks, the register is looked through for duplicates."""

from __future__ import annotations

from typing import Any

from xiangyue.features.duplicates import find, service
from xiangyue.features.duplicates.policy import DUPLICATE_MERGE, FIND_KIND, HOUSEHOLD, PERSON
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.jobs.context import JobContext
from xiangyue.plugin.registry import JobKind, Schedule

DAY = 86_400
COMPARING = _l("Comparing names, phones and addresses")
NUMBERS = _l("Looking for slips in citizen numbers")
KEEPING = _l("Putting the pairs down")


def run_find(context: JobContext) -> dict[str, Any]:
    """Rule by rule; nothing is written before all are through, so a cancel leaves the list as it was."""
    steps = len(find.PERSON_RULES) + len(find.HOUSEHOLD_RULES) + 3
    persons: find.Reasons = {}
    for done, rule in enumerate(find.PERSON_RULES.items()):
        context.progress(done, steps, COMPARING)
        context.check_cancelled()
        with context.uow() as uow:
            service.find_by_rules(uow, rules=dict([rule]), into=persons)
    done = len(find.PERSON_RULES)
    context.progress(done, steps, NUMBERS)
    after = -1
    while after:
        context.check_cancelled()
        with context.uow() as uow:
            keys = context.runtime.tenant_keys(uow)
            after = service.find_by_numbers(uow, keys=keys, after=max(after, 0), into=persons)
    context.progress(done + 1, steps, KEEPING)
    with context.uow() as uow:
        counts = {f"persons_{k}": v for k, v in service.keep_found(uow, kind=PERSON, found=persons).items()}
        households: find.Reasons = {}
        service.find_by_rules(uow, rules=find.HOUSEHOLD_RULES, into=households)
        more = service.keep_found(uow, kind=HOUSEHOLD, found=households)
        counts |= {f"households_{k}": v for k, v in more.items()}
        service.note_find(uow, counts=counts)
    context.progress(steps, steps)
    return counts


FIND = JobKind(FIND_KIND, _l("Looking for duplicates"), run_find, permission=DUPLICATE_MERGE)
SCHEDULE = Schedule(FIND_KIND, FIND_KIND, DAY)
