//! A believable factory from a seed: the founding form with its five fields and three more, people with their names,
//! positions and numbers, the department list in every shape a form has been seen to give, and a share of rows that are
//! wrong in every way the field rules know. Each row comes with its kind and its expected outcome.

mod hostile;
mod people;

pub use hostile::hostile_kinds;
use std::collections::BTreeMap;

use people::People;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::load::{
    CorpLoad, DepartmentLoad, FormLoad, JianDaoYunLoad, KeyLoad, LoadDocument, WeComLoad, Widget,
    default_order,
};
use crate::wecom::CredentialKind;

/// The corp's id.
pub const CORP_ID: &str = "wwsimulated0000001";
/// The contact-sync secret.
pub const SECRET: &str = "simulated-secret";
/// The secret of an app with read access.
pub const APP_SECRET: &str = "simulated-app-secret";
/// The JianDaoYun API key.
pub const API_KEY: &str = "simulated-key";
/// The founding document's app.
pub const APP_ID: &str = "6399c24287cae90008d24e0b";
/// The founding document's form.
pub const ENTRY_ID: &str = "63e0706d0e33350008189952";

/// 工号/账号.
pub const USERID: &str = "_widget_1681087902876";
/// 姓名.
pub const NAME: &str = "_widget_1675653229901";
/// 手机号码.
pub const MOBILE: &str = "_widget_1680875447221";
/// 部门.
pub const DEPARTMENT: &str = "_widget_1680156501787";
/// 职务.
pub const POSITION: &str = "_widget_1680750424796";
/// 邮箱.
pub const EMAIL: &str = "_widget_1680750424801";
/// 入职日期.
pub const HIRED: &str = "_widget_1680750424802";
/// 在职状态.
pub const STATE: &str = "_widget_1680750424803";

/// Expected outcome of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The member that must be in the directory.
    Member(ExpectedMember),
    /// The row must be rejected.
    Refused {
        /// The form field at fault.
        field: &'static str,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// The person has left: a disabled member, or none if there never was one.
    Left {
        /// Userid of the person.
        userid: String,
    },
}

/// A member as the directory must hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedMember {
    /// Userid.
    pub userid: String,
    /// Name.
    pub name: String,
    /// Without spaces, hyphens and the mainland's country code; empty if the row has none.
    pub mobile: String,
    /// E-mail; empty if the row has none.
    pub email: String,
    /// Departments.
    pub department: Vec<u32>,
    /// Job title.
    pub position: String,
}

/// A row, its kind and its expected outcome.
#[derive(Debug, Clone, Serialize)]
pub struct FactoryRow {
    /// `good`, `left`, or one of [`hostile_kinds`].
    pub kind: &'static str,
    /// The expected outcome.
    pub verdict: Verdict,
    /// The row as the form holds it.
    pub row: Map<String, Value>,
}

/// An invented factory.
#[derive(Debug, Clone)]
pub struct Factory {
    rows: Vec<FactoryRow>,
}

/// Parameters of a factory.
#[derive(Debug, Clone)]
pub struct FactoryBuilder {
    seed: u64,
    people: usize,
    hostile: usize,
    leavers: usize,
    with_email: bool,
}

const HOSTILE_PERCENT: usize = 15;
/// A small factory has every kind of wrong row as long as they do not exceed this share of it.
const LARGEST_HOSTILE_PART: usize = 4;

impl FactoryBuilder {
    /// Number of wrong rows; the kinds come in turn.
    #[must_use]
    pub fn hostile(mut self, rows: usize) -> Self {
        self.hostile = rows;
        self
    }

    /// Number of rows of people who have left.
    #[must_use]
    pub fn leavers(mut self, rows: usize) -> Self {
        self.leavers = rows;
        self
    }

    /// For rules that do not read the e-mail, such as the founding document's: no row is wrong because of it, and no
    /// member is expected to have one.
    #[must_use]
    pub fn rules_without_email(mut self) -> Self {
        self.with_email = false;
        self
    }

