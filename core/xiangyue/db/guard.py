"""What somebody else's code may do with a connection while it has one: ask and write, inside its caller's transaction.

``db.session.alone`` says when. The session, SQLAlchemy's connection and psycopg's each refuse by themselves, before any
of them has changed: a transaction ended half way up could not be mended.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import Connection


class Misuse(RuntimeError):
    """Somebody else's code did with the transaction what only its caller may do."""


class Holder(Protocol):
    """Who has the connection: a session, which has ``bounds`` while somebody else's code runs."""

    bounds: Any


def refuse_inside(holder: Holder | None, what: str) -> None:
    """Raises Misuse while somebody else's code runs."""
    if holder is not None and holder.bounds is not None:
        raise Misuse(f"{what} inside a hook: the transaction is its caller's")


#: How statements of a hook begin. Not among them: what ends a transaction, what sets something for all that follows
#: (the county itself is such a setting), and what makes tables, since a temporary one would hide the core's own.
_MAY_BEGIN = frozenset(
    ["SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "LOCK", "ANALYZE", "SHOW"]
)
#: The same by other names.
_MAY_NOT_CONTAIN = re.compile(
    r"\b(?:set_config|pg_(?:terminate|cancel)_backend)\s*\(|\binto\s+(?:local\s+|global\s+)?temp(?:orary)?\b", re.I
)
_WORD = re.compile(r"[\s(]*([a-z_]+)", re.I)
#: Comments, texts, names in quotes: a semicolon in one ends nothing.
_QUOTED = re.compile(
    r"--[^\n]*|/\*.*?\*/|\b[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$([a-z_]*)\$.*?\$\1\$",
    re.DOTALL | re.I,
)
#: Longer statements are rows in the main, seldom the same twice.
_LONG = 4000


def check_statement(sql: str) -> None:
    """Raises Misuse for a statement that no hook may run."""
    word = _refused(sql) if len(sql) < _LONG else _refused.__wrapped__(sql)
    if word:
        raise Misuse(f"{word} inside a hook: it may read and write rows, no more")


@lru_cache(maxsize=1024)
def _refused(sql: str) -> str:
    """The words for which a statement is refused; empty when it may run."""
    plain = _QUOTED.sub(_plain, sql)
    for part in plain.split(";"):
        first = _WORD.match(part)
        if first is None:
            if part.strip():
                return "a statement without a word"
        elif first[1].upper() not in _MAY_BEGIN:
            return first[1].upper()
    found = _MAY_NOT_CONTAIN.search(plain)
    return "" if found is None else " ".join(found[0].upper().rstrip("( \t\n").split())


def _plain(found: re.Match[str]) -> str:
    if found[0].startswith('"'):
        return re.sub(r"\W", "_", found[0][1:-1])
    return " " if found[0].startswith(("--", "/*")) else " '' "


class Guarded:
    """Of a connection, SQLAlchemy's or psycopg's: what ends the transaction is refused while ``holder`` is bound."""

    holder: Holder | None = None

    def commit(self) -> None:
        refuse_inside(self.holder, "commit()")
        super().commit()  # type: ignore[misc]

    def rollback(self) -> None:
        refuse_inside(self.holder, "rollback()")
        super().rollback()  # type: ignore[misc]

    def close(self) -> None:
        refuse_inside(self.holder, "close()")
        super().close()  # type: ignore[misc]


class GuardedConnection(Guarded, Connection):
    """SQLAlchemy's connection. By the time a transaction's end reaches the driver, this would count it as ended."""

    def invalidate(self, exception: BaseException | None = None) -> None:
        if exception is None:  # otherwise the server has gone, whoever is at work
            refuse_inside(self.holder, "invalidate()")
        super().invalidate(exception)

    def detach(self) -> None:
        refuse_inside(self.holder, "detach()")
        super().detach()

    def get_transaction(self) -> Any:
        refuse_inside(self.holder, "get_transaction()")
        return super().get_transaction()

    def execution_options(self, **options: Any) -> Connection:
        refuse_inside(self.holder, "execution_options()")  # they stay with the connection
        return super().execution_options(**options)
