//! Every fault at every step, in whole runs of the binary; what was seen is `docs/reliability.md`.
//!
//! Each cell is a small factory of its own. It is brought to where the step comes next, the fault is set on the step's
//! call, a run meets it, the fault ends, and runs follow until the directory is exact. `RUZHI_BLESS=1` writes the
//! document; without it the test fails if the document says anything else than what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use ruzhi_e2e::{Deployment, Standing, Tenant, Workforce};
use ruzhi_sim::factory::CORP_ID;
use ruzhi_sim::{FaultKind, FaultRule, Faults, Limits, Service, Simulator};
use serde_json::Value;

use FaultKind as Kind;

/// The factory and how it gets to the step.
#[derive(Clone, Copy)]
struct Step {
    service: Service,
    api: &'static str,
    /// What the call is for, where one call has several uses.
    what: (&'static str, &'static str),
    people: usize,
    /// Which of the calls meets the fault.
    skip: u64,
    /// Runs without faults before, each after such a change.
    before: &'static [fn(&mut Workforce)],
    /// What the run has to carry out that meets the fault.
    change: fn(&mut Workforce),
    tenant: fn(Tenant) -> Tenant,
    /// The changes go as a file, whose result is waited for.
    by_job: bool,
}

const PEOPLE: usize = 12;

const STEP: Step = Step {
    service: Service::WeCom,
    api: "",
    what: ("", ""),
    people: PEOPLE,
    skip: 0,
    before: &[],
    change: nothing,
    tenant: as_it_is,
    by_job: false,
};

const STEPS: [Step; 15] = [
    Step {
        service: Service::JianDaoYun,
        api: "widget/list",
        what: ("fields of the form", "表单字段"),
        before: &[nothing],
        change: some_of_each,
        tenant: absent_leave,
        ..STEP
    },
    Step {
        service: Service::JianDaoYun,
        api: "data/list",
        what: ("first page", "首页"),
        before: &[nothing],
        change: some_of_each,
        tenant: absent_leave,
        ..STEP
    },
    Step {
        service: Service::JianDaoYun,
        api: "data/list",
        what: ("second page", "次页"),
        people: 110,
        skip: 1,
        before: &[nothing],
        change: some_of_each,
        tenant: absent_leave,
        ..STEP
    },
    Step { api: "gettoken", what: ("token", "令牌"), ..STEP },
    Step { api: "department/simplelist", what: ("departments", "部门"), ..STEP },
    Step { api: "user/list_id", what: ("members", "成员"), ..STEP },
    Step { api: "user/create", what: ("create", "新增"), skip: 2, ..STEP },
    Step { api: "user/update", what: ("update", "更新"), before: &[nothing], change: one_transfer, ..STEP },
    Step { api: "user/update", what: ("disable", "停用"), before: &[nothing], change: one_leaves, ..STEP },
    Step {
        api: "user/update",
        what: ("enable", "启用"),
        before: &[nothing, one_leaves],
        change: one_returns,
        ..STEP
    },
    Step {
        api: "user/delete",
        what: ("delete", "删除"),
        before: &[nothing, one_leaves],
        tenant: no_grace,
        ..STEP
    },
    Step {
        api: "user/getuserid",
        what: ("mobile taken?", "手机号核对"),
        before: &[nothing],
        change: one_new_number,
        ..STEP
    },
    Step { api: "media/upload", what: ("big load: file", "批量：上传"), ..BIG_LOAD },
    Step { api: "batch/syncuser", what: ("big load: job", "批量：任务"), ..BIG_LOAD },
    Step { api: "batch/getresult", what: ("big load: result", "批量：结果"), ..BIG_LOAD },
];

const BIG_LOAD: Step =
    Step { before: &[nothing], change: many_changes, tenant: by_csv, by_job: true, ..STEP };

fn nothing(_: &mut Workforce) {}

fn one_transfer(workforce: &mut Workforce) {
    workforce.transfer(4);
}

