"""What happened to a household or person, in words: entries of the audit trail as a timeline."""

from __future__ import annotations

from markupsafe import Markup, escape

from xiangyue.access.models import AuditEntry
from xiangyue.db.uow import Uow
from xiangyue.features.audit.view import words_for
from xiangyue.features.audit.words import Shown, Words
from xiangyue.features.households import queries
from xiangyue.i18n import SEMICOLON
from xiangyue.i18n import gettext as _
from xiangyue.text.chinese import has_han
from xiangyue.web import templating
from xiangyue.web.components import TimelineItem

#: Said by the action itself, or of no use to a reader.
HIDDEN = {"members", "version"}
#: Looks have a log of their own.
LOOKS = {"mark.read", "person_access.read", "person_access.export"}


def timeline(uow: Uow, object_type: str, id: int, *, limit: int = 30) -> list[TimelineItem]:
    """Entries about a household with its members, or a person, newest first; looks are left out, changes stay."""
    entries = [e for e in queries.history(uow, object_type, id, limit=limit) if e.action not in LOOKS]
    spoken = words_for(uow, entries)
    items = []
    for entry in entries:
        action = spoken.action(entry.action)
        other = entry.object_type != object_type or entry.object_id != id  # a member, or a record that became part
        about = entry.object_label if other else ""
        head = Markup("{} · {}").format(action, _text(about)) if about else action
        who = templating.who(entry.actor_name, entry.account_id)
        meta = Markup("{} · {}").format(who, _text(entry.purpose)) if entry.purpose else who
        items.append(TimelineItem(head, _changes(spoken, entry), meta, entry.at))
    return items


def _changes(spoken: Words, entry: AuditEntry) -> Markup:
    lines = []
    for change in spoken.changes(entry):
        if change.key in HIDDEN or (change.key == "household_id" and not entry.before):
            continue
        shown = [_marked(value) for value in (change.before, change.after) if value is not None]
        if change.after is None:
            shown.append(escape(_("taken away")))
        lines.append(Markup("{}: {}").format(change.label, Markup(" → ").join(shown)))
    return escape(_(SEMICOLON)).join(lines)


def _text(text: str) -> Markup:
    return _marked(Shown(text, data=has_han(text)))


def _marked(shown: Shown) -> Markup:
    """Text of the county is marked as Chinese, so that an English page reads it rightly."""
    return Markup('<span lang="zh-CN">{}</span>').format(shown.text) if shown.data else escape(shown.text)
