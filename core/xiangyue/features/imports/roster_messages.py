"""What is wrong with a cell of a roster, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from xiangyue.features.imports.roster_columns import STANDARD_COLUMNS, Column
from xiangyue.features.imports.roster_places import row_text
from xiangyue.i18n import LazyText, gettext
from xiangyue.i18n import lazy_gettext as _l
from xiangyue.text.codes import SEX
from xiangyue.text.problems import PROBLEMS


@dataclass(frozen=True, slots=True)
class CellError:
    """One wrong cell.

    ``row``: the sheet's own number; ``column``: key; ``code``: key of `MESSAGES`; ``params`` fill the message;
    ``shown_value``: what stands there, identifiers masked; ``suggestion``: what may be put in its place (Chinese, as
    all data), or "". Nothing here depends on the language in which the check ran.
    Holds no identifier in the clear, so it may be stored and shown to whoever may see the import.
    """

    row: int
    column: str
    code: str
    params: dict[str, Any] = field(default_factory=dict)
    shown_value: str = ""
    suggestion: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON: row, column, code, params, shown_value, suggestion."""
        return {
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "params": self.params,
            "shown_value": self.shown_value,
            "suggestion": self.suggestion,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> CellError:
        return cls(**data)


MESSAGES: dict[str, LazyText] = {
    **PROBLEMS,
    "required": _l("Must not be empty. Fill it in."),
    "required_without_id": _l("Must not be empty when there is no citizen number. Fill in one of the two."),
    "no_value": _l("This says that there is no value, but it must not be empty. Fill it in."),
    "name_word": _l("This is a word of a heading or a sum, no name. Enter the name, or leave the row out."),
    "town_unknown": _l("No town of this name in the county. Choose one from the list."),
    "village_unknown": _l("No village of this name in the town. Choose one from the list."),
    "village_ambiguous": _l("Several villages of the town may be meant: %(choices)s. Write the full name."),
    "group_long": _l("The name of the group is longer than %(limit)s characters. Write a number or a short name."),
    "household_no_format": _l(
        "A household number has up to %(limit)s digits, letters or hyphens. "
        "Number the households of the village 1, 2, 3."
    ),
    "choice_unknown": _l("Not in the list. Choose from the list."),
    "mark_unknown": _l("The county has no mark “%(mark)s”. Choose from the list."),
    "sex_mismatch": _l("Differs from the citizen number, which says %(expected)s. Correct one of the two."),
    "birth_mismatch": _l("Differs from the citizen number, which says %(expected)s. Correct one of the two."),
    "date_future": _l("Lies in the future. Correct the date."),
    "date_too_old": _l("Lies before 1900. Correct the date."),
    "boolean_format": _l("Enter yes or no."),
    "integer_format": _l("Enter a whole number."),
    "integer_range": _l("The number is out of range: from %(low)s to %(high)s."),
    "money_format": _l("Enter whole yuan, such as 32000."),
    "year_format": _l("Enter a year of four digits from %(low)s to %(high)s."),
    "income_year_missing": _l("An income needs its year. Fill it in."),
    "text_long": _l("Longer than %(limit)s characters. Shorten it."),
    "cell_error": _l("The spreadsheet shows an error here. Correct the formula or enter the value."),
    "id_duplicate": _l(
        "The same citizen number already stands in row %(first_row)s. Correct or delete one of the rows."
    ),
    "row_twice": _l(
        "The same name and date of birth already stand in row %(first_row)s of this household. "
        "Correct or leave out one of the rows."
    ),
    "no_head": _l(
        "Household %(household)s has no head. Enter “head of household” as the relation of one person, or add the row."
    ),
    "two_heads": _l(
        "Household %(household)s already has a head in row %(first_row)s. "
        "Correct the relation, or give the other household its own number."
    ),
    "household_differs": _l(
        "Differs from row %(first_row)s of the same household (%(first_value)s). "
        "Make them the same, or give the other household its own number."
    ),
    "head_row_only": _l("Belongs in the row of the head, row %(first_row)s. Move it there."),
    # What only the register and the rights of whoever imports can tell.
    "outside_area": _l("Lies outside the area you may import. Leave the household out, or ask a colleague there."),
    "group_unknown": _l("The village has no such group, and you may not add one. Ask your administrator."),
    "group_absent": _l("The village has no such group. Correct it, or have the group added to the village first."),
    "household_elsewhere": _l("This household stands outside your area in the register. Leave it out."),
    "household_twice": _l("Another household of the file has the same number. Give one of them its own."),
    "head_other": _l(
        "This household has another head in the register. Correct the household number; if the head has changed, "
        "list the former one too, or record first that they left."
    ),
    "person_elsewhere": _l(
        "This person stands in a household outside your area. Leave the row out, or ask for the move there."
    ),
    "person_twice": _l("The same citizen number stands twice in the file. Correct or delete one of the rows."),
    "mark_forbidden": _l("You may not set the mark “%(mark)s”: it needs a right of its own. Take it out."),
    "record_key": _l(
        "Nothing to find a record by: enter a sound citizen number, or the household number with town and village."
    ),
    "record_unknown": _l("The register has no such record where you may import. Correct it, or leave the row out."),
    "clear_refused": _l("This column cannot be cleared. Enter a value, or leave the cell empty to change nothing."),
    "clear_required": _l("This field must not be empty, so it cannot be cleared. Enter a value."),
    "clear_twice": _l("Another row of the household says otherwise. Make them the same."),
    "erased": _l(
        "This person's data was erased on request %(request)s and was taken out of this row. "
        "Leave the row out; whoever belongs on the register again is registered there by hand."
    ),
    "household_unknown": _l("No household of this number where you may import. Correct the number or the village."),
    "person_unknown": _l("Nobody like this in the register where you may import. Correct the row, or add the person."),
    "person_ambiguous": _l("Several persons of this name, day of birth and village. Enter the citizen number."),
    "record_twice": _l("The same record already stands in row %(first_row)s. Correct or leave out one of the rows."),
    "not_taken": _l("The register does not take this household. Compare it with its page and upload again."),
}

#: Code of what a declared register says in words of its own (``message`` and its ``values`` among the params).
TOLD = "told"


def problem_of(error: CellError) -> str:
    """The sentence without its place: what is wrong and how to mend it, in the current language."""
    params = error.params
    if error.code == "sex_mismatch":
        params = {"expected": SEX.label(str(params["expected"]))}
    if error.code == "id_truncated":
        params = {"kept": 15, **params}  # of imports from before it was noted
    if error.code == TOLD:
        text = gettext(str(params["message"]), **params["values"])
    else:
        text = gettext(MESSAGES[error.code].message, **params)
    if error.suggestion:
        text = gettext("%(problem)s Likely meant: “%(suggestion)s”.", problem=text, suggestion=error.suggestion)
    return text


def describe(error: CellError, columns: Iterable[Column] = STANDARD_COLUMNS, sheets: Sequence[str] = ()) -> str:
    """Where, what, and how to mend it, in the current language.

    ``columns``: those of the county, for the labels of custom fields; ``sheets``: names of the file's sheets, where
    several are read.
    """
    row = row_text(error.row, sheets)
    label = next((column.label for column in columns if column.key == error.column), error.column)
    if error.shown_value:
        return gettext(
            "Row %(row)s, %(column)s, “%(value)s”: %(problem)s",
            row=row,
            column=label,
            value=error.shown_value,
            problem=problem_of(error),
        )
    return gettext("Row %(row)s, %(column)s: %(problem)s", row=row, column=label, problem=problem_of(error))
