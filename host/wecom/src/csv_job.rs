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

use super::api::WecomApi;
use super::attempt::CallAttempt;
use super::csv::{CsvFile, CsvMember};
use super::dispatch::{CallOutcome, CompletedCall, DOUBTFUL, Dispatcher, ParsedAnswer, WecomCall, integer};
use super::errcode::{ErrcodeClass, class};
use super::error::{WecomError, WecomFailure};
use super::redact::{clean, from_ip};
use super::transport::Payload;
use super::write::{Subject, WriteAnswer, WriteKind, WriteVerdict};
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
struct CsvJob {
    id: String,
    begin: Instant,
    /// The submission, from which each row's attempt is made.
    submission: CallAttempt,
    /// An earlier submission may have been carried out too.
    in_doubt: bool,
}

/// The outcome of a file whose rows have no results of their own.
struct JobEnd {
    verdict: WriteVerdict,
    attempt: Option<CallAttempt>,
    in_doubt: bool,
}

/// Writes the members of a file. Returns one answer per row. `taken` receives the job's id before the wait for the
/// job.
pub(super) async fn write(
    dispatcher: &Dispatcher,
    csv_file: &CsvFile,
    mut taken: impl AsyncFnMut(String),
) -> Vec<WriteAnswer> {
    let submitted = submit(dispatcher, csv_file).await;
    if let Ok(job) = &submitted {
        taken(job.id.clone()).await;
    }
    let end = match submitted {
        Ok(job) => match result(dispatcher, csv_file, &job).await {
            Ok(rows) => return answers(dispatcher, csv_file, &job, &rows),
            Err(end) => end,
        },
        Err(end) => end,
    };
    let JobEnd { verdict, attempt, in_doubt } = end;
    let answer = WriteAnswer { verdict, attempts: attempt.into_iter().collect(), in_doubt };
    vec![answer; csv_file.members.len()]
}

/// Uploads the file and submits the job.
async fn submit(dispatcher: &Dispatcher, csv_file: &CsvFile) -> Result<CsvJob, JobEnd> {
    if let Some(error) = dispatcher.stop() {
        return Err(JobEnd { verdict: WriteVerdict::Stopped(error), attempt: None, in_doubt: false });
    }
    let (mut in_doubt, mut uploads) = (false, 0);
    loop {
        let media_id = upload(dispatcher, csv_file, in_doubt).await?;
        uploads += 1;
        let body = json!({ "media_id": media_id, "to_invite": csv_file.invites() }).to_string();
        let payload = Payload::Json(body.into_bytes());
        let begin = Instant::now();
        let mut called = dispatcher.call(&WecomCall { api: WecomApi::SyncUser, query: None, payload }).await;
        in_doubt |= called.in_doubt;
        match &called.outcome {
            CallOutcome::Failed(WecomFailure::Rejected { errcode: 40007 | 40145, .. }) if uploads < 2 => {
                continue;
            }
            CallOutcome::Success(answer) => {
                let id = answer.get("jobid").and_then(text).filter(|id| !id.is_empty());
                if let Some(id) = id
                    && let Some(submission) = called.attempts.pop()
                {
                    tracing::info!(rows = csv_file.members.len(), job = id, "WeCom took a file of members");
                    return Ok(CsvJob { id, begin, submission, in_doubt });
                }
                // A job exists, but its id is unknown.
                in_doubt = true;
            }
            CallOutcome::Failed(WecomFailure::Warned { .. }) => in_doubt = true,
            CallOutcome::Failed(_) | CallOutcome::Stopped(_) => {}
        }
        return Err(end(csv_file, WecomApi::SyncUser, called, in_doubt));
    }
}

async fn upload(dispatcher: &Dispatcher, csv_file: &CsvFile, in_doubt: bool) -> Result<String, JobEnd> {
    let payload = Payload::File(&csv_file.file);
    let called =
        dispatcher.call(&WecomCall { api: WecomApi::Upload, query: Some(("type", "file")), payload }).await;
    if let CallOutcome::Success(answer) = &called.outcome
        && let Some(media_id) = answer.get("media_id").and_then(text).filter(|id| !id.is_empty())
    {
        return Ok(media_id);
    }
    Err(end(csv_file, WecomApi::Upload, called, in_doubt))
}

