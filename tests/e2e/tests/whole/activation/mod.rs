//! Replacing rules: by a file, by a person, under load. Rules that fail stay out, and live rules stay live.

mod swaps;

use std::path::{Path, PathBuf};

use ruzhi_e2e::{Deployment, Outcome, RULES, Tenant, Workforce};
use ruzhi_sim::factory::CORP_ID;
use ruzhi_sim::{Limits, Simulator};
use serde_json::{Value, json};

/// The factory's rules with a mark in two fields of every member.
fn marked(mark: &str) -> String {
    let mut rules: Value = serde_json::from_str(RULES).unwrap();
    let request = rules["request"].as_array_mut().unwrap();
    for field in ["alias", "address"] {
        request.push(json!({ "field": field, "label": field, "type": "string", "value": mark }));
    }
    rules.to_string()
}

/// Rules that reject every row.
fn refusing() -> String {
    RULES.replace("_widget_1675653229901", "_widget_1675653229900")
}

/// A component with another digest that decides the same.
fn renamed(component: &[u8], name: &str) -> Vec<u8> {
    let mut bytes = component.to_vec();
    let content = [&[u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
    bytes.extend([0, u8::try_from(content.len()).unwrap()]);
    bytes.extend(content);
    bytes
}

struct Factory {
    simulator: Simulator,
    deployment: Deployment,
    people: Workforce,
    component: PathBuf,
}

impl Factory {
    /// A factory with its component in a separate file, so that it can be replaced.
    fn new(people: usize, tenant: impl FnOnce(Tenant) -> Tenant) -> Self {
        let simulator = Simulator::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let mut people = Workforce::new(people);
        simulator.load(people.document()).unwrap();
        simulator.set_limits(Limits { enabled: false, ..Limits::default() });
        let deployment = Deployment::new(&[tenant(Tenant::new(&simulator.url()))]).unwrap();
        let component = deployment.path().join("own.wasm");
        std::fs::copy(built("member.wasm"), &component).unwrap();
        let file = deployment.path().join("tenants/jingxintai.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let line = text.lines().find(|line| line.starts_with("component = ")).unwrap();
        let text = text.replace(line, "component = \"../own.wasm\"");
        std::fs::write(&file, text).unwrap();
        Self { simulator, deployment, people, component }
    }

    fn run(&self, code: i32, arguments: &[&str]) -> Outcome {
        let outcome = self.deployment.run(arguments).unwrap();
        assert_eq!(outcome.code, Some(code), "{arguments:?}\n{}{}", outcome.stdout, outcome.stderr);
        outcome
    }

    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        self.run(code, &arguments).json().unwrap()
    }

    fn rules(&self, text: &str) {
        std::fs::write(self.deployment.path().join("tenants/jingxintai/onboarding.json"), text).unwrap();
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.deployment.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    fn aliases(&self) -> Vec<String> {
        let members = self.simulator.members(CORP_ID);
        members.values().map(|member| member.alias.clone()).collect()
    }

    fn live(&self) -> Value {
        self.json(0, &["rules", "list"])[0]["live"].clone()
    }
}

fn built(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guests/built").join(name)
}

#[test]
fn what_is_exchanged_in_place_and_does_not_load_leaves_the_old_rules_running() {
    let factory = Factory::new(6, |tenant| tenant);
    let first = factory.json(0, &["sync"]);
    assert_eq!(first["counts"]["created"], 6);
    let good = std::fs::read(&factory.component).unwrap();
    // Garbage, a core module, a component that traps when it starts, one that is cut off.
    let trapping =
        r#"(component (core module $m (func unreachable) (start 0)) (core instance (instantiate $m)))"#;
    let bad: [(&[u8], &str); 4] = [
        (b"not wasm", "guest.not-a-component"),
        (b"\0asm\x01\0\0\0", "guest.not-a-component"),
        (trapping.as_bytes(), "guest.not-a-component"),
        (&good[..good.len() / 2], "guest.damaged"),
    ];
    for (bytes, code) in bad {
        std::fs::write(&factory.component, bytes).unwrap();
        let kept = factory.json(0, &["sync", "--full"]);
        assert_eq!(kept["rules_kept"]["code"], code, "{kept}");
        assert_eq!((&kept["rules"], &kept["counts"]["unchanged"]), (&first["rules"], &json!(6)), "{kept}");
        let told = factory.run(0, &["sync"]);
        assert!(told.stderr.contains("the rules that were live before"), "{}", told.stderr);
    }
    std::fs::write(&factory.component, &good).unwrap();
    // A rules file with a mistake is rejected by the guest, and stays out too.
    factory.rules("{ not json");
    let kept = factory.json(0, &["sync", "--full"]);
    assert_eq!(kept["rules_kept"]["code"], "guest.configuration");
    assert_eq!(kept["counts"]["unchanged"], 6);
    // Once corrected, it goes live by itself.
    factory.rules(&marked("甲"));
    let swapped = factory.json(0, &["sync"]);
    assert_eq!(swapped["counts"]["updated"], 6, "{swapped}");
    assert!(swapped.get("rules_kept").is_none());
    let exchanged = &swapped["rules_exchanged"];
    assert_eq!(
        (&exchanged["kind"], &exchanged["changed"], &exchanged["compared"]),
        (&json!("file"), &json!(6), &json!(6))
    );
    assert_eq!(factory.aliases(), vec!["甲".to_owned(); 6]);
    let list = factory.json(0, &["rules", "list"]);
    let kinds: Vec<&str> =
        list[0]["history"].as_array().unwrap().iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["file", "first"]);
    assert_eq!(list[0]["differs"], false);
}

#[test]
fn a_person_activates_looks_back_and_goes_back() {
    let factory = Factory::new(30, |tenant| tenant);
    factory.json(0, &["sync"]);
    let first = factory.live();
    let new = factory.file("new.json", marked("乙"));
    let diff = factory.json(0, &["rules", "diff", "jingxintai/onboarding", &new]);
    assert_eq!(
        diff["trial"],
        json!({"compared": 30, "changed": 30, "reworded": 0, "failed": 0, "failure": null, "unread": []})
    );
    assert_eq!(diff["needs_approval"], true);
    let differences = diff["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 30);
    assert_eq!(
        differences[0]["fields"],
        json!([
            {"field": "address", "before": null, "after": "***"},
            {"field": "alias", "before": null, "after": "乙"},
        ])
    );
    let few = factory.json(0, &["rules", "diff", "jingxintai", &new, "--sample", "7"]);
    assert_eq!((&few["trial"]["compared"], &few["trial"]["changed"]), (&json!(7), &json!(7)));
    // Above the limit a person has to approve; until then the old rules run.
    let refused = factory.json(3, &["rules", "activate", "jingxintai/onboarding", &new]);
    assert_eq!(refused["error"]["code"], "activation.too-much");
    assert_eq!(factory.live(), first);
    assert_eq!(factory.json(0, &["sync", "--full"])["counts"]["unchanged"], 30);
    let why = ["--approve", "--by", "王工", "--why", "新的别名"];
    let arguments = [&["rules", "activate", "jingxintai/onboarding", &new][..], &why].concat();
    let activated = factory.json(0, &arguments);
    assert_eq!(activated["activation"]["approved"], true);
    assert_eq!(factory.json(0, &["sync"])["counts"]["updated"], 30);
    assert_eq!(factory.aliases(), vec!["乙".to_owned(); 30]);
    // The tenant's files still hold the old rules: they were seen, and do not come back by themselves.
    assert_eq!(factory.json(0, &["sync", "--full"])["counts"]["unchanged"], 30);
    let list = factory.json(0, &["rules", "list", "jingxintai"]);
    assert_eq!(list[0]["differs"], true);
    let newest = &list[0]["history"][0];
    assert_eq!(
        (&newest["who"], &newest["why"], &newest["number"]),
        (&json!("王工"), &json!("新的别名"), &json!(2))
    );
    // A decision can be repeated under the rules of its time, even if others are live now.
    let record = factory.people.workers()[3].record.clone();
    let replay = factory.json(0, &["trace", "jingxintai", &record, "--replay"]);
    assert_eq!(replay[0]["replay"]["same"], true, "{replay}");
    let back = factory.json(0, &["rules", "rollback", "jingxintai/onboarding"]);
    assert_eq!(back["activation"]["rules"], first["rules"]);
    assert_eq!(back["activation"]["kind"], "rollback");
    let replay = factory.json(0, &["trace", "jingxintai", &record, "--replay"]);
    assert_eq!(replay[0]["replay"]["rules"], newest["rules"]);
    assert_eq!(replay[0]["replay"]["same"], true);
    factory.json(0, &["sync"]);
    // By the first digits of its digest, and by its number.
    let digest = newest["rules"].as_str().unwrap()[..12].to_owned();
    let forth = factory.json(0, &["rules", "rollback", "jingxintai", &digest]);
    assert_eq!(forth["activation"]["rules"], newest["rules"]);
    let first_again = factory.json(0, &["rules", "rollback", "jingxintai", "#1"]);
    assert_eq!(first_again["activation"]["rules"], first["rules"]);
    // Neither the live rules nor those rolled back from are a valid target of a rollback.
    let same = factory.json(1, &["rules", "rollback", "jingxintai", "1"]);
    assert_eq!(same["error"]["code"], "activation.already-live");
    let nothing = factory.json(1, &["rules", "rollback", "jingxintai"]);
    assert_eq!(nothing["error"]["code"], "activation.nothing-before");
    let short = factory.json(2, &["rules", "rollback", "jingxintai", &digest[..3]]);
    // Three decimal digits are read as a number, and there is none so high.
    let number = digest[..3].parse::<u64>().is_ok();
    let code = if number { "activation.unknown" } else { "activation.ambiguous" };
    assert_eq!(short["error"]["code"], code, "{short}");
    let unknown = factory.json(2, &["rules", "rollback", "jingxintai", "ffffffffffff"]);
    assert_eq!(unknown["error"]["code"], "activation.unknown");
    let table = factory.run(0, &["rules", "list", "--lang", "zh"]).stdout;
    assert!(table.contains("王工") && table.contains("新的别名") && table.contains("回退"), "{table}");
}

#[test]
fn what_fails_on_stored_records_is_never_live_and_refusing_everybody_needs_approval() {
    let factory = Factory::new(12, |tenant| tenant);
    factory.json(0, &["sync"]);
    let live = factory.live();
    let misbehaving = built("misbehaving.wasm").display().to_string();
    for what in ["loop", "allocate", "one-too-few", "huge", "error"] {
        let rules = factory.file("bad.json", what);
        let outcome = factory
            .deployment
            .run(&["rules", "activate", "jingxintai", &misbehaving, &rules, "--approve"])
            .unwrap();
        assert_ne!(outcome.code, Some(0), "{what}: {}", outcome.stdout);
        assert!(outcome.stderr.contains("error["), "{what}: {}", outcome.stderr);
        assert_eq!(factory.live(), live, "{what}");
    }
    let refusing = factory.file("refusing.json", refusing());
    let refused = factory.run(3, &["rules", "activate", "jingxintai", &refusing]);
    assert!(refused.stderr.contains("_widget_1675653229900"), "{}", refused.stderr);
    let first = factory.json(0, &["sync", "--full"]);
    assert_eq!(first["counts"]["unchanged"], 12);
}

#[test]
fn a_component_that_takes_no_rules_file_is_activated_without_one() {
    let factory = Factory::new(4, |tenant| tenant);
    factory.json(0, &["sync"]);
    let component = built("jingxintai.wasm").display().to_string();
    let refused = factory.run(2, &["rules", "activate", "jingxintai", &component]);
    assert!(refused.stderr.contains("--no-rules"), "{}", refused.stderr);
    let arguments = ["rules", "activate", "jingxintai", &component, "--no-rules", "--approve"];
    assert_eq!(factory.json(0, &arguments)["activation"]["name"], "jingxintai");
    assert_eq!(factory.json(0, &["sync"])["counts"]["failed"], 0);
    assert_eq!(factory.json(0, &["rules", "rollback", "jingxintai"])["activation"]["name"], "member");
}

#[test]
fn a_guest_that_is_no_function_of_its_arguments_is_caught_by_a_replay() {
    let mut factory = Factory::new(3, |tenant| tenant);
    let mut document = factory.people.document();
    let widgets = &mut document.jiandaoyun.forms[0].widgets;
    let field = widgets[0].clone();
    widgets.push(ruzhi_sim::Widget { name: "_widget_1".into(), widget_name: "_widget_1".into(), ..field });
    factory.simulator.load(document).unwrap();
    std::fs::copy(built("misbehaving.wasm"), &factory.component).unwrap();
    // It reports for each record how many it has seen before.
    factory.rules("count");
    factory.json(0, &["sync"]);
    let mut records: Vec<String> =
        factory.people.workers().iter().map(|worker| worker.record.clone()).collect();
    records.sort();
    assert_eq!(factory.json(0, &["trace", "jingxintai", &records[0], "--replay"])[0]["replay"]["same"], true);
    let second = factory.json(1, &["trace", "jingxintai", &records[1], "--replay"]);
    assert_eq!(second[0]["replay"]["same"], false, "{second}");
}

#[test]
fn missing_files_stop_no_tenant_that_has_run_before() {
    let factory = Factory::new(3, |tenant| tenant);
    factory.json(0, &["sync"]);
    for gone in
        [factory.component.clone(), factory.deployment.path().join("tenants/jingxintai/onboarding.json")]
    {
        let bytes = std::fs::read(&gone).unwrap();
        std::fs::remove_file(&gone).unwrap();
        let kept = factory.json(0, &["sync", "--full"]);
        assert_eq!(kept["counts"]["unchanged"], 3, "{kept}");
        assert!(kept["rules_kept"]["code"].as_str().unwrap().starts_with("guest."), "{kept}");
        assert_eq!(factory.json(0, &["rules", "list"])[0]["history"].as_array().unwrap().len(), 1);
        factory.run(2, &["check"]);
        std::fs::write(&gone, bytes).unwrap();
    }
    assert!(factory.json(0, &["sync"]).get("rules_kept").is_none());
}

#[test]
fn rules_that_read_a_field_the_form_does_not_have_never_go_live() {
    let factory = Factory::new(3, |tenant| tenant);
    factory.json(0, &["sync"]);
    let mut slip: Value = serde_json::from_str(RULES).unwrap();
    let request = slip["request"].as_array_mut().unwrap();
    request.push(json!({ "field": "address", "label": "地址", "type": "string", "value": "{emp_mial}" }));
    factory.rules(&slip.to_string());
    let kept = factory.json(0, &["sync", "--full"]);
    assert_eq!(
        (&kept["rules_kept"]["code"], &kept["counts"]["unchanged"]),
        (&json!("activation.form"), &json!(3))
    );
    let refused = factory.json(1, &["rules", "activate", "jingxintai", "--approve"]);
    assert_eq!(refused["error"]["code"], "activation.form");
    assert!(refused["error"]["message"]["zh"].as_str().unwrap().contains("emp_mial"), "{refused}");
}

#[test]
fn one_row_that_cannot_be_decided_keeps_no_other_from_it() {
    let mut factory = Factory::new(40, |tenant| tenant);
    let mut document = factory.people.document();
    let form = &mut document.jiandaoyun.forms[0];
    let field = form.widgets[0].clone();
    form.widgets.push(ruzhi_sim::Widget {
        name: "_widget_1".into(),
        widget_name: "_widget_1".into(),
        ..field
    });
    form.rows[17].insert("_widget_1".into(), json!("panic 13800138000"));
    let culprit = form.rows[17]["_id"].as_str().unwrap().to_owned();
    factory.simulator.load(document).unwrap();
    std::fs::copy(built("misbehaving.wasm"), &factory.component).unwrap();
    factory.rules("panic");
    let run = factory.json(1, &["sync"]);
    assert_eq!((&run["counts"]["failed"], &run["counts"]["ignored"]), (&json!(1), &json!(39)), "{run}");
    let trace = factory.json(0, &["trace", "jingxintai", &culprit, "--replay"]);
    assert!(trace[0]["decided"]["failure"].as_str().unwrap().contains("guest.exception"), "{trace}");
    assert_eq!(trace[0]["replay"]["same"], Value::Null);
}

#[test]
fn a_tenant_that_sets_a_limit_has_it_asked_of_exchanged_files_too() {
    let factory = Factory::new(20, |tenant| tenant);
    let file = factory.deployment.path().join("tenants/jingxintai.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{}\nchange_percent = 10\n", text.trim_end())).unwrap();
    factory.json(0, &["sync"]);
    factory.rules(&marked("丙"));
    let kept = factory.json(0, &["sync", "--full"]);
    assert_eq!(kept["rules_kept"]["code"], "activation.too-much");
    assert_eq!(kept["counts"]["unchanged"], 20);
    // Without a file argument, the rules in the tenant's files are used.
    factory.json(0, &["rules", "activate", "jingxintai", "--approve"]);
    assert_eq!(factory.json(0, &["sync"])["counts"]["updated"], 20);
    assert_eq!(factory.json(0, &["rules", "list"])[0]["differs"], false);
}

#[test]
fn a_pinned_component_is_the_only_one_that_goes_live() {
    let factory = Factory::new(2, |tenant| tenant);
    let bytes = std::fs::read(&factory.component).unwrap();
    let file = factory.deployment.path().join("tenants/jingxintai.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let pin = ruzhi_model::Digest::of(&bytes);
    std::fs::write(&file, format!("{}\nsha256 = \"{pin}\"\n", text.trim_end())).unwrap();
    factory.json(0, &["sync"]);
    let other = factory.file("other.wasm", renamed(&bytes, "other"));
    let refused = factory.json(2, &["rules", "activate", "jingxintai", &other]);
    assert_eq!(refused["error"]["code"], "guest.pin");
    std::fs::copy(&other, &factory.component).unwrap();
    let kept = factory.json(0, &["sync"]);
    assert_eq!(kept["rules_kept"]["code"], "guest.pin");
}

#[tokio::test]
async fn every_shipped_guest_decides_a_stored_record_as_it_did() {
    for component in
        ["member.wasm", "jingxintai.wasm", "jingxintai-typescript.wasm", "jingxintai-python.wasm"]
    {
        let factory = ruzhi_sim::factory::Factory::builder(61, 16).hostile(10).build();
        let simulator = ruzhi_e2e::simulator(&factory).await.unwrap();
        let rules = (component == "member.wasm").then(|| RULES.to_owned());
        let tenant = Tenant { component: component.to_owned(), rules, ..Tenant::new(&simulator.url()) };
        let deployment = Deployment::new(&[tenant]).unwrap();
        let synced = deployment.run(&["sync", "--json"]).unwrap();
        assert_eq!(synced.code, Some(0), "{component}: {}", synced.stderr);
        assert!(synced.json().unwrap()["counts"]["rejected"].as_u64().unwrap() > 0);
        for row in factory.rows() {
            let record = row.row["_id"].as_str().unwrap();
            let replayed = deployment.run(&["trace", "jingxintai", record, "--replay", "--json"]).unwrap();
            assert_eq!(
                replayed.code,
                Some(0),
                "{component} {record}: {}{}",
                replayed.stdout,
                replayed.stderr
            );
            assert_eq!(replayed.json().unwrap()[0]["replay"]["same"], true, "{component} {record}");
        }
    }
}
