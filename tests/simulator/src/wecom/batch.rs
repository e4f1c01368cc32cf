//! Files, the CSV job that upserts members, its result, and invitations. A job takes effect when it is submitted; only
//! its result is available later.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use serde_json::{Value, json};

use super::Call;
use super::corp::Corp;
use super::csv_file;
use super::patch::Patch;
use super::user::reached;
use super::verdict::{Refusal, Success};

#[derive(Debug, Default)]
pub(super) struct Media {
    files: BTreeMap<String, File>,
}

#[derive(Debug)]
struct File {
    content: Bytes,
    uploaded_ms: u64,
}

#[derive(Debug, Default)]
pub(super) struct Jobs {
    kept: VecDeque<Job>,
    purged: BTreeSet<String>,
    submitted: u64,
}

#[derive(Debug)]
struct Job {
    id: String,
    rows: Vec<Value>,
    polls: u32,
    polls_until_done: u32,
}

const LARGEST_FILE: usize = 20 * 1024 * 1024;
const SMALLEST_FILE: usize = 6;
const FILE_LIFETIME_MS: u64 = 3 * 24 * 3_600_000;
const KEPT_JOBS: usize = 5;
const MOST_INVITED_USERS: usize = 1000;
const MOST_INVITED_GROUPS: usize = 100;