/// The outcome of a file that was not accepted, or whose submission has no known outcome.
fn end(csv_file: &CsvFile, api: WecomApi, called: CompletedCall, in_doubt: bool) -> JobEnd {
    let verdict = match called.outcome {
        CallOutcome::Stopped(error) => WriteVerdict::Stopped(error),
        CallOutcome::Failed(failure) if failure.is_the_tenants() => {
            WriteVerdict::Stopped(WecomError::CsvFile {
                api: api.path(),
                rows: csv_file.members.len(),
                failure,
            })
        }
        _ if in_doubt => WriteVerdict::Lost,
        CallOutcome::Failed(failure) => WriteVerdict::Busy { errcode: failure.errcode() },
        CallOutcome::Success(_) => WriteVerdict::Busy { errcode: None },
    };
    JobEnd { verdict, attempt: called.attempts.into_iter().next_back(), in_doubt }
}

/// Waits for the job and returns the rows of its result.
async fn result(dispatcher: &Dispatcher, csv_file: &CsvFile, job: &CsvJob) -> Result<Vec<Value>, JobEnd> {
    let mut waits = WAITS.into_iter();
    loop {
        sleep(waits.next().unwrap_or(LATER_WAIT)).await;
        let query = Some(("jobid", job.id.as_str()));
        let mut called =
            dispatcher.call(&WecomCall { api: WecomApi::JobResult, query, payload: Payload::Nothing }).await;
        let last = called.attempts.pop();
        let told = |verdict, in_doubt| {
            let (errcode, errmsg) = last.map_or((None, String::new()), |last| (last.errcode, last.errmsg));
            JobEnd { verdict, attempt: Some(attempt(job, errcode, errmsg)), in_doubt }
        };
        match called.outcome {
            CallOutcome::Success(mut answer) => {
                if answer.get("status").and_then(integer) == Some(OVER) {
                    return Ok(match answer.remove("result") {
                        Some(Value::Array(rows)) => rows,
                        _ => Vec::new(),
                    });
                }
            }
            CallOutcome::Stopped(error) => return Err(told(WriteVerdict::Stopped(error), true)),
            // WeCom could not read the file, so this job wrote no row.
            CallOutcome::Failed(WecomFailure::Rejected { errcode: 40092, .. }) if !job.in_doubt => {
                return Err(told(WriteVerdict::Busy { errcode: Some(40092) }, false));
            }
            CallOutcome::Failed(failure) if failure.is_the_tenants() => {
                let rows = csv_file.members.len();
                let error = WecomError::CsvFile { api: WecomApi::JobResult.path(), rows, failure };
                return Err(told(WriteVerdict::Stopped(error), true));
            }
            CallOutcome::Failed(failure) if failure.class() == ErrcodeClass::Retry => {}
            CallOutcome::Failed(_) => return Err(told(WriteVerdict::Lost, true)),
        }
        if job.begin.elapsed() >= LONGEST {
            let errmsg = "the job was not over in time".to_owned();
            let attempt = Some(attempt(job, None, errmsg));
            return Err(JobEnd { verdict: WriteVerdict::Lost, attempt, in_doubt: true });
        }
    }
}

