//! Columns to values and back. A value that does not parse is reported as a damaged store.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::{ColumnIndex, Decode, Row as _, Type};

use crate::StoreError;
use crate::database::Db;

pub(crate) type DbRow = <Db as sqlx::Database>::Row;

/// One row being read, with the name of its kind for errors.
pub(crate) struct RowReader<'r> {
    pub(crate) row: &'r DbRow,
    pub(crate) what: &'static str,
}

impl<'r> RowReader<'r> {
    /// A column as the database gives it.
    pub(crate) fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: Decode<'r, Db> + Type<Db>,
        &'static str: ColumnIndex<DbRow>,
    {
        self.row.try_get(column).map_err(StoreError::read(self.what))
    }

    /// A column that parses into an id.
    pub(crate) fn id<T: FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        let text: String = self.get(column)?;
        text.parse().map_err(|_| self.damaged(&text))
    }

    /// A column that is empty or parses into an id.
    pub(crate) fn optional_id<T: FromStr>(&self, column: &'static str) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| text.parse().map_err(|_| self.damaged(&text))).transpose()
    }

    /// A column of ids separated by spaces; it may be empty.
    pub(crate) fn ids<T: FromStr>(&self, column: &'static str) -> Result<Vec<T>, StoreError> {
        let text: Option<String> = self.get(column)?;
        let text = text.unwrap_or_default();
        text.split_whitespace().map(|id| id.parse().map_err(|_| self.damaged(&text))).collect()
    }

    /// A column of JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text).map_err(|_| self.damaged(&text))
    }

    /// A column that is empty or JSON.
    pub(crate) fn optional_json<T: DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| serde_json::from_str(&text).map_err(|_| self.damaged(&text))).transpose()
    }

    /// A column with the name of an enum's variant.
    pub(crate) fn word<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, StoreError> {
        let text: String = self.get(column)?;
        serde_json::from_value(serde_json::Value::String(text.clone())).map_err(|_| self.damaged(&text))
    }

    /// A column that is empty or has the name of an enum's variant.
    pub(crate) fn optional_word<T: DeserializeOwned>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.get(column)?;
        let word = |text: String| {
            serde_json::from_value(serde_json::Value::String(text.clone())).map_err(|_| self.damaged(&text))
        };
        text.map(word).transpose()
    }

    /// A moment.
    pub(crate) fn moment(&self, column: &'static str) -> Result<DateTime<Utc>, StoreError> {
        let at: i64 = self.get(column)?;
        DateTime::from_timestamp_millis(at).ok_or_else(|| self.damaged(&at.to_string()))
    }

    /// A column that is empty or a moment.
    pub(crate) fn optional_moment(&self, column: &'static str) -> Result<Option<DateTime<Utc>>, StoreError> {
        let at: Option<i64> = self.get(column)?;
        at.map(|at| DateTime::from_timestamp_millis(at).ok_or_else(|| self.damaged(&at.to_string())))
            .transpose()
    }

    /// A count.
    pub(crate) fn count(&self, column: &'static str) -> Result<u64, StoreError> {
        let count: i64 = self.get(column)?;
        u64::try_from(count).map_err(|_| self.damaged(&count.to_string()))
    }

    fn damaged(&self, text: &str) -> StoreError {
        StoreError::Value { what: self.what, value: text.chars().take(60).collect() }
    }
}

/// Plain data as JSON text; our own types always serialize.
pub(crate) fn json_text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The name a variant is stored under.
pub(crate) fn word_of<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A place in a plan as the database's integer type.
pub(crate) fn number(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}
