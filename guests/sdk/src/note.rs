//! Notes on a skipped value, for the record's trace.

use crate::fault::{cut, show};
use crate::text::identifier;

/// A field holds a zero date ([`crate::date::Moment::is_zero`]). `label` is the field's name in the form.
pub fn zero_date(label: &str, text: &str) -> String {
    // The day is not personal data, so it need not be masked.
    let shown = cut(identifier(text).into_owned(), 32);
    format!(
        "{label} 的 {shown} 是电子表格或程序的零日期，视为未填写 / {label} holds {shown}, a zero of a spreadsheet or computer \
         written as a date: taken as empty"
    )
}

/// A field contains a placeholder for "none" ([`crate::text::is_placeholder`]).
pub fn placeholder(label: &str, text: &str) -> String {
    let shown = show(text);
    format!("{label} 填的是 {shown}，视为未填写 / {label} says {shown}: taken as empty")
}
