//! Detection of errors caused by too many open files.
//!
//! At the limit, the next operation that opens a file fails: a connection, a certificate, a name lookup. Its message
//! blames the address or the settings, which are correct.

use std::error::Error;
use std::io;

use ruzhi_model::Text;

/// The code of a failure caused by too many open files.
pub const CODE: &str = "process.open_files";

/// True if an error or one of its causes is due to too many open files. If a library hides the system's error,
/// opening a file that always exists is tried.
pub fn are_too_many(error: &(dyn Error + 'static)) -> bool {
    is_behind(error) || io_says_so(std::fs::File::open("/dev/null").err().as_ref())
}

/// The advice to a person.
pub fn advice() -> Text {
    Text::new(
        "too many open files: this process may open no more. Raise LimitNOFILE of the service, or `ulimit -n`; the settings are not to blame",
        "打开的文件过多：本进程已无法再打开文件。请调高服务的 LimitNOFILE 或 `ulimit -n`；与配置内容无关",
    )
}

fn is_behind(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let io = error.downcast_ref::<io::Error>();
        // The inner error of an I/O error is not its source.
        if io_says_so(io) || io.and_then(io::Error::get_ref).is_some_and(|inner| is_behind(inner)) {
            return true;
        }
        next = error.source();
    }
    false
}

fn io_says_so(error: Option<&io::Error>) -> bool {
    matches!(error.and_then(io::Error::raw_os_error), Some(libc::EMFILE | libc::ENFILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot connect")]
    struct OuterError(#[source] io::Error);

    #[test]
    fn too_many_are_seen_behind_other_errors_and_other_errors_are_others() {
        for code in [libc::EMFILE, libc::ENFILE] {
            let error = || io::Error::from_raw_os_error(code);
            assert!(are_too_many(&error()));
            assert!(are_too_many(&OuterError(error())));
            assert!(are_too_many(&OuterError(io::Error::other(OuterError(io::Error::other(error()))))));
        }
        for code in [libc::ECONNREFUSED, libc::ENOENT] {
            assert!(!are_too_many(&OuterError(io::Error::from_raw_os_error(code))));
        }
        assert!(!are_too_many(&OuterError(io::Error::other("dns error"))));
    }
}
