"""What the reasons of this room say to people, and what they may do about it. Numbers 2000 and above."""

from django.utils.translation import gettext_lazy as _

from relance.decisions.reasons import declare_reason
from relance.decisions.rules import Verdict

# A value that a field cannot keep.
declare_reason(
    "people.value_has_nul",
    2001,
    _("The value holds a NUL character, which no text may hold."),
    _("Save the file again as CSV (UTF-8), or remove the character."),
    Verdict.SKIP,
)
declare_reason(
    "people.value_too_long",
    2002,
    _("The value has %(length)s characters; this field keeps at most %(limit)s."),
    _("Shorten it, or map the column to a longer kind of field."),
    Verdict.SKIP,
)
declare_reason(
    "people.value_not_an_email",
    2003,
    _("“%(value)s” is not an e-mail address."),
    _("Write one address such as claire@example.com, without a name or brackets."),
    Verdict.SKIP,
)
declare_reason(
    "people.value_not_a_phone",
    2004,
    _("“%(value)s” is not a telephone number: it holds fewer than three figures."),
    _("Write the number with its figures, such as +33 4 72 40 18 33, or leave it blank."),
    Verdict.SKIP,
)
declare_reason(
    "people.value_not_a_url",
    2005,
    _("“%(value)s” is not a web address."),
    _("Write an address such as https://example.com."),
    Verdict.SKIP,
)
declare_reason(
    "people.value_not_an_integer",
    2006,
    _("“%(value)s” is not a whole number."),
    _("Write figures only, such as 1536."),
    Verdict.SKIP,
)
declare_reason(
    "people.value_not_a_number",
    2007,
    _("“%(value)s” is not a number."),
    _("Write figures with one decimal mark, and say in the mapping whether it is a comma or a point."),
    Verdict.SKIP,
)
declare_reason(
    "people.value_not_a_boolean",
    2008,
    _("“%(value)s” is neither yes nor no."),
    _("Write yes or no (oui or non, true or false, 1 or 0)."),
    Verdict.SKIP,
)
declare_reason(
    "people.value_not_a_date",
    2009,
    _("“%(value)s” is not a date."),
    _("Write 2026-11-17 or 17/11/2026, and say in the mapping whether the day or the month comes first."),
    Verdict.SKIP,
)
declare_reason(
    "people.value_not_a_moment",
    2010,
    _("“%(value)s” is not a date with an hour."),
    _("Write 2026-11-17 08:42, with a zone such as +01:00 if it is not the workspace's."),
    Verdict.SKIP,
)
declare_reason(
    "people.value_not_a_choice",
    2011,
    _("“%(value)s” is not among the choices of this field."),
    _("Use one of its choices, or add this one in Settings › Custom fields."),
    Verdict.SKIP,
)
declare_reason(
    "people.value_is_required",
    2012,
    _("This field cannot be blank."),
    _("Give it a value."),
    Verdict.SKIP,
)
declare_reason(
    "people.email_is_taken",
    2013,
    _("Another person has the address %(value)s."),
    _("Open that person; if they are the same human, merge the two."),
    Verdict.SKIP,
)
declare_reason(
    "people.field_unknown",
    2014,
    _("There is no field “%(field)s”."),
    _("Use one of the fields shown in Settings › Custom fields."),
    Verdict.SKIP,
)
declare_reason(
    "people.reference_unknown",
    2015,
    _("“%(value)s” is nobody known here."),
    _("Choose an existing user, team or company."),
    Verdict.SKIP,
)

# Two people who are one.
declare_reason("people.merge_filled", 2101, _("The blank %(field)s took the value %(after)s of the other record."))
declare_reason(
    "people.merge_kept",
    2102,
    _("%(field)s stays %(before)s; the other record said %(after)s."),
    _("Change the field by hand if the other value is the right one: it is kept in the log of the merge."),
)
declare_reason("people.merge_same", 2103, _("Both records agreed; nothing had to be chosen."))