fn one_leaves(workforce: &mut Workforce) {
    workforce.leave(4);
}

fn one_returns(workforce: &mut Workforce) {
    workforce.employ(4);
}

fn one_new_number(workforce: &mut Workforce) {
    workforce.renumber(4);
}

fn some_of_each(workforce: &mut Workforce) {
    workforce.hire();
    workforce.hire_wrongly();
    workforce.transfer(4);
    workforce.leave(5);
}

fn many_changes(workforce: &mut Workforce) {
    for place in 0..4 {
        workforce.transfer(place);
        workforce.hire();
    }
    workforce.hire_wrongly();
}

fn as_it_is(tenant: Tenant) -> Tenant {
    tenant
}

/// Rows that are gone would be leavers, which is where an incomplete answer would hurt.
fn absent_leave(tenant: Tenant) -> Tenant {
    Tenant { flow: "absent = \"leave\"\n".to_owned(), ..tenant }
}

fn no_grace(tenant: Tenant) -> Tenant {
    Tenant { top: "grace = \"0s\"\n".to_owned(), ..tenant }
}

fn by_csv(tenant: Tenant) -> Tenant {
    Tenant { wecom: "batch_from = 2\n".to_owned(), ..tenant }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Kind(FaultKind),
    Refused(i32),
    /// The process is killed when the service has received the call: before it acts, or after.
    Killed {
        before: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lasting {
    /// One call meets it.
    Once,
    /// Every such call of the run meets it.
    TheWholeRun,
}

/// A row of the document. Whether the fault is also tried for a whole run: those that only make a run wait are not.
struct FaultRow {
    fault: Fault,
    said: (&'static str, &'static str),
    whole_run: bool,
}

const fn row(fault: Fault, whole_run: bool, en: &'static str, zh: &'static str) -> FaultRow {
    FaultRow { fault, said: (en, zh), whole_run }
}

const FAULTS: [FaultRow; 26] = [
    row(Fault::Kind(Kind::ResetBefore), true, "connection reset, not done", "连接重置，未执行"),
    row(Fault::Kind(Kind::ResetAfter), true, "connection reset, done", "连接重置，已执行"),
    row(Fault::Kind(Kind::StallBefore), false, "no answer, not done", "无应答，未执行"),
    row(Fault::Kind(Kind::StallAfter), false, "no answer, done", "无应答，已执行"),
    row(Fault::Kind(Kind::Slow), true, "slow answer", "应答缓慢"),
    row(Fault::Kind(Kind::BadGatewayBefore), true, "HTTP 502, not done", "HTTP 502，未执行"),
    row(Fault::Kind(Kind::BadGatewayAfter), true, "HTTP 502, done", "HTTP 502，已执行"),
    row(Fault::Kind(Kind::Truncated), true, "half of the JSON, done", "JSON 不完整，已执行"),
    row(Fault::Kind(Kind::BusyBefore), true, "-1, not done", "-1，未执行"),
    row(Fault::Kind(Kind::BusyAfter), true, "-1, done", "-1，已执行"),
    row(Fault::Kind(Kind::VersionConflict), true, "6000", "6000"),
    row(Fault::Kind(Kind::RateLimited), false, "45009", "45009"),
    row(Fault::Kind(Kind::TooConcurrent), false, "45033", "45033"),
    row(Fault::Kind(Kind::RevokeToken), true, "token ended early", "令牌提前失效"),
    row(Fault::Kind(Kind::StringErrcode), true, "errcode as a text", "errcode 为文本"),
    row(Fault::Kind(Kind::Warning), true, "success with a warning", "成功但带 warning"),
    row(Fault::Refused(60020), true, "60020, address not trusted", "60020，IP 不可信"),
    row(Fault::Refused(48002), true, "48002, not allowed", "48002，无权限"),
    row(Fault::Refused(40001), true, "40001, wrong secret", "40001，secret 错误"),
    row(Fault::Kind(Kind::CompanyLimited), true, "8303", "8303"),
    row(Fault::Kind(Kind::EndpointLimited), true, "8304", "8304"),
    row(Fault::Kind(Kind::TooManyRequests), true, "HTTP 429", "HTTP 429"),
    row(Fault::Kind(Kind::ShortPage), true, "half of a page", "页内缺行"),
    row(Fault::Kind(Kind::EmptyPage), true, "empty page", "空页"),
    row(Fault::Killed { before: true }, false, "killed, not done", "进程被杀，未执行"),
    row(Fault::Killed { before: false }, false, "killed, done", "进程被杀，已执行"),
];

impl Fault {
    fn kind(self) -> FaultKind {
        match self {
            Self::Kind(kind) => kind,
            Self::Refused(_) => Kind::Refused,
            Self::Killed { before: true } => Kind::StallBefore,
            Self::Killed { before: false } => Kind::StallAfter,
        }
    }

    fn happens_to(self, step: &Step) -> bool {
        match self.kind() {
            Kind::RevokeToken => step.service == Service::WeCom && step.api != "gettoken",
            Kind::BusyBefore
            | Kind::BusyAfter
            | Kind::VersionConflict
            | Kind::RateLimited
            | Kind::TooConcurrent
            | Kind::StringErrcode
            | Kind::Warning
            | Kind::Refused => step.service == Service::WeCom,
            Kind::CompanyLimited | Kind::EndpointLimited | Kind::TooManyRequests => {
                step.service == Service::JianDaoYun
            }
            Kind::ShortPage | Kind::EmptyPage => step.api == "data/list",
            _ => true,
        }
    }

    /// A run that meets it waits for most of a minute; such cells wait side by side.
    fn waits(self, step: &Step, lasting: Lasting) -> bool {
        let killed = matches!(self, Self::Killed { .. });
        matches!(self.kind(), Kind::StallBefore | Kind::StallAfter | Kind::RateLimited) && !killed
            || step.service == Service::JianDaoYun && lasting == Lasting::TheWholeRun
    }

    /// A file's upload is waited for two minutes and a job's result a quarter of an hour: nothing to learn but patience.
    fn is_only_waited_for(self, step: &Step, lasting: Lasting) -> bool {
        let unanswered = matches!(self, Self::Kind(Kind::StallBefore | Kind::StallAfter));
        step.api == "media/upload" && unanswered
            || step.api == "batch/getresult" && lasting == Lasting::TheWholeRun
    }

    fn rule(self, step: &Step, lasting: Lasting) -> FaultRule {
        let rule = match self {
            Self::Refused(errcode) => FaultRule::refused(errcode),
            _ => FaultRule::new(self.kind()),
        };
        let next = match (self, lasting) {
            // Wrong settings stay wrong until a person corrects them.
            (Self::Refused(_), _) | (_, Lasting::TheWholeRun) => u64::MAX,
            (_, Lasting::Once) => 1,
        };
        let delay_ms = if rule.kind == Kind::Slow { 150 } else { 0 };
        // WeCom's window is a minute; the simulator's may be over sooner, for ruzhi waits by the book.
        FaultRule {
            delay_ms,
            window_ms: 1_000,
            ..rule.service(step.service).api(step.api).skip(step.skip).next(next)
        }
    }
}

/// What was seen in one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    /// How each run ended, until one was done and the directory exact; none is killed.
    exits: Vec<Option<i32>>,
    /// Writes that took effect beyond those that a run without the fault needs.
    again: i64,
    /// The error of the run that met the fault.
    code: Option<String>,
}

impl Seen {
    fn text(&self) -> String {
        let exits: Vec<String> = self
            .exits
            .iter()
            .map(|exit| exit.map_or_else(|| "†".to_owned(), |code| code.to_string()))
            .collect();
        let again = if self.again == 0 { String::new() } else { format!(" +{}", self.again) };
        format!("{}{again}", exits.join("→"))
    }
}

const MOST_RUNS: usize = 5;

struct Cell<'a> {
    step: &'a Step,
    simulator: Simulator,
    deployment: Deployment,
    workforce: Workforce,
}

