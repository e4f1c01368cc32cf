//! The body of an answer, read in pieces up to a limit.
//!
//! Bytes are counted as they are unpacked: a megabyte of gzip can hold a gigabyte. JSON is also limited by its number
//! of values, for an empty object in a list takes hundreds of bytes of memory for three of text. Reading stops at
//! either limit, and the bytes read so far are freed.

use reqwest::Response;

use ruzhi_model::Text;

/// Maximum size of an answer that lists something: a page of rows, the members of a corp.
pub const LIST: usize = 16 << 20;
/// Maximum size of an answer about one thing.
pub const WORD: usize = 1 << 20;
/// Maximum size of the answer of an alert receiver.
pub const RECEIPT: usize = 64 << 10;

/// Maximum number of values, with a list or object counting as [`CONTAINER`]. A page of 100 rows with subforms has
/// some 500,000, a list of 10,000 members 1,000,000. Parsed, this many take 200 MB at most.
const VALUES: usize = 2_000_000;
/// A list or object takes as much memory as this many other values.
const CONTAINER: usize = 8;

/// The exceeded limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// More bytes than this, unpacked.
    #[error("more than {} of answer", size(*.0))]
    Bytes(usize),
    /// Too many values.
    #[error("more than {VALUES} values in an answer")]
    Values,
}

impl Excess {
    /// The same for people, as the end of a sentence about the answer.
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

/// A limit in displayed form.
fn size(bytes: usize) -> String {
    match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        mebibytes => format!("{mebibytes} MiB"),
    }
}

/// The reason a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It exceeds a limit.
    #[error("the answer is too large")]
    TooLarge(#[source] Excess),
    /// It broke off, or took too long.
    #[error("the answer broke off")]
    Broken(#[source] reqwest::Error),
}

/// Reads a body of at most `most` bytes. At most that and one chunk of it are in memory.
pub async fn read(mut answer: Response, most: usize) -> Result<Vec<u8>, BodyError> {
    let too_large = BodyError::TooLarge(Excess::Bytes(most));
    let told = answer.content_length().map(usize::try_from);
    if told.is_some_and(|length| length.map_or(true, |length| length > most)) {
        return Err(too_large);
    }
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(BodyError::Broken)? {
        if piece.len() > most.saturating_sub(body.len()) {
            return Err(too_large);
        }
        body.extend_from_slice(&piece);
    }
    if values(&body) > VALUES {
        return Err(BodyError::TooLarge(Excess::Values));
    }
    Ok(body)
}

/// Maximum number of values of a JSON text: the contents of strings do not count.
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
