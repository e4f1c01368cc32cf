//! The body of an answer, read in pieces up to a limit.
//!
//! What a service sends is counted as it is unpacked: a megabyte of gzip holds a gigabyte. JSON is counted a second time,
//! by its values, for an empty object in a list takes hundreds of bytes of memory for its three of text. A body that has
//! too much of either is given up at that place, and what had been read of it is freed.

use reqwest::Response;

use ruzhi_model::Text;

/// The most bytes of an answer that lists something: a page of rows, the members of a corp.
pub const LIST: usize = 16 << 20;
/// The most bytes of an answer that says what became of one thing.
pub const WORD: usize = 1 << 20;
/// The most bytes of what a receiver of alarms answers.
pub const RECEIPT: usize = 64 << 10;

/// The most values, where a list or object counts as [`CONTAINER`] of them. A page of 100 rows with subforms has some
/// 500,000, a list of 10,000 members 1,000,000. Read, so many take 200 MB at most.
const VALUES: usize = 2_000_000;
/// A list or object takes as much memory as so many other values.
const CONTAINER: usize = 8;

/// What a body has too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// More bytes than this, unpacked.
    #[error("more than {} of answer", size(*.0))]
    Bytes(usize),
    /// More values than any answer has.
    #[error("more than {VALUES} values in an answer")]
    Values,
}

impl Excess {
    /// The same for people, as the end of a sentence on the answer.
    pub fn text(self) -> Text {
        match self {
            Self::Bytes(most) => Text::new(
                format!("the answer is larger than {} and was given up there", size(most)),
                format!("应答超过 {}，已中止读取", size(most)),
            ),
            Self::Values => Text::new(
                format!("the answer holds more than {VALUES} values and was given up"),
                format!("应答包含超过 {VALUES} 个值，已放弃解析"),
            ),
        }
    }
}

/// A limit as people write it.
fn size(bytes: usize) -> String {
    match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        mebibytes => format!("{mebibytes} MiB"),
    }
}

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    /// It has too much of something.
    #[error("the answer is too large")]
    TooLarge(#[source] Excess),
    /// It broke off, or took too long.
    #[error("the answer broke off")]
    Broken(#[source] reqwest::Error),
}

/// Reads a body of at most `most` bytes. Never more than that and one piece of it is in memory.
pub async fn read(mut answer: Response, most: usize) -> Result<Vec<u8>, Unread> {
    let too_large = Unread::TooLarge(Excess::Bytes(most));
    let told = answer.content_length().map(usize::try_from);
    if told.is_some_and(|length| length.map_or(true, |length| length > most)) {
        return Err(too_large);
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(Unread::Broken)? {
        if piece.len() > most.saturating_sub(body.len()) {
            return Err(too_large);
        }
        body.extend_from_slice(&piece);
    }
    if values(&body) > VALUES {
        return Err(Unread::TooLarge(Excess::Values));
    }
    Ok(body)
}

/// How many values a text has if it is JSON, at most: what is in strings does not count.
fn values(body: &[u8]) -> usize {
    let (mut found, mut in_string, mut escaped) = (1_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b',' if !in_string => found += 1,
            b'[' | b'{' if !in_string => found += CONTAINER,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests;