impl<'a> Cell<'a> {
    fn at(step: &'a Step, compiled: &Deployment) -> Result<Self> {
        let simulator = Simulator::listen(([127, 0, 0, 1], 0).into())?;
        let mut workforce = Workforce::new(step.people);
        simulator.load(workforce.document())?;
        simulator.set_limits(Limits { enabled: false, ..Limits::default() });
        let tenant = (step.tenant)(Tenant::new(&simulator.url()));
        let deployment = Deployment::beside(compiled, &[tenant])?;
        let mut cell = Self { step, simulator, deployment, workforce };
        for change in step.before {
            change(&mut cell.workforce);
            cell.workforce.publish(&cell.simulator)?;
            let outcome = cell.deployment.run(&["sync", "jingxintai"])?;
            ensure!(outcome.code == Some(0), "before the fault: {}{}", outcome.stdout, outcome.stderr);
            cell.workforce.check_exact(&cell.simulator)?;
        }
        (step.change)(&mut cell.workforce);
        cell.workforce.publish(&cell.simulator)?;
        Ok(cell)
    }

    fn writes(&self) -> i64 {
        let state = self.simulator.state();
        let writes = state.pointer(&format!("/wecom/corps/{CORP_ID}/writes")).and_then(Value::as_object);
        writes.into_iter().flatten().filter_map(|(_, count)| count.as_i64()).sum()
    }

