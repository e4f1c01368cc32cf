//! The quarantine as CSV for a spreadsheet.

use chrono::{DateTime, Utc};

use super::mask::beginning;
use super::reject_view::RejectView;
use ruzhi_message::{Report, exit};
use ruzhi_model::{Lang, Text};

/// Marks a file as UTF-8 for a spreadsheet.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Excel allows 32,767 characters in a cell and splits longer ones; two are the apostrophe and the ellipsis.
const CELL: usize = 32_765;

/// The most bytes of a table, some hundred thousand records.
const MOST: usize = 64 << 20;

/// A table being written, with one line for each reason of each record.
pub(super) struct Spreadsheet {
    writer: csv::Writer<Vec<u8>>,
    lang: Lang,
}

fn failed(error: &dyn std::error::Error) -> Report {
    Report::io("write the table", "写出表格", error)
}

fn too_large() -> Report {
    let text = Text::new("the table is larger than 64 MiB", "表格超过 64 MiB");
    let hint = Text::new(
        "choose a tenant, a flow or a rule, and export in parts",
        "请选择工厂、同步流或规则，分批导出",
    );
    Report::new(exit::USAGE, "quarantine.too-large", text, Some(hint))
}

impl Spreadsheet {
    /// Writes the header line.
    pub(super) fn begin(lang: Lang) -> Result<Self, Report> {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(BYTE_ORDER_MARK.as_bytes().to_vec());
        let head: [&str; 13] = match lang {
            Lang::En => [
                "tenant",
                "flow",
                "record",
                "field",
                "label",
                "rule",
                "message",
                "rejected by",
                "WeCom errcode",
                "waits for",
                "next try",
                "first seen",
                "row",
            ],
            Lang::Zh => [
                "工厂",
                "同步流",
                "记录",
                "字段",
                "标签",
                "规则",
                "说明",
                "拒绝方",
                "企业微信错误码",
                "等待",
                "下次重试",
                "首次出现",
                "行内容",
            ],
        };
        writer.write_record(head).map_err(|error| failed(&error))?;
        Ok(Self { writer, lang })
    }

    /// Adds the lines of more records.
    pub(super) fn with(mut self, rejects: &[RejectView]) -> Result<Self, Report> {
        for reject in rejects {
            let row: serde_json::Map<String, serde_json::Value> =
                reject.row.iter().map(|field| (field.label.clone(), field.value.clone())).collect();
            let row = serde_json::Value::Object(row).to_string();
            let by = reject.by.label().in_lang(self.lang);
            for violation in &reject.violations {
                let line = [
                    reject.tenant.as_str(),
                    reject.flow.as_str(),
                    reject.record.as_str(),
                    &violation.field,
                    &violation.label,
                    &violation.rule,
                    violation.message.in_lang(self.lang),
                    by,
                    &reject.errcode.map(|code| code.to_string()).unwrap_or_default(),
                    reject.waits.in_lang(self.lang),
                    &reject.retry_at.map(moment).unwrap_or_default(),
                    &moment(reject.first_seen),
                    &row,
                ];
                self.writer.write_record(line.map(text)).map_err(|error| failed(&error))?;
            }
        }
        self.writer.flush().map_err(|error| failed(&error))?;
        if self.writer.get_ref().len() > MOST { Err(too_large()) } else { Ok(self) }
    }

    /// Returns the complete table.
    pub(super) fn finish(self) -> Result<Vec<u8>, Report> {
        self.writer.into_inner().map_err(|error| failed(&error))
    }
}

fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A cell that a spreadsheet always reads as text: one that begins like a formula is prefixed with an apostrophe
/// (OWASP, CSV injection).
fn text(cell: &str) -> String {
    let cell = &beginning(cell, CELL);
    let first = cell.trim_start_matches(' ').chars().next();
    let computed =
        matches!(first, Some('=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠'));
    if computed { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::{MOST, Spreadsheet, text};
    use crate::reject_view::{RejectView, ViolationView};
    use ruzhi_model::{Lang, RejectedBy, Text, WaitsFor};

    #[test]
    fn a_table_that_is_too_large_is_refused_and_not_cut() {
        let message = "字".repeat(30_000);
        let reason = ViolationView {
            field: String::new(),
            label: String::new(),
            rule: "mobile.invalid".to_owned(),
            message: Text::new(message.as_str(), message.as_str()),
        };
        let reject = RejectView {
            tenant: "acme".parse().unwrap(),
            flow: "onboarding".parse().unwrap(),
            record: "0".repeat(24).parse().unwrap(),
            by: RejectedBy::Guest,
            errcode: None,
            violations: vec![reason; MOST / 2 / 90_000],
            row: Vec::new(),
            waits_for: WaitsFor::Row,
            waits: Text::new("", ""),
            tries: 0,
            retry_at: None,
            removal: None,
            first_seen: DateTime::UNIX_EPOCH,
            last_seen: DateTime::UNIX_EPOCH,
        };
        let half = Spreadsheet::begin(Lang::Zh).unwrap().with(std::slice::from_ref(&reject)).unwrap();
        let refused = half.with(&[reject.clone(), reject]).err().unwrap();
        assert_eq!(refused.code(), "quarantine.too-large");
    }

    #[test]
    fn a_cell_that_begins_like_a_formula_is_a_text() {
        for formula in ["=1+1", "+8613800138000", "-2", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "＠A1"] {
            assert_eq!(text(formula), format!("'{formula}"));
        }
        let long = format!("={}", "字".repeat(40_000));
        assert_eq!(text(&long), format!("'={}…", "字".repeat(32_764)));
        for plain in ["", "李四", "1=1", "a@b.cn", "{\"a\":\"=1\"}"] {
            assert_eq!(text(plain), plain);
        }
    }
}
