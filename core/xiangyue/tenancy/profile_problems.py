"""What is wrong with a county's profile: every fault at once, each with file, line and a suggestion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from xiangyue.errors import Invalid
from xiangyue.i18n import _

# Below this likeness (0..100) a suggestion misleads more often than it helps.
_LIKENESS = 62


@dataclass(frozen=True, slots=True, order=True)
class ProfileProblem:
    """One fault. ``line`` counts from 1, 0 means the file as a whole; ``path`` is a key path such as
    ``roles.town.permissions[1]`` or a CSV column, "" for the whole; ``suggestion`` is "" when there is none.
    """

    file: str
    line: int
    path: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        what = f"{self.path}: {self.message}" if self.path else self.message
        return f"{place}: {what}" + (f" ({self.suggestion})" if self.suggestion else "")


class ProfileErrors(Invalid):
    """A profile that cannot be taken. ``problems`` are sorted by file and line; ``str`` has one per line."""

    code = "profile_errors"

    def __init__(self, problems: Iterable[ProfileProblem]) -> None:
        self.problems = sorted(set(problems))
        by_path: dict[str, list[str]] = {}
        for problem in self.problems:
            by_path.setdefault(problem.path, []).append(str(problem))
        super().__init__(by_path)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'locale'?`` when one of ``known`` is like ``word``, else ""."""
    found = process.extractOne(word, sorted(known), scorer=fuzz.ratio, score_cutoff=_LIKENESS)
    return _("did you mean '%(word)s'?", word=found[0]) if found else ""


def one_of(word: str, known: Iterable[str]) -> str:
    """Like ``did_you_mean``, but falls back to listing all that is allowed: for short closed lists."""
    names = list(known)
    return did_you_mean(word, names) or _("use one of: %(names)s", names=", ".join(names))
