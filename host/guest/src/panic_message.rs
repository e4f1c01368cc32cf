//! Recovers the panic message of a trapped guest from its linear memory.
//!
//! A panic in a Rust guest is a bare `unreachable`: its message is lost at the boundary. The SDK's hook first writes
//! message and location into a buffer in the guest's memory, behind a marker (`ruzhi_guest::panic`). wasmtime keeps
//! the memories of a trapped instance, and the marker is searched there. The message comes from the guest, so it is
//! cut to a maximum length and stripped of control characters.

use ruzhi_guest::panic::{ALIGNMENT, MARK, MOST_BYTES};
use wasmtime::{AsContext as _, Store, Trap, WasmCoreDump};

use super::limits::Budget;
use ruzhi_message::sanitize;

/// wasmtime's message of an error, without the attached memory dump.
pub(super) fn of(error: &wasmtime::Error) -> String {
    match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None if error.is::<WasmCoreDump>() => error.root_cause().to_string(),
        None => format!("{error:#}"),
    }
}

/// The message a panicking guest left in its memory.
pub(super) fn left(error: &wasmtime::Error, store: &Store<Budget>) -> Option<String> {
    let dump = error.downcast_ref::<WasmCoreDump>()?;
    dump.memories().iter().find_map(|memory| read(memory.data(store.as_context())))
}

fn read(memory: &[u8]) -> Option<String> {
    let marks = memory.chunks_exact(ALIGNMENT).enumerate().filter(|(_, chunk)| *chunk == MARK);
    marks.filter_map(|(place, _)| memory.get(place * ALIGNMENT + MARK.len()..)).find_map(behind_mark)
}

fn behind_mark(rest: &[u8]) -> Option<String> {
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (turned, text) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    if u32::from_le_bytes(*turned) != !length {
        return None;
    }
    let length = usize::try_from(length).ok().filter(|length| *length <= MOST_BYTES)?;
    Some(sanitize::line(&String::from_utf8_lossy(text.get(..length)?), MOST_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(before: usize, length: u32, turned: u32, text: &[u8]) -> Vec<u8> {
        [&vec![7; before][..], &MARK, &length.to_le_bytes(), &turned.to_le_bytes(), text].concat()
    }

    #[test]
    fn the_words_behind_the_mark_are_read_and_no_more() {
        assert_eq!(read(&memory(32, 2, !2, b"no more")).as_deref(), Some("no"));
        assert_eq!(read(&memory(0, 3, !3, b"a\x1bb")).as_deref(), Some("a b"));
        let behind_a_copy =
            [memory(0, 5, 5, b"copy, of it yet."), vec![0; 8], memory(0, 4, !4, b"this")].concat();
        assert_eq!(behind_a_copy.len() % ALIGNMENT, 12);
        assert_eq!(read(&behind_a_copy).as_deref(), Some("this"));
    }

    #[test]
    fn a_length_that_lies_reads_nothing_outside() {
        for length in [u32::MAX, 1_001, 6] {
            assert_eq!(read(&memory(0, length, !length, b"short")), None);
        }
        assert_eq!(read(&memory(0, u32::MAX, 0, &[b'a'; 5000])), None);
        assert_eq!(read(&memory(8, 1, !1, b"a")), None);
        assert_eq!(read(b""), None);
        assert_eq!(read(&MARK), None);
    }
}
