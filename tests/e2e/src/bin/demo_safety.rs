//! `make demo-safety`: five failures of people, machine and runs. Five chapters against a simulated factory, told with
//! the `ruzhi` binary; exits with 1 if any promise is broken.

use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use ruzhi_e2e::{Deployment, Outcome, RULES, Tenant, Workforce, exit_code, finish};
use ruzhi_sim::factory::{CORP_ID, POSITION};
use ruzhi_sim::{FaultKind, FaultRule, Faults, Limits, Simulator};
use serde_json::{Map, Value, json};

const PEOPLE: usize = 60;
/// Lines of a command's output that are shown.
const SHOWN: usize = 14;

fn main() -> ExitCode {
    exit_code(demo().context("the demo failed"))
}

#[expect(clippy::print_stdout, reason = "the output is for a person to read")]
fn demo() -> Result<()> {
    Story::begin()?.tell()?;
    println!("\nNo one was lost: no member was disabled by mistake, created twice or invited twice.");
    println!("没有人丢失：无人因失误被停用，无人被重复创建或重复邀请。");
    Ok(())
}

struct Story {
    simulator: Simulator,
    deployment: Deployment,
    workforce: Workforce,
}

impl Story {
    fn begin() -> Result<Self> {
        let simulator = Simulator::listen(([127, 0, 0, 1], 0).into())?;
        let mut workforce = Workforce::new(PEOPLE);
        simulator.load(workforce.document())?;
        simulator.set_limits(Limits { enabled: false, ..Limits::default() });
        let deployment = Deployment::new(&[])?;
        let story = Self { simulator, deployment, workforce };
        story.configure("", RULES)?;
        Ok(story)
    }

    fn tell(&mut self) -> Result<()> {
        self.filter_slip().context("chapter 1")?;
        self.state_slip().context("chapter 2")?;
        self.crash().context("chapter 3")?;
        self.wrong_rules().context("chapter 4")?;
        self.drift().context("chapter 5")
    }

    /// The tenant's file: missing rows mean leavers, and the guard has its default limits.
    fn configure(&self, filter: &str, rules: &str) -> Result<()> {
        self.deployment.put(&Tenant {
            flow: "absent = \"leave\"".to_owned(),
            source: filter.to_owned(),
            rules: Some(rules.to_owned()),
            tables: String::new(),
            ..Tenant::new(&self.simulator.url())
        })
    }

    fn filter_slip(&mut self) -> Result<()> {
        chapter(1, "a filter slip", "筛选条件写错");
        say("The form has sixty people. In this factory, a missing row means that the person has left.");
        self.sync(0)?;
        self.workforce.check_exact(&self.simulator)?;

        for place in 0..6 {
            self.workforce.transfer(place);
        }
        self.workforce.publish(&self.simulator)?;
        self.sync(0)?;
        say("The filter is changed by mistake: only six of the sixty rows still match.");
        let slip = format!(
            r#"filter = {{ rel = "and", cond = [ {{ field = "{POSITION}", type = "text", method = "eq", value = ["班组长"] }} ] }}"#
        );
        self.configure(&slip, RULES)?;
        let refused = self.ruzhi(&["sync", "jingxintai", "--full"], 1)?;
        ensure!(refused.stderr.contains("source.shrunk"), "the run did not stop");
        say("More than half of the known rows are missing, so sync stops. --accept-missing overrides this:");
        self.ruzhi(&["sync", "jingxintai", "--full", "--accept-missing"], 3)?;
        let plan = self.held()?;
        say("The guard holds the plan. It can be read before anyone decides:");
        self.ruzhi(&["show", &plan], 0)?;
        self.ruzhi(&["reject", &plan, "--reason", "the filter was wrong"], 0)?;
        self.none_disabled()?;
        say("The filter is corrected. Everyone is as before:");
        self.configure("", RULES)?;
        self.sync(0)?;
        self.workforce.check_exact(&self.simulator)
    }

