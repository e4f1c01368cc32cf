//! Reading members. Ids are for the sync secret, details for an app or an old address.

use std::ops::Bound;

use serde_json::{Value, json};

use super::Call;
use super::api::CredentialKind;
use super::corp::Corp;
use super::field::normal_mobile;
use super::listing::Listed;
use super::member::Member;
use super::verdict::{Refusal, Success};
use crate::fault::FaultKind;

const LARGEST_PAGE: i64 = 10_000;

pub(super) fn get(corp: &Corp, call: &Call<'_>) -> Result<Success, Refusal> {
    let userid = call.parameter("userid").ok_or_else(|| Refusal::new(41009, "missing userid"))?;
    let member = corp.members.get(&userid.to_ascii_lowercase());
    let member = member.ok_or_else(|| Refusal::new(60111, "userid not found"))?;
    Success::of(&details(member, call.credential))
}

fn details(member: &Member, credential: CredentialKind) -> Value {
    match credential {
        CredentialKind::Sync => member.to_json(),
        CredentialKind::App => member.seen_by_app(),
    }
}

pub(super) fn simple_list(corp: &Corp, call: &Call<'_>) -> Result<Success, Refusal> {
    listed(corp, call, Member::userid_and_name)
}

pub(super) fn list(corp: &Corp, call: &Call<'_>) -> Result<Success, Refusal> {
    listed(corp, call, |member| details(member, call.credential))
}

/// The direct members of one department.
fn listed(corp: &Corp, call: &Call<'_>, show: impl Fn(&Member) -> Value) -> Result<Success, Refusal> {
    let unknown = || Refusal::new(60003, "department not found");
    let id = call.parameter("department_id").ok_or_else(|| Refusal::new(41019, "missing department"))?;
    let id: u32 = id.parse().ok().filter(|id| corp.departments.contains_key(id)).ok_or_else(unknown)?;
    let members = corp.members.values().filter(|member| member.department.contains(&id));
    Success::with(format!(r#","userlist":{}"#, members.map(show).collect::<Value>()))
}

pub(super) fn by_mobile(corp: &Corp, call: &mut Call<'_>) -> Result<Success, Refusal> {
    let mobile = call.body.text("mobile").unwrap_or_default();
    held(corp, corp.owners.mobiles.get(&normal_mobile(&mobile)))
}

pub(super) fn by_email(corp: &Corp, call: &mut Call<'_>) -> Result<Success, Refusal> {
    let email = call.body.text("email").unwrap_or_default().to_ascii_lowercase();
    let owners = match call.body.number("email_type") {
        Some(2) => &corp.owners.emails,
        _ => &corp.owners.biz_mails,
    };
    held(corp, owners.get(&email))
}

fn held(corp: &Corp, holder: Option<&String>) -> Result<Success, Refusal> {
    let member = holder.and_then(|key| corp.members.get(key));
    let member = member.ok_or_else(|| Refusal::new(46004, "user not exist"))?;
    Success::with(format!(r#","userid":{}"#, json!(member.userid)))
}

/// One row for each (member, department), members in the order of their userid. The cursor names the last row given.
pub(super) fn list_id(corp: &Corp, call: &mut Call<'_>) -> Result<Success, Refusal> {
    let limit = call.body.number("limit").unwrap_or(LARGEST_PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        return Err(Refusal::new(40058, "limit invalid. invalid Request Parameter"));
    }
    let cursor = call.body.text("cursor").unwrap_or_default();
    if let Some(period) = call.cycle() {
        return Ok(round_page(corp, &cursor, period, limit as usize));
    }
    let (start, skipped) = match cursor.as_str() {
        "" => (Bound::Unbounded, 0),
        cursor => {
            let (key, given) = Cursor::read(cursor).ok_or_else(|| Refusal::new(50100, "invalid cursor"))?;
            (Bound::Included(key), given)
        }
    };
    let first = match &start {
        Bound::Included(key) => key.clone(),
        Bound::Excluded(_) | Bound::Unbounded => String::new(),
    };
    let shown = corp.listing.starting_at(&corp.members, start, call.fault_is(FaultKind::StaleList));
    let rows = shown.flat_map(|(key, listed)| {
        let skipped = if key == first { skipped } else { 0 };
        let Listed { userid, department } = listed;
        let places = department.into_iter().enumerate().skip(skipped);
        places.map(move |(place, id)| (key.clone(), userid.clone(), place, id))
    });
    let mut listed = Vec::new();
    let mut last = None;
    let mut more = false;
    for (key, userid, place, id) in rows {
        if listed.len() as i64 == limit {
            more = true;
            break;
        }
        listed.push(json!({ "userid": userid, "department": id }));
        last = Some((key, place + 1));
    }
    let next = match last.filter(|_| more) {
        Some((key, given)) => format!(r#","next_cursor":"{}""#, Cursor::write(&key, given)),
        None if call.knobs.list_id_empty_cursor => r#","next_cursor":"""#.to_owned(),
        None => String::new(),
    };
    Success::with(format!(r#","dept_user":{}{next}"#, Value::Array(listed)))
}

/// The first page, regardless of the cursor, with the next of `period` cursors in the cycle.
fn round_page(corp: &Corp, cursor: &str, period: u64, limit: usize) -> Success {
    let name = |place: u64| format!("round-{}", place % period);
    let place = (0..period).find(|place| name(*place) == cursor).map_or(0, |place| place + 1);
    let rows = corp.members.values().flat_map(|member| {
        member.department.iter().map(|id| json!({ "userid": member.userid, "department": id }))
    });
    let rows: Vec<Value> = rows.take(limit).collect();
    Success {
        text: "ok",
        rest: format!(r#","dept_user":{},"next_cursor":"{}""#, Value::Array(rows), name(place)),
    }
}

/// The last member given and how many of its departments, in hexadecimal: opaque to clients.
struct Cursor;

impl Cursor {
    fn write(key: &str, given: usize) -> String {
        format!("{key}/{given}").bytes().map(|byte| format!("{byte:02x}")).collect()
    }

    fn read(cursor: &str) -> Option<(String, usize)> {
        let bytes = cursor.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        });
        let text = String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()?;
        let (key, given) = text.rsplit_once('/')?;
        Some((key.to_owned(), given.parse().ok()?))
    }
}