    /// Nobody may be disabled or gone who has not left: least of all because a form was read in part.
    fn check_nobody_lost(&self, known: &BTreeSet<String>) -> Result<()> {
        let members = self.simulator.members(CORP_ID);
        for worker in self.workforce.workers() {
            let key = worker.person.userid.to_ascii_lowercase();
            if worker.standing == Standing::Employed && known.contains(&key) {
                ensure!(members.get(&key).is_some_and(|member| member.enabled), "{key} was lost");
            }
        }
        Ok(())
    }

    fn see(&mut self, fault: Option<(Fault, Lasting)>) -> Result<Seen> {
        let enabled: BTreeSet<String> = self
            .simulator
            .members(CORP_ID)
            .into_iter()
            .filter(|(_, member)| member.enabled)
            .map(|(key, _)| key)
            .collect();
        let before = self.writes();
        let mut seen = Seen { exits: Vec::new(), again: 0, code: None };
        if let Some((fault, lasting)) = fault {
            let rule = fault.rule(self.step, lasting);
            self.simulator.set_faults(Faults { seed: 1, rules: vec![rule] });
            let (exit, code) = match fault {
                Fault::Killed { .. } => (self.killed_run()?, None),
                _ => self.run()?,
            };
            seen.exits.push(exit);
            seen.code = code;
            let fired = self.simulator.state().pointer("/faults").cloned().unwrap_or_default();
            ensure!(fired.as_object().is_some_and(|fired| !fired.is_empty()), "the fault did not happen");
            self.simulator.set_faults(Faults::default());
            self.workforce.check_so_far(&self.simulator)?;
            self.check_nobody_lost(&enabled)?;
        }
        while seen.exits.last() != Some(&Some(0)) || self.workforce.check_exact(&self.simulator).is_err() {
            if seen.exits.len() == MOST_RUNS {
                self.workforce.check_exact(&self.simulator)?;
                anyhow::bail!("no run ended well: {:?}", seen.exits);
            }
            seen.exits.push(self.run()?.0);
            self.workforce.check_so_far(&self.simulator)?;
            self.check_nobody_lost(&enabled)?;
        }
        seen.again = self.writes() - before;
        // One more run finds nothing to do.
        let rest = self.deployment.run(&["sync", "jingxintai", "--json"])?.json()?;
        for write in ["created", "updated", "disabled", "enabled", "failed"] {
            ensure!(rest["counts"][write] == 0, "a run after the last still has {write}: {rest}");
        }
        Ok(seen)
    }

