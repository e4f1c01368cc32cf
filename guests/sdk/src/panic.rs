//! Passes a panic's text to the author of the rules.
//!
//! A component can only trap, and a trap has no text. So a hook writes `TEXT (FILE:LINE:COLUMN)` into a buffer that
//! the host finds in the memory of the instance that trapped: sixteen bytes of [`MARK`] at an address that is a
//! multiple of [`ALIGNMENT`], the length as four bytes, least significant first, the same with every bit inverted,
//! then the text. The mark is not valid UTF-8, so no row or rules file contains it; a guest's own data contain it
//! only in disguise; and a copy of it on the stack is not followed by a valid length.

/// The start of the buffer of a guest that has panicked.
pub const MARK: [u8; 16] = *b"\xff\xfe\xf5ruzhi-panic\xc0\xc1";

/// The alignment of the mark's address.
pub const ALIGNMENT: usize = 16;

/// The most bytes of text.
pub const MOST_BYTES: usize = 1000;

/// Installs the hook. [`export!`](crate::export) does this; call it only if you write the component's exports by
/// hand.
#[cfg(target_arch = "wasm32")]
pub use hook::install;

#[cfg(target_arch = "wasm32")]
mod hook {
    use std::hint::black_box;
    use std::panic::PanicHookInfo;
    use std::sync::Mutex;

    use super::{MARK, MOST_BYTES};

    const DISGUISE: u8 = 0x5a;

    const DISGUISED: [u8; 16] = {
        let mut mark = MARK;
        let mut rest: &mut [u8] = &mut mark;
        while let [first, others @ ..] = rest {
            *first ^= DISGUISE;
            rest = others;
        }
        mark
    };

    #[repr(C, align(16))]
    struct Report {
        mark: [u8; 16],
        length: [u8; 4],
        turned: [u8; 4],
        text: [u8; MOST_BYTES],
    }

    static REPORT: Mutex<Report> =
        Mutex::new(Report { mark: [0; 16], length: [0; 4], turned: [0; 4], text: [0; MOST_BYTES] });

    /// Installs the hook for the lifetime of the instance.
    pub fn install() {
        std::panic::set_hook(Box::new(write));
    }

    fn write(info: &PanicHookInfo<'_>) {
        let payload = info.payload();
        let text = match payload.downcast_ref::<&str>() {
            Some(text) => *text,
            None => payload.downcast_ref::<String>().map_or("panic", String::as_str),
        };
        let Ok(mut report) = REPORT.try_lock() else { return };
        let mut room: &mut [u8] = &mut report.text;
        let whole = room.len();
        // The location matters most to the author, so a long text leaves room for it.
        let place = info.location();
        let kept = text.floor_char_boundary(text.len().min(MOST_BYTES - 200));
        put(&mut room, text.get(..kept).unwrap_or_default());
        if let Some(place) = place {
            put(&mut room, " (");
            put(&mut room, place.file());
            for number in [place.line(), place.column()] {
                put(&mut room, ":");
                put_number(&mut room, number);
            }
            put(&mut room, ")");
        }
        let length = (whole - room.len()) as u32;
        report.length = length.to_le_bytes();
        report.turned = (!length).to_le_bytes();
        // Opaque to the compiler, which would otherwise store the plain mark as data.
        let disguise = black_box(DISGUISE);
        for (to, from) in report.mark.iter_mut().zip(DISGUISED) {
            *to = from ^ disguise;
        }
        // No code in the guest reads it, so the compiler would omit the write.
        black_box(&*report);
    }

    fn put(room: &mut &mut [u8], text: &str) {
        let length = text.len().min(room.len());
        let (written, rest) = std::mem::take(room).split_at_mut(length);
        for (to, from) in written.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        *room = rest;
    }

    fn put_number(room: &mut &mut [u8], number: u32) {
        if number > 9 {
            put_number(room, number / 10);
        }
        put(
            room,
            "0123456789".get(number as usize % 10..).and_then(|digits| digits.get(..1)).unwrap_or_default(),
        );
    }
}
