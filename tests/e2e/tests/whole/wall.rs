//! An attacking guest costs its own flow's run, and affects nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ruzhi_e2e::{Deployment, Outcome, Tenant, Workforce};
use ruzhi_guest::contract::{self, Decision};
use ruzhi_hostile::{Memory, Module, echo, rules};
use ruzhi_sim::factory::{APP_ID, CORP_ID, Factory, NAME, USERID};
use ruzhi_sim::{CorpLoad, FormLoad, Limits, Simulator};
use serde_json::{Value, json};

const BAD_FORM: &str = "63e0706d0e33350008189954";
const OTHER_CORP: &str = "ww00000000000000ff";
const GOOD_RULES: &str = ruzhi_e2e::RULES;

/// A tenant with a healthy flow and one whose guest is replaced, and another tenant with a separate corp.
struct Site {
    simulator: Simulator,
    deployment: Deployment,
    people: usize,
}

impl Site {
    /// A site whose second flow reads these rows.
    fn new(bad_rows: &[Value]) -> Self {
        let simulator = Simulator::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let people = 6;
        let mut document = Workforce::new(people).document();
        let rows = bad_rows.iter().map(|row| row.as_object().unwrap().clone()).collect();
        document.jiandaoyun.forms.push(FormLoad {
            app_id: APP_ID.to_owned(),
            entry_id: BAD_FORM.to_owned(),
            widgets: Factory::widgets(),
            rows,
            ..FormLoad::default()
        });
        let other = CorpLoad {
            corp_id: OTHER_CORP.to_owned(),
            secret: document.wecom.corps[0].secret.clone(),
            departments: Factory::departments(),
            ..CorpLoad::default()
        };
        document.wecom.corps.push(other);
        simulator.load(document).unwrap();
        simulator.set_limits(Limits { enabled: false, ..Limits::default() });
        let healthy = Tenant {
            id: "healthy".to_owned(),
            corp_id: OTHER_CORP.to_owned(),
            ..Tenant::new(&simulator.url())
        };
        let deployment = Deployment::new(&[healthy]).unwrap();
        fs::write(
            deployment.path().join("ruzhi.toml"),
            "[store]\nurl = \"sqlite://ruzhi.db\"\n[guest]\ndeadline = \"500ms\"\nmemory = \"32MiB\"\n",
        )
        .unwrap();
        Self { simulator, deployment, people }
    }

    /// Puts this component with this rules file behind the second flow.
    fn second_flow(&self, component: &[u8], rules: &str) {
        let path = self.deployment.path().join("second.wasm");
        fs::write(&path, component).unwrap();
        self.second_flow_of(path.to_str().unwrap(), rules);
    }

    fn second_flow_of(&self, component: &str, rules: &str) {
        let tenant = Tenant {
            id: "bad".to_owned(),
            flows: format!(
                r#"
[[flows]]
id = "second"
[flows.source]
app_id = "{APP_ID}"
entry_id = "{BAD_FORM}"
[flows.guest]
component = "{component}"
config = "bad/second.json"
"#
            ),
            files: vec![("second.json".to_owned(), rules.to_owned())],
            ..Tenant::new(&self.simulator.url())
        };
        self.deployment.put(&tenant).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        self.deployment.run(arguments).unwrap()
    }

    /// All flows of all tenants, by name.
    fn sync(&self, code: i32) -> (BTreeMap<String, Value>, String) {
        let outcome = self.run(&["sync", "--json"]);
        assert_eq!(outcome.code, Some(code), "{}{}", outcome.stdout, outcome.stderr);
        let report = outcome.json().unwrap();
        let mut flows = BTreeMap::new();
        for run in report["runs"].as_array().unwrap() {
            let name = format!("{}/{}", run["tenant"].as_str().unwrap(), run["flow"].as_str().unwrap());
            flows.insert(name, run.clone());
        }
        (flows, outcome.stderr)
    }
}

fn person(number: u64, userid: &str) -> Value {
    json!({
        "_id": format!("50{number:022x}"),
        USERID: userid,
        NAME: format!("新人{number}"),
        ruzhi_sim::factory::MOBILE: format!("137{number:08}"),
        ruzhi_sim::factory::DEPARTMENT: [7],
        ruzhi_sim::factory::STATE: "在职",
    })
}