    fn run(&self) -> Result<(Option<i32>, Option<String>)> {
        let outcome = self.deployment.run(&["sync", "jingxintai", "--json"])?;
        let report = outcome.json()?;
        let code = report.pointer("/error/code").and_then(Value::as_str).map(str::to_owned);
        Ok((outcome.code, code))
    }

    fn killed_run(&self) -> Result<Option<i32>> {
        let mut command = self.deployment.command(&["sync", "jingxintai"])?;
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        while !self.simulator.wait_for_stall(0, Duration::from_millis(5)) {
            ensure!(child.try_wait()?.is_none(), "the run ended before the call came");
        }
        child.kill()?;
        Ok(child.wait()?.code())
    }
}

type Place = (usize, usize, bool);

#[test]
fn every_fault_at_every_step_ends_as_the_reliability_document_says() {
    let steps: Vec<&Step> = STEPS.iter().collect();
    // The guest is compiled once for all.
    let compiled = Deployment::new(&[Tenant::new("http://127.0.0.1:9")]).unwrap();
    assert_eq!(compiled.run(&["check"]).unwrap().code, Some(0));

    let needed: Vec<i64> = steps
        .iter()
        .map(|step| {
            let seen = Cell::at(step, &compiled).and_then(|mut cell| cell.see(None));
            let seen = seen.unwrap_or_else(|error| panic!("{} without a fault: {error:#}", step.api));
            assert_eq!(seen.exits, [Some(0)], "{} without a fault", step.api);
            seen.again
        })
        .collect();

    let (mut waiting, mut big_loads, mut quick) = (Vec::new(), Vec::new(), Vec::new());
    for (column, step) in steps.iter().enumerate() {
        for (line, FaultRow { fault, whole_run, .. }) in FAULTS.iter().enumerate() {
            for lasting in [Lasting::Once, Lasting::TheWholeRun] {
                let whole = lasting == Lasting::TheWholeRun;
                // Wrong settings are never wrong for one call only.
                let tried = if matches!(fault, Fault::Refused(_)) { !whole } else { !whole || *whole_run };
                if fault.happens_to(step) && tried && !fault.is_only_waited_for(step, lasting) {
                    let lane = match fault.waits(step, lasting) {
                        true => &mut waiting,
                        // Jobs are asked for their result after half a second, one and two.
                        false if step.by_job => &mut big_loads,
                        false => &mut quick,
                    };
                    lane.push(((line, column, whole), *fault, lasting));
                }
            }
        }
    }
    let seen: Mutex<BTreeMap<Place, Seen>> = Mutex::default();
    let wrong: Mutex<Vec<String>> = Mutex::default();
    let try_cell = &|(place, fault, lasting): (Place, Fault, Lasting)| {
        let step = steps[place.1];
        let result = Cell::at(step, &compiled).and_then(|mut cell| cell.see(Some((fault, lasting))));
        match result {
            Ok(mut found) => {
                found.again -= needed[place.1];
                seen.lock().unwrap().insert(place, found);
            }
            Err(error) => {
                wrong
                    .lock()
                    .unwrap()
                    .push(format!("{} ({}): {fault:?} {lasting:?}: {error:#}", step.api, step.what.0));
            }
        }
    };
    std::thread::scope(|scope| {
        for cell in waiting {
            scope.spawn(move || try_cell(cell));
        }
        for (cells, threads) in [(&big_loads, 12), (&quick, 3)] {
            let next = Arc::new(AtomicUsize::new(0));
            for _ in 0..threads {
                let next = Arc::clone(&next);
                scope.spawn(move || {
                    while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                        try_cell(*cell);
                    }
                });
            }
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} cells:\n{}", wrong.len(), wrong.join("\n"));
    compare(&document(&steps, &seen.into_inner().unwrap())).unwrap();
}

const PREFACE: &str = include_str!("reliability.md");

fn document(steps: &[&Step], seen: &BTreeMap<Place, Seen>) -> String {
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

fn compare(document: &str) -> Result<()> {
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
