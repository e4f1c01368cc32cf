//! Paths and their operations. The v5 routes take the ids in the body, the older ones in the path; both read the same
//! store, and only the shape of members and departments differs.

use serde_json::{Map, Value, json};

use super::JianDaoYun;
use super::filter::Filter;
use super::form::{Form, Row, is_object_id};
use super::refusal::Refusal;
use crate::fault::{Fault, FaultKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Api {
    AppList,
    EntryList,
    WidgetList,
    DataList,
    DataGet,
    DataUpdate,
}

impl Api {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AppList => "app/list",
            Self::EntryList => "entry/list",
            Self::WidgetList => "widget/list",
            Self::DataList => "data/list",
            Self::DataGet => "data/get",
            Self::DataUpdate => "data/update",
        }
    }
}

#[derive(Debug)]
pub(super) struct Route {
    pub(super) version: u8,
    pub(super) api: Api,
    app_id: Option<String>,
    entry_id: Option<String>,
}

const DEFAULT_LIMIT: u64 = 10;
const LARGEST_LIMIT: u64 = 100;

impl Route {
    /// The versions of an endpoint follow the inventory of the reference; there is no v3 read.
    pub(super) fn of(path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix("/api/v")?.split('/').collect();
        let (version, segments) = segments.split_first()?;
        let version: u8 = version.parse().ok()?;
        let (api, app_id, entry_id) = match (version, segments) {
            (5, ["app", "list"]) | (1, ["app", "retrieve_all"]) => (Api::AppList, None, None),
            (5, ["app", "entry", "list"]) => (Api::EntryList, None, None),
            (5, ["app", "entry", "widget", "list"]) => (Api::WidgetList, None, None),
            (5, ["app", "entry", "data", "list"]) => (Api::DataList, None, None),
            (5, ["app", "entry", "data", "get"]) => (Api::DataGet, None, None),
            (5, ["app", "entry", "data", "update"]) => (Api::DataUpdate, None, None),
            (1, ["app", app_id, "entry_retrieve"]) => (Api::EntryList, Some(*app_id), None),
            (1 | 2, ["app", app_id, "entry", entry_id, "widgets"]) => {
                (Api::WidgetList, Some(*app_id), Some(*entry_id))
            }
            (1 | 2 | 4, ["app", app_id, "entry", entry_id, "data"]) => {
                (Api::DataList, Some(*app_id), Some(*entry_id))
            }
            (1 | 2 | 4, ["app", app_id, "entry", entry_id, "data_retrieve"]) => {
                (Api::DataGet, Some(*app_id), Some(*entry_id))
            }
            // Writing has a v3, where reading has none.
            (1..=4, ["app", app_id, "entry", entry_id, "data_update"]) => {
                (Api::DataUpdate, Some(*app_id), Some(*entry_id))
            }
            _ => return None,
        };
        let (app_id, entry_id) = (app_id.map(str::to_owned), entry_id.map(str::to_owned));
        Some(Self { version, api, app_id, entry_id })
    }

    /// Takes from `body` every key it knows; the remaining keys are unknown to the service.
    pub(super) fn serve(
        &self,
        service: &JianDaoYun,
        key: &str,
        body: &mut Map<String, Value>,
        over_100_is_error: bool,
        fault: Option<Fault>,
    ) -> Result<Vec<u8>, Refusal> {
        let value = match self.api {
            Api::AppList => apps(service, key, body)?,
            Api::EntryList => {
                let app_id = id(self.app_id.as_deref(), body, "app_id")?;
                entries(service, key, &app_id, body)?
            }
            Api::WidgetList => self.form(service, key, body)?.describe(self.version),
            Api::DataGet => {
                let form = self.form(service, key, body)?;
                let data_id = id(None, body, "data_id")?;
                let row = form.row(&data_id).ok_or_else(|| Refusal::plain(4001))?;
                json!({ "data": form.shown(row, None, self.version) })
            }
            // Writing needs exclusive access to the service, and is handled elsewhere.
            Api::DataUpdate => return Err(Refusal::plain(1)),
            Api::DataList => {
                let form = self.form(service, key, body)?;
                return self.data_list(form, body, over_100_is_error, fault);
            }
        };
        Ok(value.to_string().into_bytes())
    }

    /// App and form, from the path or else from the body.
    pub(super) fn form_ids(&self, body: &mut Map<String, Value>) -> Result<(String, String), Refusal> {
        let app_id = id(self.app_id.as_deref(), body, "app_id")?;
        Ok((app_id, id(self.entry_id.as_deref(), body, "entry_id")?))
    }