/// Attacks of a guest that loads and describes itself, each with the error code that a person sees.
fn attacks() -> [(Vec<u8>, String, &'static str); 5] {
    let grow = "(loop $again (drop (memory.grow (i32.const 16))) (br $again))";
    [
        (Module::deciding("(loop $again (br $again))").component(), String::new(), "guest.deadline"),
        (Module::deciding(grow).component(), String::new(), "guest.memory"),
        (Module::deciding("(unreachable)").component(), String::new(), "guest.trap"),
        (echo(80), rules(Memory::answer(&[]).bytes()), "guest.count"),
        (echo(80), rules(Memory::giving_up((0, 0), (0, 0)).bytes()), "guest.error"),
    ]
}

#[test]
fn whatever_a_guest_does_the_other_flows_and_tenants_end_as_they_must_and_a_good_guest_mends_it() {
    let rows = [person(1, "new1"), person(2, "new2"), person(3, "new3")];
    for (component, rules, code) in attacks() {
        let site = Site::new(&rows);
        site.second_flow(&component, &rules);
        let (reports, stderr) = site.sync(1);
        for healthy in ["bad/onboarding", "healthy/onboarding"] {
            assert_eq!(reports[healthy]["state"], "done", "{code}: {}", reports[healthy]);
            assert_eq!(reports[healthy]["counts"]["created"], site.people, "{code}");
            assert_eq!(reports[healthy]["counts"]["failed"], 0, "{code}");
        }
        let bad = &reports["bad/second"];
        assert_eq!((&bad["state"], &bad["counts"]["failed"]), (&json!("failed"), &json!(3)), "{code}: {bad}");
        assert!(bad.to_string().contains(code) || stderr.contains(code), "{code}: {bad}\n{stderr}");
        for row in &rows {
            let id = row["_id"].as_str().unwrap();
            for arguments in [&["trace", "bad/second", id][..], &["--lang", "zh", "trace", "bad/second", id]]
            {
                let trace = site.run(arguments);
                assert!(trace.stdout.contains(code), "{code}: {}{}", trace.stdout, trace.stderr);
            }
        }
        assert_eq!(site.simulator.members(CORP_ID).len(), site.people, "{code}");

        site.second_flow_of(&member(), GOOD_RULES);
        let (mended, _) = site.sync(0);
        assert_eq!(mended["bad/second"]["counts"]["created"], 3, "{code}: {mended:?}");
        assert_eq!(mended["bad/second"]["counts"]["failed"], 0, "{code}");
        site.simulator.assert_understood();
    }
}

#[test]
fn a_guest_that_attacks_does_not_take_the_place_of_one_that_is_live() {
    let site = Site::new(&[person(1, "new1"), person(2, "new2"), person(3, "new3")]);
    site.second_flow_of(&member(), GOOD_RULES);
    site.sync(0);
    let before = site.simulator.state()["wecom"].clone();
    for (component, rules, code) in attacks() {
        site.second_flow(&component, &rules);
        let (reports, stderr) = site.sync(0);
        assert!(stderr.contains("activation.fails") && stderr.contains(code), "{code}: {stderr}");
        for flow in ["bad/onboarding", "bad/second", "healthy/onboarding"] {
            assert_eq!(reports[flow]["state"], "done", "{code}: {}", reports[flow]);
            assert_eq!(reports[flow]["counts"]["failed"], 0, "{code}");
        }
        assert_eq!(reports["bad/second"]["counts"]["unchanged"], 3, "{code}");
        assert_eq!(site.simulator.state()["wecom"], before, "{code}: nothing is written");
    }
}

#[test]
fn a_component_that_does_not_load_costs_its_own_flow_and_says_why() {
    let site = Site::new(&[person(1, "new1")]);
    let mut unchanged = json!(0);
    for (component, code) in [
        (Module::starting("(loop $again (br $again))").component(), "guest.start"),
        (Module::describing("(unreachable)").component(), "guest.describe"),
        (b"\0asm\x0d\0\x01\0\x04\x7f".to_vec(), "guest.damaged"),
        (subtypes(), "guest.damaged"),
        (b"\x7fELF".to_vec(), "guest.not-a-component"),
    ] {
        site.second_flow(&component, "");
        let (reports, stderr) = site.sync(2);
        let bad = &reports["bad/second"];
        assert_eq!(bad["state"], "failed", "{code}: {bad}");
        assert_eq!(bad["error"]["code"], code, "{bad}");
        assert!(stderr.contains(code), "{stderr}");
        for healthy in ["bad/onboarding", "healthy/onboarding"] {
            assert_eq!(reports[healthy]["state"], "done", "{code}: {}", reports[healthy]);
            assert_eq!(reports[healthy]["counts"]["unchanged"], unchanged, "{code}");
        }
        unchanged = json!(site.people);
        assert!(!site.simulator.members(CORP_ID).contains_key("new1"));
    }
    site.second_flow_of(&member(), GOOD_RULES);
    assert_eq!(site.sync(0).0["bad/second"]["counts"]["created"], 1);
}

/// A guest whose start requires a type check that the engine cannot make and that would end the process.
fn subtypes() -> Vec<u8> {
    let items = "(type $a (sub (func))) (type $b (sub $a (func))) (func $g (type $b)) (table $t funcref (elem $g)) \
                 (func $start (call_indirect $t (type $a) (i32.const 0))) (start $start)";
    Module { items: items.to_owned(), ..Module::default() }.component()
}

/// Rules that ended a process are not retried automatically: the other flows go on, and an operator decides.
#[test]
fn rules_under_which_a_process_ended_wait_for_an_operator() {
    let site = Site::new(&[person(1, "new1")]);
    fs::write(
        site.deployment.path().join("ruzhi.toml"),
        "[store]\nurl = \"sqlite://ruzhi.db\"\n[guest]\ndeadline = \"60s\"\n",
    )
    .unwrap();
    let endless = Module::deciding("(loop $again (br $again))").component();
    site.second_flow(&endless, "");
    let mut running = site.deployment.command(&["sync", "bad/second"]).unwrap();
    let mut running = running.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    // It decides its first row, which another process can observe.
    loop {
        let listed = site.run(&["rules", "list", "bad/second", "--json"]);
        if listed.stdout.contains("guest.tried-elsewhere") {
            break;
        }
        assert!(running.try_wait().unwrap().is_none(), "the run ended: {}{}", listed.stdout, listed.stderr);
        assert!(began.elapsed() < Duration::from_secs(50), "{}{}", listed.stdout, listed.stderr);
    }
    running.kill().unwrap();
    running.wait().unwrap();
    for _ in 0..2 {
        let (reports, stderr) = site.sync(2);
        assert_eq!(reports["bad/second"]["error"]["code"], "guest.quarantined", "{stderr}");
        assert_eq!(reports["healthy/onboarding"]["state"], "done");
        assert_eq!(reports["bad/onboarding"]["state"], "done");
    }
    let confirmed = site.run(&["rules", "confirm", "bad/second", "--reason", "it was killed"]);
    assert_eq!(confirmed.code, Some(0), "{}", confirmed.stderr);
    assert_eq!(site.run(&["rules", "confirm", "bad/second"]).code, Some(1), "nothing is left to confirm");
    // Other rules need no confirmation.
    site.second_flow_of(&member(), GOOD_RULES);
    assert_eq!(site.sync(0).0["bad/second"]["counts"]["created"], 1);
}

/// The component of the default guest.
fn member() -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/built/member.wasm");
    path.canonicalize().unwrap().to_str().unwrap().to_owned()
}

