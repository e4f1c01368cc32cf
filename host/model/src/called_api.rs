//! The APIs that a run calls.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::remote_service::RemoteService;

/// The mark of the credential that only reads.
const READER: &str = " (read_secret)";

/// An API that a run called. Its text, such as `wecom user/create`, is the key of the stored counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CalledApi {
    /// The service.
    pub service: RemoteService,
    /// The path of the API.
    pub path: String,
    /// Called with the credential that only reads, `wecom.read_secret`.
    pub is_reader: bool,
}

/// A text that names no API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text names no API of a service")]
pub struct CalledApiError;

impl fmt::Display for CalledApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reader = if self.is_reader { READER } else { "" };
        write!(f, "{} {}{reader}", self.service.as_str(), self.path)
    }
}

impl FromStr for CalledApi {
    type Err = CalledApiError;

    fn from_str(text: &str) -> Result<Self, CalledApiError> {
        let (service, path) = text.split_once(' ').ok_or(CalledApiError)?;
        let service = [RemoteService::Wecom, RemoteService::Jiandaoyun]
            .into_iter()
            .find(|known| known.as_str() == service)
            .ok_or(CalledApiError)?;
        let (path, is_reader) = match path.strip_suffix(READER) {
            Some(path) => (path, true),
            None => (path, false),
        };
        Ok(Self { service, path: path.to_owned(), is_reader })
    }
}

impl TryFrom<String> for CalledApi {
    type Error = CalledApiError;

    fn try_from(text: String) -> Result<Self, CalledApiError> {
        text.parse()
    }
}

impl From<CalledApi> for String {
    fn from(api: CalledApi) -> Self {
        api.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_stored_counts_name_each_api_by_its_text() {
        let stored = r#"{"jiandaoyun data/list":3,"wecom user/get (read_secret)":2,"wecom user/create":1}"#;
        let calls: BTreeMap<CalledApi, u64> = serde_json::from_str(stored).unwrap();
        let reader =
            CalledApi { service: RemoteService::Wecom, path: "user/get".to_owned(), is_reader: true };
        assert_eq!((calls.len(), calls[&reader]), (3, 2));
        let again: BTreeMap<CalledApi, u64> =
            serde_json::from_str(&serde_json::to_string(&calls).unwrap()).unwrap();
        assert_eq!(again, calls);
        assert_eq!("directory user/get".parse::<CalledApi>(), Err(CalledApiError));
        assert_eq!("wecom".parse::<CalledApi>(), Err(CalledApiError));
    }
}
