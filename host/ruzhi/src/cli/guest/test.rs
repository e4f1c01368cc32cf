//! `ruzhi guest test`: compares a project's decisions with its cases.

mod case_result;
mod junit;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use comfy_table::{Table, presets};
use serde_json::json;

use self::case_result::{CaseResult, CaseVerdict};
use super::build::Compiler;
use crate::cli::deployment::rehearsal;
use crate::cli::printer::Printer;
use ruzhi_author::{CaseDifference, CaseFinding, GuestCase, Language};
use ruzhi_guest_runtime::{
    Cache, Component, ComponentRegistry, Engine, Guest, GuestLimits, GuestLoadError, RehearsalRules,
};
use ruzhi_message::Report;
use ruzhi_message::exit;
use ruzhi_model::{Context, Lang, Outcome, Text};

#[derive(Debug, Args)]
pub(crate) struct GuestTest {
    /// The project's folder; its cases are in cases/*.json
    folder: PathBuf,
    /// Test this component instead of building the project
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// The rules file for cases that name none
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Write the actual decisions into the case files
    #[arg(long)]
    bless: bool,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Run only these cases
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<String>,
    #[command(flatten)]
    compiler: Compiler,
}

/// One case with its expectation, which may be missing when blessing.
struct ExpectedCase {
    case: GuestCase,
    expected: Option<Vec<Outcome>>,
}

