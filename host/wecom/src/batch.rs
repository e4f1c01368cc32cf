//! A file of members as one job: upload the file, wait for the job, read the result of each row.
//!
//! The file may be uploaded and the result requested any number of times. The submission between them is a write: it
//! is repeated only as other writes are, and if its answer is lost every row is in doubt. The job's own success says
//! nothing about its rows; only a row's own code does, interpreted like a call's answer.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use super::api::Api;
use super::call::{Call, Called, Caller, DOUBTFUL, Outcome, Read, integer};
use super::errcode::{Class, class};
use super::error::{Error, Failure};
use super::redact::{clean, from_ip};
use super::sheet::{Sheet, SheetMember};
use super::transport::Payload;
use super::write::{Answer, Attempt, Kind, Subject, Verdict};
use ruzhi_model::MemberKey;

/// The waits before the first requests for the result.
const WAITS: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_millis(1_000),
    Duration::from_millis(2_000),
    Duration::from_millis(4_000),
];
/// The wait before each later request.
const LATER_WAIT: Duration = Duration::from_secs(5);
/// The longest wait for a job.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The job is over.
const OVER: i64 = 3;

/// A job that WeCom accepted.
struct Job {
    id: String,
    begin: Instant,
    /// The submission, from which each row's attempt is made.
    submission: Attempt,
    /// An earlier submission may have been carried out too.
    in_doubt: bool,
}

/// The outcome of a file whose rows have no results of their own.
struct End {
    verdict: Verdict,
    attempt: Option<Attempt>,
    in_doubt: bool,
}

/// Writes the members of a file. Returns one answer per row. `taken` receives the job's id before the wait for the
/// job.
pub(super) async fn write(caller: &Caller, sheet: &Sheet, mut taken: impl AsyncFnMut(String)) -> Vec<Answer> {
    let submitted = submit(caller, sheet).await;
    if let Ok(job) = &submitted {
        taken(job.id.clone()).await;
    }
    let end = match submitted {
        Ok(job) => match result(caller, sheet, &job).await {
            Ok(rows) => return answers(caller, sheet, &job, &rows),
            Err(end) => end,
        },
        Err(end) => end,
    };
    let End { verdict, attempt, in_doubt } = end;
    let answer = Answer { verdict, attempts: attempt.into_iter().collect(), in_doubt };
    vec![answer; sheet.members.len()]
}

/// Uploads the file and submits the job.
async fn submit(caller: &Caller, sheet: &Sheet) -> Result<Job, End> {
    if let Some(error) = caller.stop() {
        return Err(End { verdict: Verdict::Stopped(error), attempt: None, in_doubt: false });
    }
    let (mut in_doubt, mut uploads) = (false, 0);
    loop {
        let media_id = upload(caller, sheet, in_doubt).await?;
        uploads += 1;
        let body = json!({ "media_id": media_id, "to_invite": sheet.invites() }).to_string();
        let payload = Payload::Json(body.into_bytes());
        let begin = Instant::now();
        let mut called = caller.call(&Call { api: Api::SyncUser, query: None, payload }).await;
        in_doubt |= called.in_doubt;
        match &called.outcome {
            Outcome::Failed(Failure::Refused { errcode: 40007 | 40145, .. }) if uploads < 2 => continue,
            Outcome::Success(answer) => {
                let id = answer.get("jobid").and_then(text).filter(|id| !id.is_empty());
                if let Some(id) = id
                    && let Some(submission) = called.attempts.pop()
                {
                    tracing::info!(rows = sheet.members.len(), job = id, "WeCom took a file of members");
                    return Ok(Job { id, begin, submission, in_doubt });
                }
                // A job exists, but its id is unknown.
                in_doubt = true;
            }
            Outcome::Failed(Failure::Warned { .. }) => in_doubt = true,
            Outcome::Failed(_) | Outcome::Stopped(_) => {}
        }
        return Err(end(sheet, Api::SyncUser, called, in_doubt));
    }
}

