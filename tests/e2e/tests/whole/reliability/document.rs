//! `docs/reliability.md`, written from the observed results.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use ruzhi_sim::Service;

use super::faults::{FAULTS, FaultRow};
use super::steps::Step;
use super::{Place, Seen};

const PREFACE: &str = include_str!("preface.md");

pub(super) fn document(steps: &[Step], seen: &BTreeMap<Place, Seen>) -> String {
    let mut text = PREFACE.replace("{cells}", &seen.len().to_string());
    for (whole, title) in [
        (false, "One call meets the fault (单次故障)"),
        (true, "Every such call of the run meets it (整个运行期间故障)"),
    ] {
        for (service, name) in
            [(Service::JianDaoYun, "简道云 (JianDaoYun)"), (Service::WeCom, "企业微信 (WeCom)")]
        {
            write!(text, "\n## {title}: {name}\n\n").unwrap();
            let columns: Vec<usize> =
                (0..steps.len()).filter(|column| steps[*column].service == service).collect();
            let heads: Vec<String> = columns
                .iter()
                .map(|column| {
                    let Step { api, what: (en, zh), .. } = steps[*column];
                    format!("`{api}`<br>{en}<br>{zh}")
                })
                .collect();
            writeln!(text, "| fault<br>故障 | {} | error<br>错误码 |", heads.join(" | ")).unwrap();
            writeln!(text, "|---|{}---|", "---|".repeat(heads.len())).unwrap();
            for (line, FaultRow { said: (en, zh), .. }) in FAULTS.iter().enumerate() {
                let cells: Vec<Option<&Seen>> =
                    columns.iter().map(|column| seen.get(&(line, *column, whole))).collect();
                if cells.iter().all(Option::is_none) {
                    continue;
                }
                let codes: BTreeSet<String> = cells
                    .iter()
                    .flatten()
                    .filter_map(|seen| seen.code.as_ref())
                    .map(|code| format!("`{code}`"))
                    .collect();
                let codes = codes.into_iter().collect::<Vec<_>>().join(" ");
                let cells: Vec<String> =
                    cells.into_iter().map(|seen| seen.map_or_else(|| "–".to_owned(), Seen::text)).collect();
                let said = if en == zh { (*en).to_owned() } else { format!("{en}<br>{zh}") };
                writeln!(text, "| {said} | {} | {codes} |", cells.join(" | ")).unwrap();
            }
        }
    }
    text
}

pub(super) fn compare(document: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reliability.md");
    if std::env::var_os("RUZHI_BLESS").is_some() {
        return std::fs::write(&path, document).context("cannot write docs/reliability.md");
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let other = document.lines().zip(stored.lines()).find(|(seen, said)| seen != said);
    if let Some((seen, said)) = other {
        anyhow::bail!(
            "docs/reliability.md says\n{said}\nand this was seen\n{seen}\nIf it is meant, run the test with RUZHI_BLESS=1"
        );
    }
    ensure!(stored == document, "docs/reliability.md is shorter or longer than what was seen");
    Ok(())
}
