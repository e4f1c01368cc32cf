//! The sending task. Changes made at once are sent one after another; changes made at different times do not wait for
//! each other.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::CONTENT_TYPE;

use super::{Callback, Content, Letter, Push};
use crate::world::Shared;

/// JianDaoYun's timeout, and its total number of attempts.
const PUSH: (Duration, u32) = (Duration::from_secs(2), 6);
/// The same for WeCom, which repeats only if there was no answer at all.
const CALLBACK: (Duration, u32) = (Duration::from_secs(5), 3);
/// A verification is sent once and waited for a second.
const VERIFICATION: (Duration, u32) = (Duration::from_secs(1), 1);

/// Sends until the future is dropped.
pub(crate) async fn run(world: Arc<Shared>) {
    // An address is on this machine, so no proxy is asked.
    let Ok(client) = reqwest::Client::builder().no_proxy().build() else { return };
    let bell = Arc::clone(&world.lock().outbox.bell);
    loop {
        let waiting = world.lock().outbox.take();
        for batch in waiting {
            tokio::spawn(send(client.clone(), Arc::clone(&world), batch));
        }
        bell.notified().await;
    }
}

async fn send(client: reqwest::Client, world: Arc<Shared>, batch: Vec<Letter>) {
    for letter in batch {
        let mut attempt = 0;
        for _ in 0..=letter.knobs.duplicates {
            deliver(&client, &world, &letter, &mut attempt).await;
        }
        world.change_outbox(|outbox| outbox.ended(letter.number));
    }
}

/// Sends until it is accepted or given up.
async fn deliver(client: &reqwest::Client, world: &Shared, letter: &Letter, attempt: &mut u64) {
    let (patience, most) = match &letter.content {
        Content::Push(_) => PUSH,
        Content::Callback(callback) if callback.is_verification() => VERIFICATION,
        Content::Callback(_) => CALLBACK,
    };
    for _ in 0..most {
        *attempt += 1;
        let nonce = letter.nonce.wrapping_add(*attempt);
        let asked = match &letter.content {
            Content::Push(push) => pushed(client, push, letter, nonce),
            Content::Callback(callback) => called_back(client, callback, letter, nonce),
        };
        let Some(asked) = asked else { return };
        let answered = tokio::time::timeout(patience, answer(asked)).await;
        let (answer, taken, again) = match (&letter.content, answered) {
            (_, Err(_)) => ("timeout".to_owned(), false, true),
            (_, Ok(Err(_))) => ("unreachable".to_owned(), false, true),
            (Content::Push(_), Ok(Ok((status, _)))) => {
                let taken = (200..300).contains(&status);
                (status.to_string(), taken, !taken)
            }
            (Content::Callback(callback), Ok(Ok((status, body)))) => {
                (status.to_string(), callback.is_taken(status, &body), false)
            }
        };
        world.change_outbox(|outbox| outbox.answered(letter, answer, taken));
        if !again {
            return;
        }
    }
}

fn pushed(
    client: &reqwest::Client,
    push: &Push,
    letter: &Letter,
    nonce: u64,
) -> Option<reqwest::RequestBuilder> {
    let posted = push.posted(letter.number, nonce, now_s(), &letter.knobs)?;
    let mut request = client
        .post(posted.url)
        .header(CONTENT_TYPE, "application/json")
        .header("X-JDY-DeliverId", posted.delivery)
        .body(posted.body);
    if let Some(signature) = posted.signature {
        request = request.header("X-JDY-Signature", signature);
    }
    Some(request)
}

fn called_back(
    client: &reqwest::Client,
    callback: &Callback,
    letter: &Letter,
    nonce: u64,
) -> Option<reqwest::RequestBuilder> {
    let called = callback.called(nonce, now_s(), &letter.knobs)?;
    Some(match called.body {
        Some(body) => client.post(called.url).header(CONTENT_TYPE, "text/xml").body(body),
        None => client.get(called.url),
    })
}

async fn answer(request: reqwest::RequestBuilder) -> reqwest::Result<(u16, Vec<u8>)> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    Ok((status, response.bytes().await?.to_vec()))
}

/// The receiver has a clock of its own, so this is the machine's time and not the simulator's.
fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}
