//! What an import has to tell: what was done with the metadata, and what is left for a person.

use super::error::Place;
use super::find::Document;
use crate::model::Text;

/// Notes in the order they were made. What recurs is one note with its number.
#[derive(Debug, Default)]
pub(super) struct Notes {
    list: Vec<Note>,
    left: Vec<Text>,
}

#[derive(Debug)]
struct Note {
    key: String,
    place: Option<Place>,
    text: Text,
    count: usize,
}

impl Notes {
    /// A note of the whole import.
    pub(super) fn add(&mut self, en: impl Into<String>, zh: impl Into<String>) {
        let text = Text::new(en, zh);
        self.list.push(Note { key: String::new(), place: None, text, count: 1 });
    }

    /// A note of a place. Another of the same words counts it up.
    pub(super) fn at(
        &mut self,
        document: &Document<'_>,
        at: usize,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) {
        let text = Text::new(en, zh);
        match self.list.iter_mut().find(|note| note.place.is_some() && note.key == text.en) {
            Some(note) => note.count += 1,
            None => {
                self.list.push(Note { key: text.en.clone(), place: Some(document.place(at)), text, count: 1 })
            }
        }
    }

    /// What a person still has to do.
    pub(super) fn left(&mut self, en: impl Into<String>, zh: impl Into<String>) {
        self.left.push(Text::new(en, zh));
    }

    /// The notes, and what is left.
    pub(super) fn finish(self) -> (Vec<Text>, Vec<Text>) {
        let told = |note: Note| {
            let (en_times, zh_times) = match note.count {
                1 => (String::new(), String::new()),
                count => (format!(" ({count} times)"), format!("（共 {count} 处）")),
            };
            let (en_place, zh_place) = match note.place {
                Some(place) => (format!("{place}: "), format!("{place}：")),
                None => (String::new(), String::new()),
            };
            Text::new(
                format!("{en_place}{}{en_times}", note.text.en),
                format!("{zh_place}{}{zh_times}", note.text.zh),
            )
        };
        (self.list.into_iter().map(told).collect(), self.left)
    }
}