/// Outcome i belongs to record i, so a guest cannot answer for another record; but it can name another record's member.
#[test]
fn a_guest_that_names_another_record_s_member_neither_takes_nor_disables_them() {
    let site = Site::new(&[person(1, "new1"), person(2, "new2")]);
    site.second_flow_of(&member(), GOOD_RULES);
    site.sync(0);
    let victim = {
        let members = site.simulator.members(CORP_ID);
        members.values().find(|member| !member.userid.starts_with("new")).unwrap().userid.clone()
    };
    let before = site.simulator.state()["wecom"].clone();
    let told = |decisions: Vec<Decision>| {
        let outcomes: Vec<contract::Outcome> = decisions.into_iter().map(contract::Outcome::new).collect();
        rules(Memory::answer(&outcomes).bytes())
    };
    let claim = |userid: &str| {
        Decision::Upsert(Box::new(contract::Member {
            userid: userid.to_owned(),
            name: "强占".to_owned(),
            mobile: Some("13699999999".to_owned()),
            ..contract::Member::default()
        }))
    };
    // Both records claim the member of a third one, in another flow: the third record keeps it.
    site.second_flow(&echo(80), &told(vec![claim(&victim), claim(&victim)]));
    let (reports, _) = site.sync(0);
    assert_eq!(reports["bad/second"]["counts"]["rejected"], 2, "{}", reports["bad/second"]);
    assert_eq!(site.simulator.state()["wecom"], before);
    // Each of the two records gives the other's data: each would have to become another person.
    site.second_flow(&echo(80), &told(vec![claim("new2"), claim("new1")]));
    let (reports, _) = site.sync(0);
    assert_eq!(reports["bad/second"]["counts"]["rejected"], 2, "{}", reports["bad/second"]);
    assert_eq!(site.simulator.state()["wecom"], before);
    // A leave of a foreign member and of one that does not exist.
    site.second_flow(
        &echo(80),
        &told(vec![Decision::Leave("boss".to_owned()), Decision::Leave("absent".to_owned())]),
    );
    site.sync(0);
    assert_eq!(site.simulator.state()["wecom"], before);
    // A leave of the other flow's member, by a row that is older than theirs: the newer row counts.
    site.second_flow(
        &echo(80),
        &told(vec![Decision::Leave(victim.clone()), Decision::Leave(victim.to_uppercase())]),
    );
    let (reports, _) = site.sync(0);
    assert_eq!(reports["bad/second"]["counts"]["disabled"], 0, "{}", reports["bad/second"]);
    assert_eq!(site.simulator.state()["wecom"], before);
    site.second_flow_of(&member(), GOOD_RULES);
    let (mended, _) = site.sync(0);
    assert_eq!(mended["bad/second"]["counts"]["unchanged"], 2, "{mended:?}");
    assert_eq!(site.simulator.state()["wecom"], before);
}