    fn state_slip(&mut self) -> Result<()> {
        chapter(2, "a wrong import", "导入错误");
        say("A wrong import sets half of the people to 离职.");
        for place in 0..PEOPLE / 2 {
            self.workforce.leave(place);
        }
        self.sync(3)?;
        let plan = self.held()?;
        self.none_disabled()?;
        self.ruzhi(&["show", &plan], 0)?;
        self.ruzhi(&["reject", &plan, "--reason", "wrong import"], 0)?;
        say("The plan stays rejected as long as the form does not change:");
        self.sync(3)?;
        self.none_disabled()?;
        say("The import is corrected; fifteen people have really left. A person approves the held plan:");
        for place in 15..PEOPLE / 2 {
            self.workforce.employ(place);
        }
        self.sync(3)?;
        let plan = self.held()?;
        self.ruzhi(&["apply", &plan, "--approve"], 0)?;
        self.workforce.check_exact(&self.simulator)
    }

    fn crash(&mut self) -> Result<()> {
        chapter(3, "a crash", "进程崩溃");
        say("Twenty people are hired. WeCom answers are lost, and the process is killed (kill -9) mid-run.");
        for _ in 0..20 {
            self.workforce.hire();
        }
        self.workforce.publish(&self.simulator)?;
        self.simulator.set_faults(Faults {
            seed: 3,
            rules: vec![
                FaultRule::new(FaultKind::StallAfter).api("user/create").skip(9).next(1),
                FaultRule::new(FaultKind::ResetAfter).api("user/create").per_mille(300),
            ],
        });
        self.killed(&["sync", "jingxintai"])?;
        self.simulator.set_faults(Faults::default());
        self.workforce.check_so_far(&self.simulator)?;
        say("The next run asks WeCom about the calls in doubt and completes the rest:");
        self.sync(0)?;
        self.workforce.check_exact(&self.simulator)?;
        say("Each of the twenty was created once and invited once.");
        Ok(())
    }

    fn wrong_rules(&mut self) -> Result<()> {
        chapter(4, "wrong rules, and back", "规则写错与撤销");
        say("A wrong rules file goes live: it gives everyone the same position.");
        self.configure("", &RULES.replace(&format!("{{{POSITION}}}"), "员工"))?;
        self.sync(0)?;
        ensure!(self.workforce.check_exact(&self.simulator).is_err(), "the wrong rules did nothing");
        let run = self.last_run()?;
        say("The run is reverted by an ordinary plan: read it, then apply it.");
        self.ruzhi(&["revert", &run], 0)?;
        let plan = self.last_plan()?;
        self.ruzhi(&["show", &plan], 0)?;
        self.ruzhi(&["apply", &plan], 0)?;
        self.workforce.check_exact(&self.simulator)?;
        say("The next sync does not repeat the mistake, although the rules are still wrong:");
        self.sync(0)?;
        self.workforce.check_exact(&self.simulator)?;
        say("With the rules corrected, everyone is synced as before:");
        self.configure("", RULES)?;
        self.sync(0)?;
        self.workforce.check_exact(&self.simulator)
    }

    fn drift(&mut self) -> Result<()> {
        chapter(5, "changes by hand", "通讯录被手工改动");
        say("In the WeCom console, someone deletes W0040, moves W0041 and adds a visitor.");
        self.simulator.delete_by_hand(CORP_ID, "W0040")?;
        self.simulator.change_by_hand(CORP_ID, object(json!({ "userid": "W0041", "department": [1] })))?;
        let visitor =
            json!({ "userid": "visitor", "name": "访客", "mobile": "13600000009", "department": [3] });
        self.simulator.add_by_hand(CORP_ID, object(visitor))?;
        let found = self.ruzhi(&["drift", "jingxintai"], 0)?;
        for userid in ["W0040", "W0041", "visitor"] {
            ensure!(found.stdout.contains(userid), "{userid} was not found");
        }
        say("The form takes precedence: the directory is overwritten. The visitor is not ruzhi's and stays:");
        self.ruzhi(&["drift", "jingxintai", "--overwrite"], 0)?;
        let plan = self.last_plan()?;
        self.ruzhi(&["apply", &plan], 0)?;
        let members = self.simulator.members(CORP_ID);
        ensure!(members.contains_key("visitor"), "the visitor was touched");
        self.simulator.delete_by_hand(CORP_ID, "visitor")?;
        self.workforce.check_exact(&self.simulator)
    }