    fn form<'a>(
        &self,
        service: &'a JianDaoYun,
        key: &str,
        body: &mut Map<String, Value>,
    ) -> Result<&'a Form, Refusal> {
        let (app_id, entry_id) = self.form_ids(body)?;
        service.form(key, &app_id, &entry_id)
    }

    fn data_list(
        &self,
        form: &Form,
        body: &mut Map<String, Value>,
        over_100_is_error: bool,
        fault: Option<Fault>,
    ) -> Result<Vec<u8>, Refusal> {
        let limit = match body.remove("limit") {
            None => DEFAULT_LIMIT,
            Some(limit) => limit.as_u64().filter(|limit| *limit > 0).ok_or_else(|| {
                Refusal::misunderstood(17017, format!("limit must be a number from 1 to 100, not {limit}"))
            })?,
        };
        if limit > LARGEST_LIMIT && over_100_is_error {
            return Err(Refusal::plain(17017));
        }
        let after = match body.remove("data_id") {
            None => String::new(),
            Some(Value::String(id)) if id.is_empty() || is_object_id(&id) => id,
            Some(other) => return Err(Refusal::misunderstood(17017, format!("malformed data_id {other}"))),
        };
        let fields = body.remove("fields").map(field_names).transpose()?;
        let filter = body.remove("filter").map(|filter| Filter::parse(filter, form)).transpose()?;

        let mut limit = limit.min(LARGEST_LIMIT) as usize;
        match fault.map(|fault| fault.kind) {
            Some(FaultKind::EmptyPage) => limit = 0,
            Some(FaultKind::ShortPage) => limit = limit.div_ceil(2),
            _ => {}
        }
        let accepted = |row: &&Row| filter.as_ref().is_none_or(|filter| filter.accepts(row));
        let mut after = after;
        if let Some(Fault { kind: FaultKind::CursorCycle, period, .. }) = fault {
            let before = form.rows().filter(accepted).filter(|row| row.id() <= after.as_str()).count();
            // The cycle restarts after its last page.
            if before >= limit.saturating_mul(period as usize) {
                after.clear();
            }
        }
        let rows = form.rows_after(&after).filter(accepted);
        let mut page = Vec::with_capacity(512 * limit);
        page.extend_from_slice(b"{\"data\":[");
        for (index, row) in rows.take(limit).enumerate() {
            if index > 0 {
                page.push(b',');
            }
            form.write(row, fields.as_deref(), self.version, &mut page);
        }
        page.extend_from_slice(b"]}");
        Ok(page)
    }
}

fn apps(service: &JianDaoYun, key: &str, body: &mut Map<String, Value>) -> Result<Value, Refusal> {
    let mut apps: Vec<&str> = service.forms.keys().map(|(app_id, _)| app_id.as_str()).collect();
    apps.dedup();
    let visible = apps.into_iter().filter(|app_id| service.may_see(key, app_id));
    let listed = visible.map(|app_id| json!({ "name": app_id, "app_id": app_id }));
    Ok(json!({ "apps": page_of(listed, body)? }))
}

fn entries(
    service: &JianDaoYun,
    key: &str,
    app_id: &str,
    body: &mut Map<String, Value>,
) -> Result<Value, Refusal> {
    if !service.may_see(key, app_id) {
        return Err(Refusal::plain(17053));
    }
    let forms: Vec<&Form> = service.forms.values().filter(|form| form.app_id == app_id).collect();
    if forms.is_empty() {
        return Err(Refusal::plain(2004));
    }
    let listed = forms
        .into_iter()
        .map(|form| json!({ "name": form.name, "app_id": form.app_id, "entry_id": form.entry_id }));
    Ok(json!({ "forms": page_of(listed, body)? }))
}

/// `limit` and `skip` of the two lists that have no cursor.
fn page_of(
    listed: impl Iterator<Item = Value>,
    body: &mut Map<String, Value>,
) -> Result<Vec<Value>, Refusal> {
    let mut number = |name: &str, default| match body.remove(name) {
        None => Ok(default),
        Some(value) => value
            .as_u64()
            .ok_or_else(|| Refusal::misunderstood(17017, format!("{name} must be a number, not {value}"))),
    };
    let limit = number("limit", LARGEST_LIMIT)?.min(LARGEST_LIMIT);
    let skip = number("skip", 0)?;
    Ok(listed.skip(skip as usize).take(limit as usize).collect())
}

/// The id from the path, or else from the body.
fn id(in_path: Option<&str>, body: &mut Map<String, Value>, name: &str) -> Result<String, Refusal> {
    let id = match in_path {
        Some(id) => id.to_owned(),
        None => match body.remove(name) {
            Some(Value::String(id)) => id,
            Some(other) => {
                return Err(Refusal::misunderstood(17017, format!("{name} must be text, not {other}")));
            }
            None => return Err(Refusal::misunderstood(1, format!("{name} is missing"))),
        },
    };
    if is_object_id(&id) {
        Ok(id)
    } else {
        Err(Refusal::misunderstood(17017, format!("{name} must be 24 hexadecimal digits, not {id:?}")))
    }
}

fn field_names(fields: Value) -> Result<Vec<String>, Refusal> {
    serde_json::from_value(fields)
        .map_err(|_| Refusal::misunderstood(17017, "fields must be an array of field names"))
}
