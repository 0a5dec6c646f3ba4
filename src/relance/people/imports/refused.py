"""The rows an import did not take, each with what is wrong and what to do: on the page, and as a file to mend and import again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from relance.decisions.reasons import explain_reason, reason_numbered
from relance.decisions.rules import Reason, Verdict

from ..csv_safe import csv_lines
from ..models import Import, ImportProblem
from .reading import RowReader


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One problem of one row, in the reader's language."""

    row: int
    column: str
    value: str
    says: str
    remedy: str


def problems_of(this: Import, *, after: int = 0, limit: int = 50) -> list[RefusedRow]:
    """The problems in the order of rows, from a row on."""
    rows = this.problems.filter(row__gt=after).order_by("row", "column", "pk")[:limit]
    return [explain_problem(this, problem) for problem in rows]


def explain_problem(this: Import, problem: ImportProblem) -> RefusedRow:
    """The sentence of a problem, its column by name."""
    code = reason_numbered(problem.code).code
    said = explain_reason(Reason(code, Verdict.SKIP, {"value": problem.value, **problem.seen}))
    column = this.header[problem.column] if problem.column is not None and problem.column < len(this.header) else ""
    return RefusedRow(problem.row, column, problem.value, said.says, said.remedy)


def refused_file(this: Import) -> Iterator[str]:
    """The refused rows as they were, their problems after them. While the file is kept; afterwards the problems alone."""
    extra = [_("Row"), _("Column"), _("Value"), _("What is wrong"), _("What to do")]
    header = [*this.header, *extra] if this.path else extra
    return csv_lines(header, _with_cells(this) if this.path else _alone(this), delimiter=this.delimiter)


def _alone(this: Import) -> Iterator[list[object]]:
    for problem in this.problems.order_by("row", "column", "pk").iterator(2000):
        yield _told(explain_problem(this, problem))


def _with_cells(this: Import) -> Iterator[list[object]]:
    """Walks through file and problems together, both in the order of rows."""
    problems = this.problems.order_by("row", "column", "pk").iterator(2000)
    problem = next(problems, None)
    width = len(this.header)
    for row in RowReader(this.file, this.encoding, this.delimiter).rows():
        if problem is None:
            return
        while problem is not None and problem.row <= row.number:
            if problem.row == row.number:
                cells = [cell.replace("\x00", "") for cell in row.cells[:width]]
                yield [*cells, *[""] * (width - len(cells)), *_told(explain_problem(this, problem))]
            problem = next(problems, None)


def _told(refused: RefusedRow) -> list[object]:
    return [refused.row, refused.column, refused.value, refused.says, refused.remedy]
