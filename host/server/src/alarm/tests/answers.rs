//! The answers of receivers.

use secrecy::SecretString;

use crate::alarm::address::Taker;
use crate::alarm::delivery::{Http, Transport as _, Verdict, judge};
use ruzhi_http::rate::loopback::{ENDLESS, Loopback, bomb, json};

async fn verdict(taker: Taker, answer: Vec<u8>) -> Verdict {
    let receiver = Loopback::serve(move |_| Some(answer.clone())).await;
    let answer = Http::new().post(&SecretString::from(receiver.url()), b"{}".to_vec()).await;
    judge(taker, answer)
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let too_large = Verdict::Later("the answer is larger than 64 KiB and was given up there".to_owned());
    for answer in [bomb(), ENDLESS.to_vec()] {
        assert_eq!(verdict(Taker::Robot, answer.clone()).await, too_large);
        // It says that it took the message; another would repeat the same alarm.
        assert_eq!(verdict(Taker::Url, answer).await, Verdict::Taken);
    }
    assert_eq!(verdict(Taker::Robot, json(200, r#"{"errcode":0}"#)).await, Verdict::Taken);
}
