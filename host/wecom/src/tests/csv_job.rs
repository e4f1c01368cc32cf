//! Jobs: the requests, the waits, and the answer for each row.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::super::{
    BatchRow, CsvFile, ErrcodeClass, MemberWrite, WecomClient, WriteAnswer, WriteVerdict, csv_files,
};
use super::script::{CannedWecomReply, WecomScript, code};
use super::{client, now, unsure, userid, zhang};
use ruzhi_model::UserId;

const DONE: WriteVerdict = WriteVerdict::Done { created_departments: vec![] };

/// A file that creates e0001 to e000n.
fn creates(count: usize) -> CsvFile {
    let userids: Vec<UserId> = (1..=count).map(|n| userid(&format!("E000{n}"))).collect();
    let mut body = zhang();
    body.insert("to_invite".to_owned(), json!(true));
    let whole = Map::new();
    let rows: Vec<_> = userids
        .iter()
        .map(|userid| BatchRow { write: MemberWrite::Create { userid, body: &body }, whole: &whole })
        .collect();
    csv_files(&rows).files.remove(0)
}

/// A file that changes the position of five members.
fn updates() -> CsvFile {
    let userids: Vec<UserId> = (1..=5).map(|n| userid(&format!("E000{n}"))).collect();
    let body = Map::from_iter([("position".to_owned(), json!("工程师"))]);
    let mut whole = zhang();
    whole.extend(body.clone());
    let rows: Vec<_> = userids
        .iter()
        .map(|userid| BatchRow { write: MemberWrite::Update { userid, body: &body }, whole: &whole })
        .collect();
    csv_files(&rows).files.remove(0)
}

fn uploaded() -> CannedWecomReply {
    let body =
        json!({ "errcode": 0, "errmsg": "", "type": "file", "media_id": "M1", "created_at": 1380000000 });
    CannedWecomReply::Json(body)
}

fn submitted() -> CannedWecomReply {
    CannedWecomReply::Json(json!({ "errcode": 0, "errmsg": "ok", "jobid": "3_1559620211_296300" }))
}

fn running() -> CannedWecomReply {
    CannedWecomReply::Json(json!({ "errcode": 0, "errmsg": "ok", "status": 1, "result": [{}, {}] }))
}

fn over(rows: Value) -> CannedWecomReply {
    CannedWecomReply::Json(json!({ "errcode": "0", "status": "3", "result": rows }))
}

fn row(userid: &str, errcode: i64, errmsg: &str) -> Value {
    json!({ "userid": userid, "errcode": errcode, "errmsg": errmsg })
}

/// A service that accepts every file and ends each job with these rows.
fn service(rows: Value) -> WecomScript {
    WecomScript::new()
        .always("media/upload", uploaded())
        .always("batch/syncuser", submitted())
        .always("batch/getresult", over(rows))
}

async fn written(script: &WecomScript, csv_file: &CsvFile) -> Vec<WriteAnswer> {
    client(script).write_csv_file(csv_file, async |_| ()).await
}

fn verdicts(answers: &[WriteAnswer]) -> Vec<WriteVerdict> {
    answers.iter().map(|answer| answer.verdict.clone()).collect()
}

