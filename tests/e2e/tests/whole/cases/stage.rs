//! A form of individual people with everything the stories need, its corp, and the deployment that syncs them. At the
//! end of every story the corp's own books must show that no one was created or invited twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use ruzhi_e2e::{Deployment, Outcome, Tenant};
use ruzhi_sim::factory::{API_KEY, APP_ID, CORP_ID, ENTRY_ID, Factory, SECRET};
use ruzhi_sim::{
    CorpLoad, FaultRule, Faults, FormLoad, JianDaoYunLoad, KeyLoad, Knobs, Limits, LoadDocument, Member,
    RowChange, Service, Simulator, WeComLoad, Widget,
};
use serde_json::{Map, Value, json};

use crate::site::compiled;

pub(super) const USERID: &str = "_widget_1700000000001";
pub(super) const NAME: &str = "_widget_1700000000002";
pub(super) const MOBILE: &str = "_widget_1700000000003";
pub(super) const EMAIL: &str = "_widget_1700000000004";
pub(super) const DEPARTMENT: &str = "_widget_1700000000005";
pub(super) const POSITION: &str = "_widget_1700000000006";
pub(super) const LEADER: &str = "_widget_1700000000007";
pub(super) const LEFT_ON: &str = "_widget_1700000000008";
pub(super) const STATE: &str = "_widget_1700000000009";
pub(super) const STARTS_ON: &str = "_widget_1700000000010";
pub(super) const BIZ_MAIL: &str = "_widget_1700000000011";

const COLUMNS: [(&str, &str, &str); 11] = [
    (USERID, "工号", "text"),
    (NAME, "姓名", "text"),
    (MOBILE, "手机", "phone"),
    (EMAIL, "邮箱", "text"),
    (DEPARTMENT, "部门", "text"),
    (POSITION, "职务", "text"),
    (LEADER, "直属上级", "text"),
    (LEFT_ON, "离职日期", "datetime"),
    (STATE, "在职状态", "combo"),
    (STARTS_ON, "入职日期", "datetime"),
    (BIZ_MAIL, "企业邮箱", "text"),
];

/// The rules of most stories: a state field marks leavers.
pub(super) fn left_by_state() -> Value {
    json!([{ "field": STATE, "equals": "离职", "then": "leave" }])
}

/// Parts of a stage.
pub(super) struct Plan {
    /// Fields beside userid, name, mobile, department and position, by their names in WeCom.
    pub(super) fields: &'static [&'static str],
    pub(super) when: Value,
    /// Departments by name; if none, the form has ids.
    pub(super) lookup: Option<Value>,
    /// Members that existed before.
    pub(super) members: Vec<Value>,
    pub(super) tenant: fn(Tenant) -> Tenant,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            fields: &[],
            when: left_by_state(),
            lookup: None,
            members: Vec::new(),
            tenant: |tenant| tenant,
        }
    }
}

impl Plan {
    pub(super) fn rules(&self) -> String {
        let field = |name: &str, column: &str| json!({ "field": name, "type": "string", "value": format!("{{{column}}}") });
        let mut request = vec![
            field("userid", USERID),
            field("name", NAME),
            field("mobile", MOBILE),
            field("department", DEPARTMENT),
            field("position", POSITION),
            json!({ "field": "to_invite", "type": "string", "value": "true" }),
        ];
        if let Some(lookup) = &self.lookup {
            request[3]["lookup"] = lookup.clone();
        }
        let columns = BTreeMap::from([("email", EMAIL), ("direct_leader", LEADER), ("biz_mail", BIZ_MAIL)]);
        request.extend(self.fields.iter().map(|name| field(name, columns[name])));
        json!({ "request": request, "when": self.when }).to_string()
    }

    pub(super) fn open(self) -> Stage {
        Stage::open(self)
    }
}

pub(super) struct Stage {
    pub(super) simulator: Simulator,
    pub(super) deployment: Deployment,
    pub(super) tenant: Tenant,
    rows: BTreeMap<String, Map<String, Value>>,
    _compiled: Arc<Deployment>,
}

impl Stage {
    fn open(plan: Plan) -> Self {
        let simulator = Simulator::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let members = plan.members.iter().map(|member| member.as_object().unwrap().clone()).collect();
        simulator
            .load(LoadDocument {
                jiandaoyun: JianDaoYunLoad {
                    keys: vec![KeyLoad::Text(API_KEY.to_owned())],
                    forms: vec![form(ENTRY_ID)],
                },
                wecom: WeComLoad {
                    corps: vec![CorpLoad {
                        corp_id: CORP_ID.to_owned(),
                        secret: SECRET.to_owned(),
                        departments: Factory::departments(),
                        members,
                        ..CorpLoad::default()
                    }],
                },
            })
            .unwrap();
        let compiled = compiled();
        let tenant = (plan.tenant)(Tenant {
            rules: Some(plan.rules()),
            // With few people, every share of them is large.
            tables: NO_GUARD.to_owned(),
            ..Tenant::new(&simulator.url())
        });
        let deployment = Deployment::beside(&compiled, std::slice::from_ref(&tenant)).unwrap();
        let stage = Self { simulator, deployment, tenant, rows: BTreeMap::new(), _compiled: compiled };
        stage.limit(0);
        stage.knobs(|_| ());
        stage
    }

