//! The JUnit report read by build servers: one test case per case file.

use std::fs::File;
use std::io;
use std::path::Path;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::case_result::{CaseResult, CaseVerdict};
use crate::cli::printer::Printer;
use ruzhi_model::Lang;

pub(super) fn write(path: &Path, project: &str, tested: &[CaseResult], printer: &Printer) -> io::Result<()> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent)?;
    }
    report(project, tested, printer).serialize(File::create(path)?).map_err(io::Error::other)
}

fn report(project: &str, tested: &[CaseResult], printer: &Printer) -> quick_junit::Report {
    let mut suite = TestSuite::new(project);
    for tested in tested {
        let mut case = TestCase::new(tested.name.as_str(), status(tested, printer));
        case.set_classname(project).set_time(tested.wall);
        if let Some(fuel) = tested.fuel {
            case.add_property(("fuel", fuel.to_string().as_str()));
        }
        case.add_property(("peak_memory", tested.peak.to_string().as_str()));
        suite.add_test_case(case);
    }
    suite.set_time(tested.iter().map(|tested| tested.wall).sum());
    let mut report = quick_junit::Report::new("ruzhi guest test");
    report.add_test_suite(suite);
    report
}

fn status(tested: &CaseResult, printer: &Printer) -> TestCaseStatus {
    match &tested.verdict {
        CaseVerdict::Ok | CaseVerdict::Blessed => TestCaseStatus::success(),
        CaseVerdict::Differs(differences) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let row = printer.text("row", "行");
            let shown = differences.iter().map(|d| format!("{row} {} ({})\n{}", d.row, d.id, d.diff));
            let (count, rows) = (differences.len(), tested.rows);
            let message = match printer.lang {
                Lang::En => format!("{count} of {rows} rows differ"),
                Lang::Zh => format!("{rows} 行中有 {count} 行不一致"),
            };
            status.set_type("differs").set_message(message).set_description(shown.collect::<String>());
            status
        }
        CaseVerdict::Failed { code, text } => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type(code.as_str()).set_message(text.in_lang(printer.lang));
            status
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use ruzhi_model::Text;

    #[test]
    fn what_a_guest_says_cannot_break_the_report() {
        let tested = |name: &str, verdict: CaseVerdict| CaseResult {
            name: name.to_owned(),
            path: name.into(),
            rows: 1,
            verdict,
            wall: Duration::from_millis(3),
            fuel: Some(7),
            peak: 65_536,
        };
        let text = Text::new("</failure> & \"quoted\" \u{1b}[31m", "");
        let report = report(
            "north & south",
            &[
                tested("ok", CaseVerdict::Ok),
                tested("<bad>", CaseVerdict::Failed { code: "guest.trap".to_owned(), text }),
            ],
            &Printer::default(),
        );
        let read = quick_junit::Report::deserialize_from_str(&report.to_string().unwrap()).unwrap();
        assert_eq!((read.tests, read.errors, read.failures), (2, 1, 0));
        let suite = &read.test_suites[0];
        assert_eq!(suite.name.as_str(), "north & south");
        assert_eq!(suite.test_cases[1].name.as_str(), "<bad>");
        assert!(suite.test_cases[1].time.is_some());
        assert!(
            suite.test_cases[1]
                .properties
                .iter()
                .any(|p| p.name.as_str() == "fuel" && p.value.as_str() == "7")
        );
    }
}