/// The one answer common to all rows.
fn same(answers: Vec<WriteAnswer>) -> WriteAnswer {
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    answers.into_iter().next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_file_is_handed_in_submitted_and_asked_for_until_the_job_is_over() {
    let script = service(json!([row("e0002", 0, ""), row("E0001", 0, "")])).on(
        "batch/getresult",
        [running(), CannedWecomReply::Json(json!({ "errcode": 0 })), CannedWecomReply::Lost],
    );
    let client = client(&script);
    let answers = client.write_csv_file(&creates(2), async |_| ()).await;
    assert_eq!(verdicts(&answers), [DONE, DONE]);
    let upload = &script.seen("media/upload")[0];
    assert_eq!((upload.query["type"].as_str(), upload.query["access_token"].as_str()), ("file", "TOKEN-1"));
    let file = upload.file.as_deref().unwrap();
    assert!(file.starts_with("姓名,帐号,手机号,邮箱,所在部门\n张三,E0001,13800138000,,1;2;3\n"), "{file}");
    let submission = &script.seen("batch/syncuser")[0];
    assert_eq!(submission.body, Some(json!({ "media_id": "M1", "to_invite": true })));
    assert_eq!(script.seen("batch/getresult")[0].query["jobid"], "3_1559620211_296300");
    let [attempt] = answers[0].attempts.as_slice() else { panic!("{answers:?}") };
    assert_eq!((attempt.api, attempt.at, attempt.errcode), ("batch/syncuser", now(), Some(0)));
    assert_eq!((attempt.errmsg.as_str(), answers[0].in_doubt), ("", false));
    let calls: Vec<_> = client.calls().into_iter().collect();
    let expected = [("batch/getresult", 4), ("batch/syncuser", 1), ("gettoken", 1), ("media/upload", 1)];
    assert_eq!(calls, expected);
}

#[tokio::test(start_paused = true)]
async fn updates_never_invite_and_questions_come_ever_more_rarely() {
    let script = service(json!([])).on("batch/getresult", vec![running(); 7]);
    written(&script, &updates()).await;
    assert_eq!(script.seen("batch/syncuser")[0].body.as_ref().unwrap()["to_invite"], json!(false));
    let asked: Vec<_> = script.seen("batch/getresult").iter().map(|seen| seen.at.as_millis()).collect();
    let waits: Vec<_> = asked.windows(2).map(|pair| pair[1] - pair[0] - 10).collect();
    assert_eq!(waits, [1000, 2000, 4000, 5000, 5000, 5000, 5000]);
}

#[tokio::test(start_paused = true)]
async fn each_row_is_judged_as_a_call_of_its_own() {
    let names_holder = "mobile existed:E0099, hint: [17], from ip: 203.0.113.9, more info at x";
    let script = service(json!([
        row("e0001", 60102, "userid existed"),
        row("E0002", 60104, names_holder),
        { "userid": "E0003", "errcode": "60103", "errmsg": "invalid mobile" },
        row("E0004", 987_654, "what"),
        row("E0005", 0, "created. Warning: wrong json format. "),
        row("E0006", 45035, "conflict"),
        row("E0007", -1, "busy"),
        row("E0008", 60104, "mobile existed:e0008"),
        row("unknown", 0, ""),
        7,
        {},
    ]));
    let answers = written(&script, &creates(9)).await;
    let refused = |errcode, errmsg: &str| WriteVerdict::Rejected { errcode, errmsg: errmsg.to_owned() };
    let expected = [
        WriteVerdict::AlreadyExists { maybe_ours: false },
        WriteVerdict::MobileHeld { holder: Some("E0099".to_owned()), maybe_ours: false },
        refused(60103, "invalid mobile"),
        unsure("batch/syncuser", "E0004", 987_654, "what"),
        WriteVerdict::Warned { errmsg: "created. Warning: wrong json format.".to_owned() },
        WriteVerdict::Busy { errcode: Some(45035) },
        WriteVerdict::Lost,
        WriteVerdict::MobileHeld { holder: Some("e0008".to_owned()), maybe_ours: true },
        WriteVerdict::Lost,
    ];
    assert_eq!(verdicts(&answers), expected);
    let doubts: Vec<_> = answers.iter().map(|answer| answer.in_doubt).collect();
    assert_eq!(doubts, [false, false, false, false, false, false, true, false, true]);
    let codes: Vec<_> = answers.iter().map(|answer| answer.attempts[0].errcode).collect();
    let zero_to_seven = [60102, 60104, 60103, 987_654, 0, 45035, -1, 60104].map(Some);
    assert_eq!((&codes[..8], codes[8]), (zero_to_seven.as_slice(), None));
    assert_eq!(answers[1].attempts[0].errmsg, "mobile existed:E0099");
}

#[tokio::test(start_paused = true)]
async fn a_row_without_a_code_or_with_two_is_in_doubt() {
    let rows =
        json!([{ "userid": "E0001" }, row("E0002", 0, ""), row("e0002", 60103, "bad"), row("E0003", 0, "")]);
    let answers = written(&service(rows), &creates(3)).await;
    assert_eq!(verdicts(&answers), [WriteVerdict::Lost, WriteVerdict::Lost, DONE]);
    for result in [json!([]), json!(null), json!("x")] {
        let answer = same(written(&service(result), &creates(2)).await);
        assert_eq!((answer.verdict, answer.in_doubt), (WriteVerdict::Lost, true));
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_refused_for_a_cell_it_does_not_change_goes_singly() {
    let script = service(json!([
        row("E0001", 60104, "mobile existed:E0099"),
        row("E0002", 301_012, "position"),
        row("E0003", 40058, "too long"),
        row("E0004", 60111, "userid not found"),
        row("E0005", 0, ""),
    ]));
    let answers = written(&script, &updates()).await;
    let expected = [
        WriteVerdict::Busy { errcode: Some(60104) },
        WriteVerdict::Rejected { errcode: 301_012, errmsg: "position".to_owned() },
        WriteVerdict::Busy { errcode: Some(40058) },
        WriteVerdict::NotFound,
        DONE,
    ];
    assert_eq!(verdicts(&answers), expected);
}

#[tokio::test(start_paused = true)]
async fn a_row_that_no_write_can_pass_stops_the_client() {
    let script = service(json!([row("E0001", 0, ""), row("E0002", 60020, "not from this address")]));
    let client = client(&script);
    let answers = client.write_csv_file(&creates(2), async |_| ()).await;
    assert_eq!(answers[0].verdict, DONE);
    let WriteVerdict::Stopped(error) = &answers[1].verdict else { panic!("{answers:?}") };
    assert_eq!((error.code().as_str(), answers[1].in_doubt), ("wecom.60020", false));
    let later = same(client.write_csv_file(&creates(2), async |_| ()).await);
    assert_eq!((&later.verdict, later.attempts.len()), (&WriteVerdict::Stopped(error.clone()), 0));
    assert_eq!(script.seen("media/upload").len(), 1);
}

/// Missing rights to one member or a missing place concern that row alone, and a single call would fare no better.
#[tokio::test(start_paused = true)]
async fn a_row_out_of_reach_and_one_without_a_place_are_those_rows_alone() {
    let full = || WriteVerdict::NoPlace { errcode: 45024, errmsg: "over the limit".to_owned() };
    let rows = json!([row("E0001", 0, ""), row("E0002", 45024, "over the limit")]);
    let client = client(&service(rows));
    assert_eq!(verdicts(&client.write_csv_file(&creates(2), async |_| ()).await), [DONE, full()]);
    let rows = json!([
        row("E0001", 0, ""),
        row("E0002", 60011, "no privilege"),
        row("E0003", 987_654, "what"),
        row("E0004", 0, ""),
        row("E0005", 0, ""),
    ]);
    let answers = written(&service(rows), &updates()).await;
    let of_reach = unsure("batch/syncuser", "E0002", 60011, "no privilege");
    // The unknown code may concern a cell that was only repeated.
    assert_eq!(
        verdicts(&answers),
        [DONE, of_reach, WriteVerdict::Busy { errcode: Some(987_654) }, DONE, DONE]
    );
}

/// The file does not name a member: single calls find out which one is rejected.
#[tokio::test(start_paused = true)]
async fn a_file_that_is_refused_for_want_of_a_right_or_a_place_leaves_its_rows_to_single_calls() {
    for errcode in [60011, 45024] {
        for step in ["media/upload", "batch/syncuser"] {
            let script = service(json!([])).on(step, [code(errcode, "no")]);
            let answer = same(written(&script, &creates(2)).await);
            assert_eq!(
                (answer.verdict, answer.in_doubt),
                (WriteVerdict::Busy { errcode: Some(errcode) }, false)
            );
        }
        let script = service(json!([])).on("batch/getresult", [code(errcode, "no")]);
        let answer = same(written(&script, &creates(2)).await);
        assert_eq!((answer.verdict, answer.in_doubt), (WriteVerdict::Lost, true));
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_stops_at_every_step_and_is_in_doubt_after_the_submission() {
    for (step, in_doubt) in [("media/upload", false), ("batch/syncuser", false), ("batch/getresult", true)] {
        let script = service(json!([])).on(step, [code(48002, "api forbidden")]);
        let client = client(&script);
        let answer = same(client.write_csv_file(&creates(2), async |_| ()).await);
        let WriteVerdict::Stopped(error) = answer.verdict else { panic!("{step}: {answer:?}") };
        assert_eq!((error.code().as_str(), error.class()), ("wecom.48002", ErrcodeClass::Configuration));
        assert_eq!((answer.in_doubt, answer.attempts[0].errcode), (in_doubt, Some(48002)), "{step}");
        let userid = userid("E0009");
        let later = client.write(MemberWrite::Delete { userid: &userid }).await;
        assert_eq!(later.verdict, WriteVerdict::Stopped(error.clone()));
        assert!(error.explain().en.contains("2 WeCom members as one file"), "{:?}", error.explain());
    }
    let script = service(json!([])).on("gettoken", [code(40013, "bad corpid")]);
    assert!(matches!(same(written(&script, &creates(2)).await).verdict, WriteVerdict::Stopped(_)));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_not_taken_is_not_written() {
    let throttled = vec![code(45009, "freq"); 4];
    for (step, answers, errcode) in [
        ("media/upload", vec![code(40006, "invalid size")], Some(40006)),
        ("media/upload", vec![CannedWecomReply::Json(json!({ "errcode": 0 }))], None),
        ("media/upload", vec![CannedWecomReply::Lost; 4], None),
        ("media/upload", vec![code(-1, "busy"); 4], Some(-1)),
        ("media/upload", throttled.clone(), Some(45009)),
        ("batch/syncuser", vec![code(40092, "bad file")], Some(40092)),
        ("batch/syncuser", vec![code(987_654, "what")], Some(987_654)),
        ("batch/syncuser", vec![code(45033, "crowded"); 21], Some(45033)),
        ("batch/syncuser", vec![CannedWecomReply::NotSent; 4], None),
        ("batch/syncuser", throttled, Some(45009)),
        ("batch/getresult", vec![code(40092, "bad file")], Some(40092)),
    ] {
        let script = service(json!([row("E0001", 0, ""), row("E0002", 0, "")])).on(step, answers);
        let answer = same(written(&script, &creates(2)).await);
        assert_eq!(
            (answer.verdict, answer.in_doubt),
            (WriteVerdict::Busy { errcode }, false),
            "{step} {errcode:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_submission_or_result_leaves_every_row_in_doubt() {
    let no_job = CannedWecomReply::Json(json!({ "errcode": 0, "errmsg": "ok" }));
    for (step, answers) in [
        ("batch/syncuser", vec![CannedWecomReply::Lost; 4]),
        ("batch/syncuser", vec![code(-1, "busy"); 4]),
        ("batch/syncuser", vec![CannedWecomReply::Lost, code(40092, "bad file")]),
        (
            "batch/syncuser",
            vec![
                CannedWecomReply::Lost,
                CannedWecomReply::NotSent,
                CannedWecomReply::NotSent,
                CannedWecomReply::NotSent,
            ],
        ),
        ("batch/syncuser", vec![no_job]),
        ("batch/syncuser", vec![code(0, "ok. Warning: wrong json format. ")]),
        ("batch/getresult", vec![code(40088, "no such job")]),
        ("batch/getresult", vec![code(40089, "purged")]),
        ("batch/getresult", vec![code(987_654, "what")]),
        ("batch/getresult", vec![code(45009, "freq"); 4]),
    ] {
        for csv_file in [creates(2), updates()] {
            let script = service(json!([])).on(step, answers.clone());
            let answer = same(written(&script, &csv_file).await);
            assert_eq!((&answer.verdict, answer.in_doubt), (&WriteVerdict::Lost, true), "{step}");
            assert_eq!((answer.attempts.len(), answer.attempts[0].api), (1, "batch/syncuser"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_the_last_job_could_not_read_may_have_been_read_by_an_earlier_one() {
    let script = service(json!([]))
        .on("batch/syncuser", [CannedWecomReply::Lost, submitted()])
        .on("batch/getresult", [code(40092, "bad file")]);
    let answer = same(written(&script, &creates(2)).await);
    assert_eq!((answer.verdict, answer.in_doubt), (WriteVerdict::Lost, true));
}

#[tokio::test(start_paused = true)]
async fn a_submission_is_made_again_as_other_writes_are() {
    let script = service(json!([row("E0001", 0, ""), row("E0002", 60102, "exists")])).on(
        "batch/syncuser",
        [code(45033, "crowded"), CannedWecomReply::Lost, code(6000, "v"), code(42001, "old")],
    );
    let answers = written(&script, &creates(2)).await;
    // A member that an earlier submission may have created exists for the last one.
    assert_eq!(verdicts(&answers), [DONE, WriteVerdict::AlreadyExists { maybe_ours: true }]);
    assert_eq!(answers[0].attempts.len(), 1);
    assert_eq!((script.seen("batch/syncuser").len(), script.seen("media/upload").len()), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_gone_is_handed_in_once_more() {
    for errcode in [40007, 40145] {
        let script = service(json!([row("E0001", 0, "")])).on("batch/syncuser", [code(errcode, "gone")]);
        assert_eq!(verdicts(&written(&script, &creates(1)).await), [DONE]);
        assert_eq!(script.seen("media/upload").len(), 2);
        let script = service(json!([])).always("batch/syncuser", code(errcode, "gone"));
        let answer = same(written(&script, &creates(1)).await);
        assert_eq!(answer.verdict, WriteVerdict::Busy { errcode: Some(errcode) });
        assert_eq!(script.seen("media/upload").len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_is_waited_for_a_quarter_of_an_hour() {
    for unfinished in [running(), code(-1, "busy"), CannedWecomReply::Lost] {
        let script = service(json!([])).always("batch/getresult", unfinished);
        let begin = Instant::now();
        let answer = same(written(&script, &creates(2)).await);
        assert_eq!((answer.verdict, answer.in_doubt), (WriteVerdict::Lost, true));
        let (least, most) = (Duration::from_secs(900), Duration::from_secs(910));
        assert!((least..=most).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_row_says_is_kept_without_secrets() {
    let script = service(json!([row("E0001", 60103, &format!("bad {} x\ny, hint: [1]", super::SECRET))]));
    let client: WecomClient = client(&script);
    let answers = client.write_csv_file(&creates(1), async |_| ()).await;
    assert_eq!(answers[0].attempts[0].errmsg, "bad *** x y");
    assert!(!format!("{answers:?} {:?}", creates(1)).contains(super::SECRET));
}