# Rows of a file that were not taken.
declare_reason(
    "people.import_cells",
    2201,
    _("The row has %(found)s cells where the header has %(expected)s: a separator or a quote is missing or too many."),
    _("Mend the row in the file and import the file of refused rows again."),
    Verdict.SKIP,
)
declare_reason(
    "people.import_quote",
    2202,
    _("A quote opens in this row and is never closed; the rows after it were read without it."),
    _("Close or double the quote in this row, then import the row again."),
    Verdict.SKIP,
)
declare_reason(
    "people.import_cell_too_big",
    2203,
    _("A cell of this row holds %(length)s characters; the most is %(limit)s."),
    _("Shorten the cell, then import the row again."),
    Verdict.SKIP,
)
declare_reason(
    "people.import_unreadable",
    2204,
    _("The row holds characters that are not of the encoding %(encoding)s."),
    _("Save the file as CSV (UTF-8), then import the row again."),
    Verdict.SKIP,
)
declare_reason(
    "people.import_no_email",
    2205,
    _("The row has no e-mail address, so nobody can tell whom it is about."),
    _("Add an address, or allow in the mapping to create people without one."),
    Verdict.SKIP,
)
declare_reason(
    "people.import_twice",
    2206,
    _("The address is already in row %(first)s of this file; the first of them counts."),
    _("Keep one row a person."),
    Verdict.SKIP,
)
declare_reason(
    "people.import_only_updates",
    2207,
    _("Nobody has this address, and this import only changes people who exist."),
    _("Allow the import to create people, if they should be added."),
    Verdict.SKIP,
)
declare_reason(
    "people.import_only_creates",
    2208,
    _("A person with this address exists, and this import only creates."),
    _("Allow the import to change people, if they should be brought up to date."),
    Verdict.SKIP,
)
declare_reason(
    "people.import_not_yours",
    2209,
    _("A person of another team has this address; you may not change them."),
    _("Ask an administrator to import this row."),
    Verdict.SKIP,
)
declare_reason(
    "people.import_nobody",
    2210,
    _("The row names nobody: it has neither an address nor a name."),
    _("Fill in an address or a name."),
    Verdict.SKIP,
)

# Files that could not be taken at all.
declare_reason(
    "people.file_empty",
    2221,
    _("The file is empty."),
    _("Check that the export finished, then upload it again."),
    Verdict.SKIP,
)
declare_reason(
    "people.file_binary",
    2222,
    _("The file is not a text file (%(kind)s)."),
    _("Open it in the spreadsheet and save it as CSV (UTF-8)."),
    Verdict.SKIP,
)
declare_reason(
    "people.file_too_big",
    2223,
    _("The file has %(size)s bytes; the most is %(limit)s."),
    _("Cut it into several files."),
    Verdict.SKIP,
)
declare_reason(
    "people.file_too_many_columns",
    2224,
    _("The file has %(columns)s columns; the most is %(limit)s."),
    _("Check the separator, or leave out columns that are not needed."),
    Verdict.SKIP,
)
declare_reason(
    "people.file_line_too_long",
    2225,
    _("A line of the file is longer than %(limit)s characters."),
    _("Check that the file is a CSV with one row a line."),
    Verdict.SKIP,
)
declare_reason(
    "people.file_without_rows",
    2226,
    _("The file has a header and no row under it."),
    _("Check that the export holds rows, then upload it again."),
    Verdict.SKIP,
)
declare_reason(
    "people.file_gone",
    2227,
    _("The file of this import is no longer kept."),
    _("Upload it again as a new import."),
    Verdict.SKIP,
)

# What an undone import left as it is.
declare_reason(
    "people.undo_changed_since",
    2301,
    _("The person was changed after the import, so the import's values were left: %(fields)s."),
    _("Change the fields by hand if they should go back."),
    Verdict.SKIP,
)
declare_reason(
    "people.undo_person_changed",
    2302,
    _("The person was created by the import and changed since, so they were kept."),
    _("Delete the person by hand if they should go."),
    Verdict.SKIP,
)
declare_reason(
    "people.undo_held",
    2303,
    _("The person was created by the import and must stay: %(why)s"),
    _("Settle what holds the person, then delete them by hand."),
    Verdict.SKIP,
)
declare_reason("people.undo_restored", 2304, _("The other values of the import were set back to what they were."))
