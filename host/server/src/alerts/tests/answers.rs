//! The answers of receivers.

use secrecy::SecretString;

use crate::alerts::address::ReceiverKind;
use crate::alerts::delivery::{AlertHttp, AlertTransport as _, PostOutcome, classify};
use ruzhi_http::rate::loopback::{ENDLESS, Loopback, bomb, json};

async fn verdict(taker: ReceiverKind, answer: Vec<u8>) -> PostOutcome {
    let receiver = Loopback::serve(move |_| Some(answer.clone())).await;
    let answer = AlertHttp::new().post(&SecretString::from(receiver.url()), b"{}".to_vec()).await;
    classify(taker, answer)
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let too_large = PostOutcome::Later("the answer is larger than 64 KiB and was given up there".to_owned());
    for answer in [bomb(), ENDLESS.to_vec()] {
        assert_eq!(verdict(ReceiverKind::Robot, answer.clone()).await, too_large);
        // It says that it took the message; another would repeat the same alert.
        assert_eq!(verdict(ReceiverKind::Url, answer).await, PostOutcome::Taken);
    }
    assert_eq!(verdict(ReceiverKind::Robot, json(200, r#"{"errcode":0}"#)).await, PostOutcome::Taken);
}