    /// Makes the rows.
    pub fn build(self) -> Factory {
        let mut people = People::new(self.seed);
        let hostile = self.hostile.min(self.people);
        let mut rows = hostile::rows(&mut people, hostile, self.with_email);
        let leavers = self.leavers.min(self.people.saturating_sub(hostile));
        while rows.len() < self.people {
            let left = rows.len() < hostile + leavers;
            rows.push(people.good_row(left));
        }
        people.shuffle(&mut rows);
        let step_ms = people::YEARS_MS / self.people.max(1) as u64;
        for (place, row) in rows.iter_mut().enumerate() {
            people.date(place as u64 * step_ms, step_ms, &mut row.row);
            // In the order of creation, and before any id that the simulator assigns.
            row.row.insert("_id".to_owned(), json!(format!("65{place:022x}")));
        }
        if !self.with_email {
            for row in &mut rows {
                if let Verdict::Member(member) = &mut row.verdict {
                    member.email.clear();
                }
            }
        }
        Factory { rows }
    }
}

impl Factory {
    /// `people` rows, without leavers; 15 in 100 are wrong, or more (up to a quarter) if that gives every kind.
    pub fn new(seed: u64, people: usize) -> Self {
        Self::builder(seed, people).build()
    }

    /// A factory with further parameters.
    pub fn builder(seed: u64, people: usize) -> FactoryBuilder {
        let every_kind = hostile::rows_of_every_kind().min(people / LARGEST_HOSTILE_PART);
        let hostile = every_kind.max(people * HOSTILE_PERCENT / 100);
        FactoryBuilder { seed, people, hostile, leavers: 0, with_email: true }
    }

    /// The rows in the order of their creation.
    pub fn rows(&self) -> &[FactoryRow] {
        &self.rows
    }

    /// The members that must be in the directory once everything is synced, by userid in lower case.
    pub fn members(&self) -> BTreeMap<String, &ExpectedMember> {
        let members = self.rows.iter().filter_map(|row| match &row.verdict {
            Verdict::Member(member) => Some((member.userid.to_ascii_lowercase(), member)),
            Verdict::Refused { .. } | Verdict::Left { .. } => None,
        });
        members.collect()
    }

    /// The rows that must be rejected.
    pub fn refused(&self) -> impl Iterator<Item = &FactoryRow> {
        self.rows.iter().filter(|row| matches!(row.verdict, Verdict::Refused { .. }))
    }

    /// The fields of the form.
    pub fn widgets() -> Vec<Widget> {
        let widget = |(name, label, kind): (&str, &str, &str)| Widget {
            name: name.to_owned(),
            widget_name: name.to_owned(),
            label: label.to_owned(),
            kind: kind.to_owned(),
            items: Vec::new(),
        };
        [
            (USERID, "工号/账号", "text"),
            (NAME, "姓名", "text"),
            (MOBILE, "手机号码", "phone"),
            (DEPARTMENT, "部门", "text"),
            (POSITION, "职务", "text"),
            (EMAIL, "邮箱", "text"),
            (HIRED, "入职日期", "datetime"),
            (STATE, "在职状态", "combo"),
        ]
        .map(widget)
        .into()
    }

    /// The corp's department tree.
    pub fn departments() -> Vec<DepartmentLoad> {
        people::DEPARTMENTS
            .iter()
            .map(|(id, name, parentid)| DepartmentLoad {
                id: *id,
                name: (*name).to_owned(),
                parentid: *parentid,
                order: default_order(),
            })
            .collect()
    }

    /// The whole factory in the simulator's format.
    pub fn document(&self) -> LoadDocument {
        LoadDocument {
            jiandaoyun: JianDaoYunLoad {
                keys: vec![KeyLoad::Text(API_KEY.to_owned())],
                forms: vec![FormLoad {
                    app_id: APP_ID.to_owned(),
                    entry_id: ENTRY_ID.to_owned(),
                    name: "员工入职登记".to_owned(),
                    widgets: Self::widgets(),
                    without_workflow: false,
                    rows: self.rows.iter().map(|row| row.row.clone()).collect(),
                }],
            },
            wecom: WeComLoad {
                corps: vec![CorpLoad {
                    corp_id: CORP_ID.to_owned(),
                    secret: SECRET.to_owned(),
                    credentials: vec![crate::load::CredentialLoad {
                        secret: APP_SECRET.to_owned(),
                        kind: CredentialKind::App,
                    }],
                    departments: Self::departments(),
                    ..CorpLoad::default()
                }],
            },
        }
    }
}

/// A row of the form with these eight values.
fn row_of(member: &ExpectedMember, mobile: Value, department: Value) -> Map<String, Value> {
    let row = json!({
        USERID: member.userid,
        NAME: member.name,
        MOBILE: mobile,
        DEPARTMENT: department,
        POSITION: member.position,
        EMAIL: member.email,
        STATE: "在职",
    });
    match row {
        Value::Object(row) => row,
        _ => Map::new(),
    }
}
