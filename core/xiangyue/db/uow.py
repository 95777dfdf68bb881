"""Unit of work: one session, one actor, one transaction per request or job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, Engine, select

from xiangyue.db.base import TenantOwned
from xiangyue.db.guard import Misuse, refuse_inside
from xiangyue.db.scope import Scope
from xiangyue.db.session import TenantSession, alone
from xiangyue.errors import NotFound
from xiangyue.i18n import lazy_gettext as _l

if TYPE_CHECKING:
    from xiangyue.access.actor import Actor

T = TypeVar("T", bound=TenantOwned)
C = TypeVar("C", bound=Callable[[], Any])
Wrap = Callable[[Callable[[], Any], bool], Callable[[], Any]]


def _of_core(callback: Callable[[], Any]) -> bool:
    """Whether a callback was left by one of our own services, on whoever's behalf."""
    return str(getattr(callback, "__module__", "")).startswith("xiangyue.")


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """Where an act came from, for the audit trail."""

    request_id: str = ""
    ip: str = ""
    user_agent: str = ""
    #: What the person said they need sensitive facts for.
    purpose: str = ""


class Uow:
    """What services and queries get: ``session``, ``tenant_id``, ``actor``, ``scope``; commit once, at the end."""

    def __init__(
        self,
        bind: Engine | Connection,
        *,
        tenant_id: int,
        actor: Actor,
        scope: Scope | None = None,
        info: RequestInfo | Callable[[], RequestInfo] | None = None,
    ) -> None:
        self.bind = bind
        self.tenant_id = tenant_id
        self.actor = actor
        self._info = info
        self.session = TenantSession(bind, scope or Scope(tenant_id))
        #: Keep what was written although the response is an error (failed sign-ins must count).
        self.commit_on_error = False
        #: The county's ``Tenant.plugins_version``, where a statement that ran anyway brought it along.
        self.plugins_version: int | None = None
        self._before_commit: list[Callable[[], Any]] = []
        self._after_commit: list[Callable[[], Any]] = []
        self._at_end: list[Callable[[], Any]] = []

    @cached_property
    def info(self) -> RequestInfo:
        """Asked for by the audit trail and where a purpose counts: most reads need none of it."""
        return self._info() if callable(self._info) else self._info or RequestInfo()

    @property
    def scope(self) -> Scope:
        return self.session.scope

    def set_scope(self, scope: Scope) -> None:
        if scope.tenant_id != self.tenant_id:
            raise NotFound("scope of another tenant")
        self.session.info["scope"] = scope

    @contextmanager
    def scoped(self, scope: Scope) -> Iterator[None]:
        """Work inside another scope of the same tenant; what was added is flushed before the old one returns."""
        before = self.scope
        self.session.flush()
        self.set_scope(scope)
        try:
            yield
            self.session.flush()
        finally:
            self.set_scope(before)

    @contextmanager
    def tenant_wide(self, reason: str) -> Iterator[None]:
        """Leave the actor's area, never the tenant. ``reason`` is for the reader; every use is greppable."""
        assert reason
        with self.scoped(Scope(self.tenant_id)):
            yield

    def get(self, model: type[T], id: int) -> T:
        """The row with this id inside the scope; NotFound for any other. (Session.get would skip the scope.)"""
        found = self.session.scalars(select(model).where(model.id == id)).one_or_none()
        if found is None:
            raise NotFound(_l("There is no such entry, or it lies outside your area."))
        return found

    def get_for_update(self, model: type[T], id: int) -> T:
        """The same, locked until the end of the transaction and read afresh."""
        statement = select(model).where(model.id == id).with_for_update().execution_options(populate_existing=True)
        found = self.session.scalars(statement).one_or_none()
        if found is None:
            raise NotFound(_l("There is no such entry, or it lies outside your area."))
        return found

    def before_commit(self, callback: Callable[[], Any]) -> None:
        """Run ``callback`` as the last thing of the transaction: for a write whose lock must not be held any longer."""
        self._before_commit.append(callback)

    def waiting(self, kind: type[C]) -> C | None:
        """The callback of that kind which waits for the commit, so that many callers add to one."""
        return next((callback for callback in self._before_commit if isinstance(callback, kind)), None)

    def after_commit(self, callback: Callable[[], Any]) -> None:
        """Run ``callback`` once the transaction stands; never if it is rolled back."""
        self._after_commit.append(callback)

    def at_end(self, callback: Callable[[], Any]) -> None:
        """Run ``callback`` once the connection is given back, whatever became of the transaction. It must not raise."""
        self._at_end.append(callback)

    def commit(self) -> None:
        refuse_inside(self.session, "commit()")
        waiting, self._before_commit = self._before_commit, []
        for callback in waiting:
            callback()
        self.session.commit()
        callbacks, self._after_commit = self._after_commit, []
        for callback in callbacks:
            callback()

    def rollback(self) -> None:
        self.session.rollback()
        self._before_commit.clear()
        self._after_commit.clear()

    def close(self) -> None:
        refuse_inside(self.session, "close()")
        if self.session.in_transaction() or self.session.identity_map or self.session.new:
            self.session.close()  # after the commit of a plain read there is nothing to close
        callbacks, self._at_end = self._at_end, []
        for callback in callbacks:
            callback()

    @contextmanager
    def lent(self, seconds: float, wrap: Wrap | None = None) -> Iterator[None]:
        """For somebody else's code: ``alone`` with the session, and the unit of work is the same afterwards.

        ``wrap(callback, in_transaction)``: what to call instead of a callback of its own that it left to be run later.
        Raises what the code raised, Misuse when it left another scope or actor behind; then nothing it did is kept.
        """
        session, info, own = self.session, dict(self.session.info), self._own()
        queues = [(queue, len(queue)) for queue in (self._before_commit, self._after_commit, self._at_end)]
        try:
            with alone(session, seconds):
                yield
                # By what they are, not by what they say of themselves.
                for (name, was), now in zip(own.items(), self._own().values(), strict=True):
                    if now is not was:
                        raise Misuse(f"{name} was changed inside a hook and left so")
        except BaseException:
            session.info.clear()
            session.info.update(info)
            for queue, length in queues:
                # What hooks inside this one did wrong is still to be written down.
                queue[length:] = [left for left in queue[length:] if queue is self._at_end and _of_core(left)]
            vars(self).update({name: was for name, was in own.items() if name != "scope"})
            raise
        if wrap is not None:
            for queue, length in queues:
                for place in range(length, len(queue)):
                    if not _of_core(queue[place]):
                        queue[place] = wrap(queue[place], queue is self._before_commit)

    def _own(self) -> dict[str, Any]:
        """What decides for whom everything here is read and written."""
        return {
            "session": self.session,
            "scope": self.session.info.get("scope"),
            "actor": self.actor,
            "tenant_id": self.tenant_id,
            "bind": self.bind,
            "commit_on_error": self.commit_on_error,
        }

    def __enter__(self) -> Uow:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        """Commit on success, roll back on any error, close."""
        try:
            if kind is None:
                self.commit()
            else:
                self.rollback()
        finally:
            self.close()