    /// A stage with rows for these people in its form.
    pub(super) fn of(plan: Plan, people: &[&str]) -> Self {
        let mut stage = plan.open();
        for userid in people {
            stage.write(userid, &[]);
        }
        stage
    }

    /// The account's limit of members; 0 means no limit.
    pub(super) fn limit(&self, members: u32) {
        self.simulator.set_limits(Limits {
            wecom_members: members,
            jdy_per_second: 0,
            jdy_company_per_second: 0,
            wecom_per_minute: 0,
            wecom_per_hour: 0,
            wecom_ip_per_minute: 0,
            wecom_ip_per_hour: 0,
            ..Limits::default()
        });
    }

    pub(super) fn knobs(&self, set: impl FnOnce(&mut Knobs)) {
        let mut knobs = Knobs { log_requests: true, ..Knobs::default() };
        set(&mut knobs);
        self.simulator.set_knobs(knobs);
    }

    pub(super) fn faults(&self, rules: Vec<FaultRule>) {
        self.simulator.set_faults(Faults { seed: 1, rules });
    }

    /// Writes a person's row: the defaults, then these columns. An existing row keeps its other columns.
    pub(super) fn write(&mut self, userid: &str, columns: &[(&str, Value)]) -> String {
        let place = self.rows.len() + 1;
        let row = self.rows.entry(userid.to_owned()).or_insert_with(|| person(userid, place));
        row.extend(columns.iter().map(|(column, value)| ((*column).to_owned(), value.clone())));
        let row = row.clone();
        let id = row["_id"].as_str().unwrap().to_owned();
        self.change(vec![row], Vec::new());
        id
    }

    /// Writes the same columns of several people.
    pub(super) fn write_all(&mut self, people: &[&str], columns: &[(&str, Value)]) {
        for userid in people {
            self.write(userid, columns);
        }
    }

    /// Deletes a person's row; a later one is a new row.
    pub(super) fn erase(&mut self, userid: &str) {
        let row = self.rows.remove(userid).unwrap();
        self.change(Vec::new(), vec![row["_id"].as_str().unwrap().to_owned()]);
        // Row ids are never reused.
        self.rows.insert(format!("erased {}", self.rows.len()), row);
    }

    fn change(&self, upsert: Vec<Map<String, Value>>, delete: Vec<String>) {
        let change = RowChange { app_id: APP_ID.to_owned(), entry_id: ENTRY_ID.to_owned(), upsert, delete };
        self.simulator.change_rows(change).unwrap();
    }

    pub(super) fn record(&self, userid: &str) -> String {
        self.rows[userid]["_id"].as_str().unwrap().to_owned()
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Outcome {
        self.deployment.run(arguments).unwrap()
    }

    /// Runs a command that must exit with this code; returns its JSON.
    pub(super) fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let outcome = self.run(&arguments);
        assert_eq!(outcome.code, Some(code), "{arguments:?}\n{}{}", outcome.stdout, outcome.stderr);
        outcome.json().unwrap()
    }

    /// A run that must succeed.
    pub(super) fn sync(&self) -> Value {
        self.json(0, &["sync", "jingxintai"])
    }

    /// A run that may fail but must not be held; returns its report.
    pub(super) fn sync_anyhow(&self) -> Value {
        let outcome = self.run(&["sync", "jingxintai", "--json"]);
        assert!(matches!(outcome.code, Some(0 | 1)), "{}{}", outcome.stdout, outcome.stderr);
        outcome.json().unwrap()
    }

    /// Runs until one finds nothing to write; at most three runs.
    pub(super) fn rest(&self) {
        for _ in 0..3 {
            let before = self.writes();
            self.sync();
            if self.writes() == before {
                return;
            }
        }
        panic!("the runs go on writing: {:?}", self.simulator.requests(Service::WeCom));
    }

    /// Moves time on by days, for the services and for the deployment's machine.
    pub(super) fn pass(&self, time: TimeDelta) {
        self.simulator.advance_ms(u64::try_from(time.num_milliseconds()).unwrap());
        self.deployment.move_clock(time.num_seconds());
    }

    /// Moves on to a future moment, so that a story does not depend on the day it runs.
    pub(super) fn pass_until(&self, moment: &str) {
        let moment: DateTime<Utc> = moment.parse().unwrap();
        self.pass(moment - self.now());
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(i64::try_from(self.simulator.now_ms()).unwrap()).unwrap()
    }