impl GuestTest {
    pub(super) fn run(&self, printer: &Printer) -> Result<ExitCode, Report> {
        if self.component.is_none() {
            // For a folder that is not a project, say so instead of saying that it has no cases.
            Language::of(&self.folder)?;
        }
        let cases = self.cases()?;
        let engine = Engine::measuring(GuestLimits::default())?.rehearsing(rehearsal()?);
        let (component, file) = match &self.component {
            Some(file) => {
                (ComponentRegistry::new(engine.clone(), Cache::of_user()).load(file, None)?, file.clone())
            }
            None => self.compiler.build(&self.folder, None, &engine)?,
        };
        let registry = ComponentRegistry::new(engine, Cache::of_user());
        let bytes = ComponentRegistry::read(&file, None)?;
        let mut guests = BTreeMap::new();
        let mut tested = Vec::with_capacity(cases.len());
        for ExpectedCase { case, expected } in &cases {
            let rules = case.rules().or_else(|| self.rules.clone());
            let guest = guests
                .entry(rules)
                .or_insert_with_key(|rules| load(&registry, &bytes, rules.as_deref(), case.context()));
            tested.push(self.test(case, expected.as_deref(), guest)?);
        }
        if let Some(path) = &self.junit {
            let name = self.folder.canonicalize().ok();
            let name = name.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy());
            junit::write(path, &name.unwrap_or_default(), &tested, printer)
                .map_err(|error| Report::io("write the JUnit report", "写入 JUnit 报告", &error))?;
        }
        if printer.json {
            printer.json(&json!({
                "component": { "path": file, "sha256": component.inspection().digest },
                "cases": tested.iter().map(|tested| tested.value(printer)).collect::<Vec<_>>(),
            }));
        } else {
            self.print(&file, &component, &tested, printer);
        }
        let passed = tested.iter().all(|tested| tested.verdict.passed());
        Ok(if passed { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILED) })
    }

    /// The selected cases, with the decisions they expect.
    fn cases(&self) -> Result<Vec<ExpectedCase>, Report> {
        let folder = self.folder.join("cases");
        let all = GuestCase::of_folder(&folder)?;
        if all.is_empty() {
            return Err(Report::usage(
                Text::new(
                    format!("there are no cases in {}", folder.display()),
                    format!("{} 中没有用例", folder.display()),
                ),
                Text::new(
                    r#"write one, such as cases/first.json with { "now": "2026-05-01T08:00:00Z", "timezone": "Asia/Shanghai", "rows": [{ … a row of the form … }] }, then run again with `--bless` and read what was written"#,
                    r#"请先写一个，如 cases/first.json，内容为 { "now": "2026-05-01T08:00:00Z", "timezone": "Asia/Shanghai", "rows": [{ …表单的一行… }] }，再加 `--bless` 运行，并核对写入的判定"#,
                ),
            ));
        }
        let known = |name: &&String| all.iter().any(|case| case.name() == name.as_str());
        if let Some(unknown) = self.cases.iter().find(|name| !known(name)) {
            let names = all.iter().map(GuestCase::name).collect::<Vec<_>>().join(", ");
            return Err(Report::usage(
                Text::new(format!("there is no case `{unknown}`"), format!("没有用例“{unknown}”")),
                Text::new(format!("the cases are {names}"), format!("现有用例：{names}")),
            ));
        }
        let mut asked = Vec::new();
        for case in all {
            if self.cases.is_empty() || self.cases.iter().any(|name| name == case.name()) {
                let expected = match case.expected() {
                    Ok(expected) => Some(expected),
                    Err(_) if self.bless => None,
                    Err(error) => return Err(error.into()),
                };
                asked.push(ExpectedCase { case, expected });
            }
        }
        Ok(asked)
    }

    fn test(
        &self,
        case: &GuestCase,
        expected: Option<&[Outcome]>,
        guest: &Result<Guest, GuestLoadError>,
    ) -> Result<CaseResult, Report> {
        let mut tested = CaseResult {
            name: case.name().to_owned(),
            path: case.path().to_owned(),
            rows: case.rows(),
            verdict: CaseVerdict::Ok,
            wall: Duration::ZERO,
            fuel: None,
            peak: 0,
        };
        let guest = match guest {
            Ok(guest) => guest,
            Err(error) => {
                tested.verdict = CaseVerdict::Failed { code: error.code().to_owned(), text: error.text() };
                return Ok(tested);
            }
        };
        let trial = case.try_on(guest, expected);
        (tested.wall, tested.fuel, tested.peak) = (trial.wall, trial.fuel, trial.peak);
        tested.verdict = match trial.finding {
            CaseFinding::Agrees => CaseVerdict::Ok,
            CaseFinding::Differs { found, .. } if self.bless => {
                std::fs::write(case.path(), case.blessed(&found))
                    .map_err(|error| Report::io("write the case file", "写入用例文件", &error))?;
                CaseVerdict::Blessed
            }
            CaseFinding::Differs { differences, .. } => CaseVerdict::Differs(differences),
            CaseFinding::Failed(error) => {
                CaseVerdict::Failed { code: error.code().to_owned(), text: error.text() }
            }
        };
        Ok(tested)
    }

    fn print(&self, file: &Path, component: &Component, tested: &[CaseResult], printer: &Printer) {
        printer.out(format_args!("{}  sha256 {}", file.display(), component.inspection().digest));
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header([
            printer.text("case", "用例"),
            printer.text("rows", "行数"),
            printer.text("result", "结果"),
            printer.text("time", "用时"),
            printer.text("fuel", "燃料"),
            printer.text("peak memory", "内存峰值"),
        ]);
        for tested in tested {
            table.add_row([
                tested.name.clone(),
                tested.rows.to_string(),
                tested.verdict.word(printer).to_owned(),
                format!("{:.1} ms", tested.wall.as_secs_f64() * 1e3),
                tested.fuel.map(grouped).unwrap_or_default(),
                format!("{} KiB", tested.peak.div_ceil(1024)),
            ]);
        }
        printer.out(table);
        for tested in tested {
            match &tested.verdict {
                CaseVerdict::Ok => {}
                CaseVerdict::Blessed => {
                    printer.out(format_args!(
                        "{}  {}",
                        tested.path.display(),
                        printer.text("the decisions found were written; read them", "已写入实际判定，请核对")
                    ));
                }
                CaseVerdict::Failed { code, text } => {
                    printer.out(format_args!("\n{}", tested.path.display()));
                    printer.out(format_args!("  [{code}] {}", text.in_lang(printer.lang)));
                }
                CaseVerdict::Differs(differences) => {
                    printer.out(format_args!("\n{}", tested.path.display()));
                    for difference in differences {
                        let CaseDifference { row, id, .. } = difference;
                        let (number, signs) = match printer.lang {
                            Lang::En => (format!("row {row}"), "- expected, + found"),
                            Lang::Zh => (format!("第 {row} 行"), "- 期望，+ 实际"),
                        };
                        printer.out(format_args!("  {number} ({id})  {signs}"));
                        for line in difference.diff.lines() {
                            printer.out(format_args!("    {line}"));
                        }
                    }
                }
            }
        }
        let failed = tested.iter().filter(|tested| !tested.verdict.passed()).count();
        let differ = tested.iter().any(|tested| matches!(tested.verdict, CaseVerdict::Differs(_)));
        let (count, folder) = (tested.len(), self.folder.display());
        let passed = count - failed;
        printer.out(match printer.lang {
            Lang::En => format!("\n{passed} of {count} cases pass"),
            Lang::Zh => format!("\n共 {count} 个用例，通过 {passed} 个"),
        });
        if differ {
            printer.out(match printer.lang {
                Lang::En => {
                    format!("if what was found is right, `ruzhi guest test {folder} --bless` accepts it")
                }
                Lang::Zh => format!("若实际判定正确，可用 `ruzhi guest test {folder} --bless` 认可"),
            });
        }
    }
}

/// Loads a component with a rules file, once it has described itself in a separate process.
fn load(
    registry: &ComponentRegistry,
    bytes: &[u8],
    rules: Option<&Path>,
    context: Context,
) -> Result<Guest, GuestLoadError> {
    let text = Guest::read_rules(rules)?;
    registry.rehearse(bytes, RehearsalRules { text: text.clone(), context, records: Vec::new() })?;
    Guest::new(registry.load_bytes(bytes)?, text)
}

/// A number with its thousands separated.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place % 3 == first {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
