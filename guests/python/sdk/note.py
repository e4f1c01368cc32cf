"""Notes on a skipped value, for the record's trace."""

from __future__ import annotations

from .fault import cut, show
from .text import identifier


def zero_date(label: str, text: str) -> str:
    """A field holds a zero date (:attr:`ruzhi.date.Moment.is_zero`). ``label`` is the field's name in the form."""
    # The day is not personal data, so it need not be masked.
    shown = cut(identifier(text), 32)
    return (
        f"{label} 的 {shown} 是电子表格或程序的零日期，视为未填写 / {label} holds {shown}, a zero of a spreadsheet or computer "
        "written as a date: taken as empty"
    )


def placeholder(label: str, text: str) -> str:
    """A field contains a placeholder for "none" (:func:`ruzhi.text.is_placeholder`)."""
    shown = show(text)
    return f"{label} 填的是 {shown}，视为未填写 / {label} says {shown}: taken as empty"
