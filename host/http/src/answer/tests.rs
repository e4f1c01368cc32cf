//! Limits on the answers that are read.

use super::*;
use crate::rate::loopback::{ENDLESS, Loopback, bomb, json};

async fn get(answer: Vec<u8>, most: usize) -> Result<Vec<u8>, BodyError> {
    let service = Loopback::serve(move |_| Some(answer.clone())).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    read(client.get(service.url()).send().await.unwrap(), most).await
}

#[tokio::test]
async fn a_body_is_read_up_to_the_limit_and_no_further() {
    let chunked = b"HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n";
    for answer in [json(200, "abcde"), chunked.to_vec()] {
        assert_eq!(get(answer.clone(), 5).await.unwrap(), b"abcde");
        for most in [0, 1, 4] {
            let unread = get(answer.clone(), most).await.unwrap_err();
            assert!(
                matches!(unread, BodyError::TooLarge(Excess::Bytes(found)) if found == most),
                "{unread:?}"
            );
        }
    }
    assert_eq!(get(json(200, ""), 0).await.unwrap(), b"");
}

#[tokio::test]
async fn what_unpacks_to_a_gigabyte_and_what_has_no_end_is_given_up() {
    for answer in [bomb(), ENDLESS.to_vec()] {
        let unread = get(answer, LIST).await.unwrap_err();
        assert!(matches!(unread, BodyError::TooLarge(Excess::Bytes(LIST))), "{unread:?}");
    }
}

#[tokio::test]
async fn a_body_of_more_values_than_any_answer_has_is_no_answer() {
    for piece in ["[],", "{},", "{\"\":0},"] {
        let body = format!("[{}0]", piece.repeat(VALUES / 8));
        assert!(body.len() < LIST);
        let unread = get(json(200, &body), LIST).await.unwrap_err();
        assert!(matches!(unread, BodyError::TooLarge(Excess::Values)), "{unread:?}");
    }
    let text = format!("[\"{}\"]", ",[{\\\"".repeat(1_000_000));
    assert_eq!(values(text.as_bytes()), 1 + CONTAINER, "what a text says is one value");
    assert!(get(json(200, &text), LIST).await.is_ok());
}

#[test]
fn a_limit_is_told_as_people_write_it() {
    let [list, receipt] = [LIST, RECEIPT].map(|most| Excess::Bytes(most).text());
    assert_eq!(list.en, "the answer is larger than 16 MiB and was given up there");
    assert_eq!(receipt.zh, "应答超过 64 KiB，已中止读取");
}
