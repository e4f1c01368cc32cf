//! Texts for people, in both languages.

use ruzhi_guest::contract;
use serde::{Deserialize, Serialize};

/// The language a person asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// 简体中文.
    Zh,
}

impl Lang {
    /// The version of a violation's text in this language.
    pub fn of(self, text: &contract::Text) -> &str {
        match self {
            Self::En => &text.en,
            Self::Zh => &text.zh,
        }
    }
}

/// The word for a state, a kind or a field, in both languages; the same one on pages, in files and at a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    en: &'static str,
    zh: &'static str,
}

impl Label {
    /// A word from its two versions.
    pub const fn new(en: &'static str, zh: &'static str) -> Self {
        Self { en, zh }
    }

    /// The word in a language.
    pub fn in_lang(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }
}

impl From<Label> for Text {
    fn from(Label { en, zh }: Label) -> Self {
        Self::new(en, zh)
    }
}

/// One message in both languages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Text {
    /// English.
    pub en: String,
    /// 简体中文.
    pub zh: String,
}

impl Text {
    /// A message from its two versions.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }

    /// The version in `lang`.
    pub fn in_lang(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }

    /// Both versions on one line, Chinese first, for places with room for one text only: a log, a message to a group.
    pub fn both(&self) -> String {
        format!("{} / {}", self.zh, self.en)
    }
}

impl From<Text> for contract::Text {
    fn from(Text { en, zh }: Text) -> Self {
        Self { zh, en }
    }
}

impl From<contract::Text> for Text {
    fn from(contract::Text { zh, en }: contract::Text) -> Self {
        Self { en, zh }
    }
}