pub(super) fn upload(corp: &mut Corp, call: &mut Call<'_>) -> Result<Success, Refusal> {
    let kind = call.parameter("type").unwrap_or_default().to_owned();
    if !matches!(kind.as_str(), "file" | "image" | "voice" | "video") {
        return Err(Refusal::new(40005, "invalid media type"));
    }
    let media = call.request.parts.iter().find(|part| part.name == "media" && part.file_name.is_some());
    let Some(media) = media else {
        call.body.problems.push("no part named \"media\" with a filename in a multipart body".to_owned());
        return Err(Refusal::new(44001, "empty media data"));
    };
    match media.content.len() {
        0 => return Err(Refusal::new(44001, "empty media data")),
        size if size < SMALLEST_FILE => return Err(Refusal::new(40006, "invalid media size")),
        size if size > LARGEST_FILE => return Err(Refusal::new(45001, "media size out of limit")),
        _ => {}
    }
    let id = format!("3simulated{:054}", corp.media.files.len() + 1);
    let file = File { content: media.content.clone(), uploaded_ms: call.now_ms };
    corp.media.files.insert(id.clone(), file);
    let created_s = call.now_ms / 1000;
    let quote = if call.knobs.created_at_is_number { "" } else { "\"" };
    let rest = format!(r#","type":"{kind}","media_id":"{id}","created_at":{quote}{created_s}{quote}"#);
    Ok(Success { text: "", rest })
}

pub(super) fn sync_user(corp: &mut Corp, call: &mut Call<'_>) -> Result<Success, Refusal> {
    let media_id = call.body.text("media_id").ok_or_else(|| Refusal::new(41006, "missing media_id"))?;
    // Recordings show the word "false" accepted here.
    let invites = match call.body.any("to_invite") {
        None => true,
        Some(Value::Bool(invites)) => invites,
        Some(Value::String(word)) => word != "false",
        Some(other) => call.body.mistyped("to_invite", "true or false", &other).unwrap_or(true),
    };
    call.body.object("callback");
    let alive = |file: &&File| call.now_ms < file.uploaded_ms + FILE_LIFETIME_MS;
    let file = corp.media.files.get(&media_id).filter(alive);
    let content = file.ok_or_else(|| Refusal::new(40007, "invalid media_id"))?.content.clone();
    let rows = csv_file::members(&content)?;

    let rows = rows.into_iter().map(|row| {
        let result = upsert(corp, row.fields, call, invites);
        let (code, text) = match result {
            Ok(()) => (0, String::new()),
            Err(refusal) => (refusal.code, refusal.text.into_owned()),
        };
        json!({ "userid": row.userid, "errcode": code, "errmsg": text })
    });
    let rows = rows.collect();
    corp.jobs.submitted += 1;
    let id = format!("3_{}_{:06}", call.now_ms / 1000, corp.jobs.submitted);
    corp.jobs.kept.push_back(Job { id: id.clone(), rows, polls: 0, polls_until_done: call.knobs.job_polls });
    if corp.jobs.kept.len() > KEPT_JOBS
        && let Some(oldest) = corp.jobs.kept.pop_front()
    {
        corp.jobs.purged.insert(oldest.id);
    }
    Success::with(format!(r#","jobid":"{id}""#))
}

/// One row: a member that exists changes in the columns filled in, another is created.
fn upsert(
    corp: &mut Corp,
    fields: serde_json::Map<String, Value>,
    call: &Call<'_>,
    invites: bool,
) -> Result<(), Refusal> {
    let (userid, patch) = Patch::with_userid(fields);
    reached(call, &userid)?;
    let key = userid.to_ascii_lowercase();
    if corp.members.contains_key(&key) {
        corp.update_member(&userid, None, patch, call.knobs)?;
    } else {
        corp.create_member(&userid, patch, call.knobs, call.limits.of(call.limits.wecom_members))?;
        if invites {
            corp.invite(&key);
        }
    }
    Ok(())
}

pub(super) fn get_result(corp: &mut Corp, call: &Call<'_>) -> Result<Success, Refusal> {
    let unknown = || Refusal::new(40088, "invalid jobid");
    let id = call.parameter("jobid").ok_or_else(unknown)?;
    if corp.jobs.purged.contains(id) {
        return Err(Refusal::new(40089, "job result purged"));
    }
    let job = corp.jobs.kept.iter_mut().find(|job| job.id == id).ok_or_else(unknown)?;
    let total = job.rows.len();
    if job.polls < job.polls_until_done {
        // Queued at first, then running.
        let status = if job.polls == 0 && job.polls_until_done > 1 { 1 } else { 2 };
        let percentage = job.polls * 100 / job.polls_until_done;
        job.polls += 1;
        return Success::with(format!(
            r#","status":{status},"type":"sync_user","total":{total},"percentage":{percentage},"result":[]"#
        ));
    }
    let rows = Value::from(job.rows.clone());
    Success::with(format!(
        r#","status":3,"type":"sync_user","total":{total},"percentage":100,"result":{rows}"#
    ))
}

pub(super) fn invite(corp: &mut Corp, call: &mut Call<'_>) -> Result<Success, Refusal> {
    let users = call.body.texts("user").unwrap_or_default();
    let parties = call.body.numbers("party").unwrap_or_default();
    let tags = call.body.numbers("tag").unwrap_or_default();
    if users.is_empty() && parties.is_empty() && tags.is_empty() {
        return Err(Refusal::new(82001, "user, party and tag are all empty"));
    }
    let too_many_groups = parties.len() > MOST_INVITED_GROUPS || tags.len() > MOST_INVITED_GROUPS;
    if users.len() > MOST_INVITED_USERS || too_many_groups {
        return Err(Refusal::new(40058, "list too long. invalid Request Parameter"));
    }
    let known_party = |party: &i64| u32::try_from(*party).is_ok_and(|id| corp.departments.contains_key(&id));
    let (good_parties, bad_parties): (Vec<i64>, Vec<i64>) = parties.into_iter().partition(known_party);
    let known_user = |userid: &String| corp.members.contains_key(&userid.to_ascii_lowercase());
    let (good_users, bad_users): (Vec<String>, Vec<String>) = users.into_iter().partition(known_user);
    if good_users.is_empty() && good_parties.is_empty() {
        return Err(Refusal::new(81013, "user, party and tag are all invalid"));
    }
    let mut invited: BTreeSet<String> = good_users.iter().map(|userid| userid.to_ascii_lowercase()).collect();
    for (key, member) in &corp.members {
        if member.department.iter().any(|id| good_parties.contains(&i64::from(*id))) {
            invited.insert(key.clone());
        }
    }
    for key in invited {
        corp.invite(&key);
    }
    Success::of(&json!({ "invaliduser": bad_users, "invalidparty": bad_parties, "invalidtag": tags }))
}