async fn upload(caller: &Caller, sheet: &Sheet, in_doubt: bool) -> Result<String, End> {
    let payload = Payload::File(&sheet.file);
    let called = caller.call(&Call { api: Api::Upload, query: Some(("type", "file")), payload }).await;
    if let Outcome::Success(answer) = &called.outcome
        && let Some(media_id) = answer.get("media_id").and_then(text).filter(|id| !id.is_empty())
    {
        return Ok(media_id);
    }
    Err(end(sheet, Api::Upload, called, in_doubt))
}

/// The outcome of a file that was not accepted, or whose submission has no known outcome.
fn end(sheet: &Sheet, api: Api, called: Called, in_doubt: bool) -> End {
    let verdict = match called.outcome {
        Outcome::Stopped(error) => Verdict::Stopped(error),
        Outcome::Failed(failure) if failure.is_the_tenants() => {
            Verdict::Stopped(Error::Sheet { api: api.path(), rows: sheet.members.len(), failure })
        }
        _ if in_doubt => Verdict::Lost,
        Outcome::Failed(failure) => Verdict::Busy { errcode: failure.errcode() },
        Outcome::Success(_) => Verdict::Busy { errcode: None },
    };
    End { verdict, attempt: called.attempts.into_iter().next_back(), in_doubt }
}

/// Waits for the job and returns the rows of its result.
async fn result(caller: &Caller, sheet: &Sheet, job: &Job) -> Result<Vec<Value>, End> {
    let mut waits = WAITS.into_iter();
    loop {
        sleep(waits.next().unwrap_or(LATER_WAIT)).await;
        let query = Some(("jobid", job.id.as_str()));
        let mut called = caller.call(&Call { api: Api::JobResult, query, payload: Payload::Nothing }).await;
        let last = called.attempts.pop();
        let told = |verdict, in_doubt| {
            let (errcode, errmsg) = last.map_or((None, String::new()), |last| (last.errcode, last.errmsg));
            End { verdict, attempt: Some(attempt(job, errcode, errmsg)), in_doubt }
        };
        match called.outcome {
            Outcome::Success(mut answer) => {
                if answer.get("status").and_then(integer) == Some(OVER) {
                    return Ok(match answer.remove("result") {
                        Some(Value::Array(rows)) => rows,
                        _ => Vec::new(),
                    });
                }
            }
            Outcome::Stopped(error) => return Err(told(Verdict::Stopped(error), true)),
            // WeCom could not read the file, so this job wrote no row.
            Outcome::Failed(Failure::Refused { errcode: 40092, .. }) if !job.in_doubt => {
                return Err(told(Verdict::Busy { errcode: Some(40092) }, false));
            }
            Outcome::Failed(failure) if failure.is_the_tenants() => {
                let rows = sheet.members.len();
                let error = Error::Sheet { api: Api::JobResult.path(), rows, failure };
                return Err(told(Verdict::Stopped(error), true));
            }
            Outcome::Failed(failure) if failure.class() == Class::Retry => {}
            Outcome::Failed(_) => return Err(told(Verdict::Lost, true)),
        }
        if job.begin.elapsed() >= LONGEST {
            let errmsg = "the job was not over in time".to_owned();
            let attempt = Some(attempt(job, None, errmsg));
            return Err(End { verdict: Verdict::Lost, attempt, in_doubt: true });
        }
    }
}

/// Waits until a job submitted by an earlier process is over, whatever the results of its rows.
pub(super) async fn wait(caller: &Caller, id: &str) -> Result<(), Failure> {
    let (mut waits, begin) = (WAITS.into_iter(), Instant::now());
    while begin.elapsed() < LONGEST {
        let call = Call { api: Api::JobResult, query: Some(("jobid", id)), payload: Payload::Nothing };
        match caller.call(&call).await.outcome {
            Outcome::Success(answer) if answer.get("status").and_then(integer) == Some(OVER) => return Ok(()),
            Outcome::Success(_) => {}
            Outcome::Stopped(error) => return Err(error.failure().clone()),
            Outcome::Failed(failure) => match failure.class() {
                Class::Retry => {}
                Class::Configuration | Class::Throttled => return Err(failure),
                // Its result is gone, so it ended long ago.
                _ => return Ok(()),
            },
        }
        sleep(waits.next().unwrap_or(LATER_WAIT)).await;
    }
    tracing::warn!(job = id, "a job of an earlier process is not over yet");
    Ok(())
}