/// Waits until a job submitted by an earlier process is over, whatever the results of its rows.
pub(super) async fn wait(dispatcher: &Dispatcher, id: &str) -> Result<(), WecomFailure> {
    let (mut waits, begin) = (WAITS.into_iter(), Instant::now());
    while begin.elapsed() < LONGEST {
        let call =
            WecomCall { api: WecomApi::JobResult, query: Some(("jobid", id)), payload: Payload::Nothing };
        match dispatcher.call(&call).await.outcome {
            CallOutcome::Success(answer) if answer.get("status").and_then(integer) == Some(OVER) => {
                return Ok(());
            }
            CallOutcome::Success(_) => {}
            CallOutcome::Stopped(error) => return Err(error.failure().clone()),
            CallOutcome::Failed(failure) => match failure.class() {
                ErrcodeClass::Retry => {}
                ErrcodeClass::Configuration | ErrcodeClass::Throttled => return Err(failure),
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
fn attempt(job: &CsvJob, errcode: Option<i64>, errmsg: String) -> CallAttempt {
    CallAttempt { errcode, errmsg, took: job.begin.elapsed(), ..job.submission.clone() }
}

/// The answers to the members of the file.
fn answers(dispatcher: &Dispatcher, csv_file: &CsvFile, job: &CsvJob, rows: &[Value]) -> Vec<WriteAnswer> {
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
    let answer = |member: &CsvMember| {
        answer(dispatcher, job, csv_file.kind, member, said.get(&member.userid.key()).copied())
    };
    csv_file.members.iter().map(answer).collect()
}

/// The answer a row of the result gives to its member.
fn answer(
    dispatcher: &Dispatcher,
    job: &CsvJob,
    kind: WriteKind,
    member: &CsvMember,
    row: Option<&Map<String, Value>>,
) -> WriteAnswer {
    // A row without a code is not a success.
    let row = row.filter(|row| row.get("errcode").is_some_and(|errcode| !errcode.is_null()));
    let read = row.map_or_else(
        || ParsedAnswer::Lost("the job's result does not say what became of this member".to_owned()),
        |row| ParsedAnswer::object(row.clone()),
    );
    let secrets = [dispatcher.secret.expose_secret()];
    let attempt = read.attempt(WecomApi::SyncUser, job.submission.at, job.begin.elapsed(), &secrets);
    let mut in_doubt = job.in_doubt;
    let errmsg = attempt.errmsg.clone();
    let outcome = match read {
        ParsedAnswer::Success(row) => CallOutcome::Success(row),
        ParsedAnswer::Warned(_) => CallOutcome::Failed(WecomFailure::Warned { errmsg }),
        ParsedAnswer::NotSent(detail) | ParsedAnswer::OpenFiles(detail) | ParsedAnswer::Lost(detail) => {
            in_doubt = true;
            CallOutcome::Failed(WecomFailure::NoAnswer { detail: clean(&detail, &secrets) })
        }
        ParsedAnswer::TooLarge(excess) => {
            in_doubt = true;
            CallOutcome::Failed(WecomFailure::TooLarge { excess })
        }
        ParsedAnswer::Code(errcode, raw) => {
            in_doubt |= DOUBTFUL.contains(&errcode);
            CallOutcome::Failed(match class(errcode) {
                ErrcodeClass::Retry
                | ErrcodeClass::RefreshToken
                | ErrcodeClass::Throttled
                | ErrcodeClass::Concurrency => WecomFailure::Busy { errcode, errmsg },
                _ => WecomFailure::Rejected { errcode, errmsg, from_ip: from_ip(&raw) },
            })
        }
    };
    let subject = Subject { kind, userid: &member.userid, api: WecomApi::SyncUser };
    let mut verdict = subject.verdict(outcome, in_doubt);
    // The cause may be a cell that only repeats the present state; then a separate call succeeds without it. No cell
    // causes a missing right to write a member.
    let may_be_a_cell = match &verdict {
        WriteVerdict::Rejected { .. } | WriteVerdict::MobileHeld { .. } => true,
        WriteVerdict::Unsure { errcode, .. } => class(*errcode) != ErrcodeClass::Configuration,
        _ => false,
    };
    if kind == WriteKind::Update
        && may_be_a_cell
        && let errcode @ Some(code) = attempt.errcode
        && !member.is_rejected_itself(code)
    {
        verdict = WriteVerdict::Busy { errcode };
    }
    WriteAnswer { verdict, attempts: vec![attempt], in_doubt }
}

/// A text, which some answers write as a number.
fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| integer(value).map(|number| number.to_string()))
}