    pub(super) fn member(&self, userid: &str) -> Option<Member> {
        self.simulator.members(CORP_ID).remove(&userid.to_ascii_lowercase())
    }

    /// The member's status in WeCom: 1 active, 2 disabled, 4 not activated; 0 if there is none.
    pub(super) fn status(&self, userid: &str) -> u8 {
        self.member(userid).map_or(0, |member| member.status())
    }

    pub(super) fn leader(&self, userid: &str) -> Option<String> {
        self.member(userid).unwrap().direct_leader.first().cloned()
    }

    pub(super) fn delete_by_hand(&self, userid: &str) {
        self.simulator.delete_by_hand(CORP_ID, userid).unwrap();
    }

    pub(super) fn writes(&self) -> u64 {
        let writing = ["user/create", "user/update", "user/delete", "user/batchdelete", "batch/syncuser"];
        let calls = self.simulator.requests(Service::WeCom);
        writing.iter().filter_map(|api| calls.get(api)).sum()
    }

    pub(super) fn calls(&self, service: Service, api: &str) -> u64 {
        self.simulator.requests(service).get(api).copied().unwrap_or(0)
    }

    /// The quarantine: the rules that reject each person's row.
    pub(super) fn refused(&self) -> BTreeMap<String, Vec<String>> {
        let rejects = self.json(0, &["quarantine", "jingxintai"]);
        let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for reject in rejects.as_array().unwrap() {
            let of = self.rows.iter().find(|(_, row)| row["_id"] == reject["record"]);
            let userid = of.map_or_else(|| reject["record"].to_string(), |(userid, _)| userid.clone());
            let rules = reject["violations"].as_array().unwrap().iter();
            let rules = rules.map(|violation| violation["rule"].as_str().unwrap().to_owned());
            refused.entry(userid).or_default().extend(rules);
        }
        refused
    }

    pub(super) fn refusals_of(&self, userid: &str) -> Vec<String> {
        self.refused().remove(userid).unwrap_or_default()
    }

    /// The output of `trace` for a person's row.
    pub(super) fn trace(&self, userid: &str) -> String {
        self.json(0, &["trace", "jingxintai", &self.record(userid)]).to_string()
    }

    pub(super) fn invitations(&self, userid: &str) -> u64 {
        self.simulator.invitations(CORP_ID).get(&userid.to_ascii_lowercase()).copied().unwrap_or(0)
    }

    pub(super) fn created(&self, userid: &str) -> u64 {
        self.simulator.created(CORP_ID).get(&userid.to_ascii_lowercase()).copied().unwrap_or(0)
    }

    fn check_books(&self) {
        let state = self.simulator.state();
        let corp = &state["wecom"]["corps"][CORP_ID];
        let gone = |userid: &str| corp["deleted"][userid].as_u64().unwrap_or(0);
        for (userid, times) in self.simulator.created(CORP_ID) {
            assert!(times <= gone(&userid) + 1, "{userid} was created {times} times");
        }
        for (userid, times) in self.simulator.invitations(CORP_ID) {
            let left = gone(&userid) - corp["removed"][&userid].as_u64().unwrap_or(0);
            assert!(times <= 1 + left, "{userid} was invited {times} times");
        }
        assert_eq!(corp["auto_departments"], json!([]), "departments came into being");
        self.simulator.assert_understood();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check_books();
        }
    }
}

pub(super) const NO_GUARD: &str = "[guard]\ncreate_most = 100000\nleave_percent = 100\nleave_most = 100000\n";

/// A form with the columns of the stories, without rows.
pub(super) fn form(entry_id: &str) -> FormLoad {
    let widget = |(name, label, kind): (&str, &str, &str)| Widget {
        name: name.to_owned(),
        widget_name: name.to_owned(),
        label: label.to_owned(),
        kind: kind.to_owned(),
        items: Vec::new(),
    };
    FormLoad {
        app_id: APP_ID.to_owned(),
        entry_id: entry_id.to_owned(),
        name: "员工信息登记".to_owned(),
        widgets: COLUMNS.map(widget).into(),
        ..FormLoad::default()
    }
}

/// The row of an invented person.
pub(super) fn person(userid: &str, place: usize) -> Map<String, Value> {
    let names = ["陈远舟", "林知夏", "何青禾", "许望山", "宋临川", "沈南乔", "顾明月", "叶听澜"];
    let row = json!({
        "_id": format!("67{place:022x}"),
        USERID: userid,
        NAME: names[place % names.len()],
        MOBILE: format!("137{:08}", 31_000_000 + place),
        DEPARTMENT: "3",
        POSITION: "装配工",
        STATE: "在职",
        "flowState": 1,
    });
    row.as_object().unwrap().clone()
}