/// The attempt of a row: the submission, with the row's own result if known.
fn attempt(job: &Job, errcode: Option<i64>, errmsg: String) -> Attempt {
    Attempt { errcode, errmsg, took: job.begin.elapsed(), ..job.submission.clone() }
}

/// The answers to the members of the file.
fn answers(caller: &Caller, sheet: &Sheet, job: &Job, rows: &[Value]) -> Vec<Answer> {
    let mut said: BTreeMap<MemberKey, &Map<String, Value>> = BTreeMap::new();
    let mut contradicted = Vec::new();
    for row in rows.iter().filter_map(Value::as_object) {
        let Some(userid) = row.get("userid").and_then(Value::as_str) else { continue };
        let key = MemberKey::of(userid);
        if let Some(before) = said.insert(key.clone(), row)
            && before.get("errcode").and_then(integer) != row.get("errcode").and_then(integer)
        {
            contradicted.push(key);
        }
    }
    for key in &contradicted {
        said.remove(key);
    }
    let answer = |member: &SheetMember| {
        answer(caller, job, sheet.kind, member, said.get(&member.userid.key()).copied())
    };
    sheet.members.iter().map(answer).collect()
}

/// The answer a row of the result gives to its member.
fn answer(
    caller: &Caller,
    job: &Job,
    kind: Kind,
    member: &SheetMember,
    row: Option<&Map<String, Value>>,
) -> Answer {
    // A row without a code is not a success.
    let row = row.filter(|row| row.get("errcode").is_some_and(|errcode| !errcode.is_null()));
    let read = row.map_or_else(
        || Read::Lost("the job's result does not say what became of this member".to_owned()),
        |row| Read::object(row.clone()),
    );
    let secrets = [caller.secret.expose_secret()];
    let attempt = read.attempt(Api::SyncUser, job.submission.at, job.begin.elapsed(), &secrets);
    let mut in_doubt = job.in_doubt;
    let errmsg = attempt.errmsg.clone();
    let outcome = match read {
        Read::Success(row) => Outcome::Success(row),
        Read::Warned(_) => Outcome::Failed(Failure::Warned { errmsg }),
        Read::NotSent(detail) | Read::OpenFiles(detail) | Read::Lost(detail) => {
            in_doubt = true;
            Outcome::Failed(Failure::NoAnswer { detail: clean(&detail, &secrets) })
        }
        Read::TooLarge(excess) => {
            in_doubt = true;
            Outcome::Failed(Failure::TooLarge { excess })
        }
        Read::Code(errcode, raw) => {
            in_doubt |= DOUBTFUL.contains(&errcode);
            Outcome::Failed(match class(errcode) {
                Class::Retry | Class::RefreshToken | Class::Throttled | Class::Concurrency => {
                    Failure::Busy { errcode, errmsg }
                }
                _ => Failure::Refused { errcode, errmsg, from_ip: from_ip(&raw) },
            })
        }
    };
    let subject = Subject { kind, userid: &member.userid, api: Api::SyncUser };
    let mut verdict = subject.verdict(outcome, in_doubt);
    // The cause may be a cell that only repeats the present state; then a separate call succeeds without it. No cell
    // causes a missing right to write a member.
    let may_be_a_cell = match &verdict {
        Verdict::Refused { .. } | Verdict::MobileHeld { .. } => true,
        Verdict::Unsure { errcode, .. } => class(*errcode) != Class::Configuration,
        _ => false,
    };
    if kind == Kind::Update
        && may_be_a_cell
        && let errcode @ Some(code) = attempt.errcode
        && !member.is_refused_itself(code)
    {
        verdict = Verdict::Busy { errcode };
    }
    Answer { verdict, attempts: vec![attempt], in_doubt }
}

/// A text, which some answers write as a number.
fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| integer(value).map(|number| number.to_string()))
}
