//! A page as its tests read it: by CSS selector.

use scraper::{ElementRef, Html, Selector};

/// A parsed page, or a part of one.
pub(crate) struct Dom(Html);

impl Dom {
    pub(crate) fn of(html: &str) -> Self {
        Self(Html::parse_document(html))
    }

    /// The elements that match, in their order.
    pub(crate) fn select(&self, css: &str) -> Vec<ElementRef<'_>> {
        select(self.0.root_element(), css)
    }

    /// True if an element matches.
    pub(crate) fn has(&self, css: &str) -> bool {
        !self.select(css).is_empty()
    }

    /// An attribute of each element that matches.
    pub(crate) fn attributes(&self, css: &str, name: &str) -> Vec<&str> {
        self.select(css).into_iter().map(|element| element.attr(name).unwrap_or_default()).collect()
    }

    /// The text of each element that matches.
    pub(crate) fn texts(&self, css: &str) -> Vec<String> {
        self.select(css).into_iter().map(text).collect()
    }
}

/// The elements within another that match.
pub(crate) fn select<'a>(within: ElementRef<'a>, css: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(css).unwrap_or_else(|error| panic!("{css}: {error:?}"));
    within.select(&selector).collect()
}

/// The text in an element, without the spaces around it.
pub(crate) fn text(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().trim().to_owned()
}