    /// Publishes the changes, runs `ruzhi sync` and expects this exit code.
    fn sync(&mut self, code: i32) -> Result<Outcome> {
        self.workforce.publish(&self.simulator)?;
        self.ruzhi(&["sync", "jingxintai"], code)
    }

    #[expect(clippy::print_stdout, reason = "the output is for a person to read")]
    fn ruzhi(&self, arguments: &[&str], code: i32) -> Result<Outcome> {
        println!("$ ruzhi {}", arguments.join(" "));
        let outcome = finish(self.deployment.command(arguments)?)?;
        let all = format!("{}{}", outcome.stdout, outcome.stderr);
        let lines: Vec<&str> = all.lines().collect();
        for line in lines.iter().take(SHOWN) {
            println!("{line}");
        }
        if lines.len() > SHOWN {
            println!("  … {} more lines", lines.len() - SHOWN);
        }
        println!("  (exit code {})\n", outcome.code.unwrap_or(-1));
        ensure!(
            outcome.code == Some(code),
            "`ruzhi {}` ended with {:?}, not {code}",
            arguments.join(" "),
            outcome.code
        );
        Ok(outcome)
    }

    /// Starts a run and kills it when the simulator withholds an answer.
    #[expect(clippy::print_stdout, reason = "the output is for a person to read")]
    fn killed(&self, arguments: &[&str]) -> Result<()> {
        println!("$ ruzhi {}", arguments.join(" "));
        let stalled = self.simulator.stalled();
        let mut command = self.deployment.command(arguments)?;
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        while !self.simulator.wait_for_stall(stalled, Duration::from_millis(5)) {
            ensure!(child.try_wait()?.is_none(), "the run ended before it could be killed");
        }
        child.kill()?;
        child.wait()?;
        let there = self.simulator.members(CORP_ID).len();
        println!("Killed. ({there} members are in the directory)\n");
        Ok(())
    }

    fn none_disabled(&self) -> Result<()> {
        let members = self.simulator.members(CORP_ID);
        let disabled = members.values().filter(|member| !member.enabled).count();
        ensure!(disabled == 0, "{disabled} people were disabled");
        say(&format!("No one was disabled: {} members, all enabled.", members.len()));
        Ok(())
    }

    fn held(&self) -> Result<String> {
        let status = self.quietly(&["status", "jingxintai", "--json"])?;
        let held = status.pointer("/0/held").and_then(Value::as_array).and_then(|held| held.last());
        held.and_then(Value::as_str).map(str::to_owned).context("no plan is held")
    }

    fn last_run(&self) -> Result<String> {
        self.of_last_run("run").or_else(|_| self.of_last_run("id"))
    }

    fn last_plan(&self) -> Result<String> {
        self.of_last_run("plan")
    }

    fn of_last_run(&self, what: &str) -> Result<String> {
        let runs = self.quietly(&["runs", "jingxintai", "--limit", "1", "--json"])?;
        let value = runs.pointer(&format!("/0/{what}")).and_then(Value::as_str);
        value.map(str::to_owned).with_context(|| format!("the last run has no {what}"))
    }

    fn quietly(&self, arguments: &[&str]) -> Result<Value> {
        self.deployment.run(arguments)?.json()
    }
}

#[expect(clippy::print_stdout, reason = "the output is for a person to read")]
fn chapter(number: u32, en: &str, zh: &str) {
    println!("\n== {number}. {en} ({zh}) ==\n");
}

#[expect(clippy::print_stdout, reason = "the output is for a person to read")]
fn say(words: &str) {
    println!("# {words}");
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
