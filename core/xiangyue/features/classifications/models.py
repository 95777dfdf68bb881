"""Classifications of households and what happened to them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, Index, SmallInteger, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from xiangyue.db.base import AreaBound, Base, CText, Json, TenantOwned, Timestamps, Versioned, tenant_fk

#: States in which a step is owed, as a condition on ``c``'s own columns; word for word so in the index.
OPEN = "state IN ('proposed', 'differs', 'due', 'reopened')"


class Classification(Timestamps, Versioned, AreaBound, Base):
    """分类: what a classifier proposes for a household, and beside it what is in force.

    A new proposal never touches ``outcome``: only the last step of a decision does. ``step`` counts the confirmations
    of the present round, ``chosen`` is what they agreed on. ``answered`` is the proposal that the decision in force
    answered: the same proposal again is no news, even where people decided otherwise. ``inputs`` may hold grounds
    with a permission of their own: give them to readers through ``grounds`` only.
    """

    __tablename__ = "classification"
    __table_args__ = (
        UniqueConstraint("tenant_id", "household_id", "classifier"),
        Index(None, "tenant_id", "area_code"),
        # What is owed is asked on the first page of everybody, and most rows are in force.
        Index("ix_classification_open", "tenant_id", "classifier", "step", postgresql_where=text(OPEN)),
        tenant_fk("household_id", "household"),
        CheckConstraint("state in ('proposed', 'in_force', 'differs', 'due', 'reopened', 'lapsed')", name="state"),
    )

    household_id: Mapped[int]
    classifier: Mapped[str] = mapped_column(CText)
    #: The proposal, with the clause and the version of the rule it rests on.
    proposed: Mapped[str] = mapped_column(CText)
    clause: Mapped[str] = mapped_column(CText, default="", server_default="")
    rule_version: Mapped[str] = mapped_column(CText, default="", server_default="")
    inputs: Mapped[Json] = mapped_column(default=dict)
    computed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    state: Mapped[str] = mapped_column(CText, default="proposed", server_default="proposed")
    step: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    chosen: Mapped[str] = mapped_column(CText, default="", server_default="")
    #: What is in force, "" for nothing; of a lapsed one, what was.
    outcome: Mapped[str] = mapped_column(CText, default="", server_default="")
    answered: Mapped[str] = mapped_column(CText, default="", server_default="")
    answered_clause: Mapped[str] = mapped_column(CText, default="", server_default="")
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    review_due: Mapped[date | None] = mapped_column(Date)


class ClassificationEvent(TenantOwned, Base):
    """What happened to a classification, with the grounds of that moment. Appended only.

    Without an area of its own, because a household that moves takes its history along and nothing here can be
    changed: it is read through its classification, which lies in an area.
    """

    __tablename__ = "classification_event"
    __table_args__ = (
        Index(None, "tenant_id", "classification_id"),
        tenant_fk("classification_id", "classification"),
    )
    runtime_grants = "SELECT, INSERT"

    classification_id: Mapped[int]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    event: Mapped[str] = mapped_column(CText)
    #: Key of the step of a confirmation, "" for the rest.
    step: Mapped[str] = mapped_column(CText, default="", server_default="")
    #: What was decided, or what was in force when it was not a decision.
    outcome: Mapped[str] = mapped_column(CText, default="", server_default="")
    #: State of the classification afterwards.
    state: Mapped[str] = mapped_column(CText, default="", server_default="")
    proposed: Mapped[str] = mapped_column(CText, default="", server_default="")
    clause: Mapped[str] = mapped_column(CText, default="", server_default="")
    rule_version: Mapped[str] = mapped_column(CText, default="", server_default="")
    inputs: Mapped[Json] = mapped_column(default=dict)
    note: Mapped[str] = mapped_column(default="", server_default="")
    actor_kind: Mapped[str] = mapped_column(default="system", server_default="system")
    account_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(default="", server_default="")


__all__ = ["Classification", "ClassificationEvent"]
