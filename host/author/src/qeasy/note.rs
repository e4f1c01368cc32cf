//! Notes of an import: the treatment of the metadata, and the steps left to a person.

use super::document::Document;
use super::error::SourcePlace;
use ruzhi_model::Text;

/// Maximum number of different notes and steps: more would not be read, and each costs a comparison of its text.
const MOST: usize = 500;

/// Notes in the order they were made. Repeated notes are merged and counted.
#[derive(Debug, Default)]
pub(super) struct Notes {
    list: Vec<Note>,
    left: Vec<Text>,
    untold: usize,
}

#[derive(Debug)]
struct Note {
    place: Option<SourcePlace>,
    text: Text,
    count: usize,
}

impl Notes {
    /// A note on the whole import.
    pub(super) fn add(&mut self, en: impl Into<String>, zh: impl Into<String>) {
        let text = Text::new(en, zh);
        self.list.push(Note { place: None, text, count: 1 });
    }

    /// A note on a place. Another with the same text increments its count.
    pub(super) fn at(
        &mut self,
        document: &Document<'_>,
        at: usize,
        en: impl Into<String>,
        zh: impl Into<String>,
    ) {
        let text = Text::new(en, zh);
        let is_full = self.list.len() >= MOST;
        match self.list.iter_mut().find(|note| note.place.is_some() && note.text.en == text.en) {
            Some(note) => note.count += 1,
            None if is_full => self.untold += 1,
            None => self.list.push(Note { place: Some(document.place(at)), text, count: 1 }),
        }
    }

    /// A step left to a person.
    pub(super) fn left(&mut self, en: impl Into<String>, zh: impl Into<String>) {
        if self.left.len() < MOST {
            self.left.push(Text::new(en, zh));
        }
    }

    /// The notes, and the steps left.
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
        let mut list: Vec<Text> = self.list.into_iter().map(told).collect();
        if self.untold > 0 {
            list.push(Text::new(
                format!("{} more of the kind are not listed", self.untold),
                format!("另有 {} 条未列出", self.untold),
            ));
        }
        (list, self.left)
    }
}
