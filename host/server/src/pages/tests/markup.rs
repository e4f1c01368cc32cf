//! A parser for our own HTML, stricter than browsers: every element is closed in its place, every attribute is quoted
//! and written once, and `<`, `>` and `&` occur nowhere else.

/// Elements without an end tag.
const VOID: [&str; 6] = ["meta", "link", "input", "img", "br", "hr"];

/// A child of an element.
#[derive(Debug)]
pub(super) enum Node {
    Element(Element),
    Text(String),
}

/// An element.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Node>,
}

impl Element {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }

    /// This element and every one in it.
    pub(super) fn all(&self) -> Vec<&Element> {
        let mut all = vec![self];
        for child in &self.children {
            if let Node::Element(child) = child {
                all.extend(child.all());
            }
        }
        all
    }

    pub(super) fn named(&self, name: &str) -> Vec<&Element> {
        self.all().into_iter().filter(|element| element.name == name).collect()
    }

    /// The texts in it, without those of elements for which `passes` is true.
    pub(super) fn texts(&self, passes: &dyn Fn(&Element) -> bool) -> Vec<&str> {
        let mut texts = Vec::new();
        for child in &self.children {
            match child {
                Node::Text(text) => texts.push(text.as_str()),
                Node::Element(child) if !passes(child) => texts.extend(child.texts(passes)),
                Node::Element(_) => {}
            }
        }
        texts
    }

    pub(super) fn text(&self) -> String {
        self.texts(&|_| false).concat()
    }
}

/// Parses a document.
pub(super) fn read(html: &str) -> Result<Element, String> {
    let body = html.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    let mut open: Vec<Element> = Vec::new();
    let mut rest = body;
    loop {
        let Some(place) = rest.find('<') else { return Err("the document is not closed".to_owned()) };
        let (text, tag) = rest.split_at(place);
        if !text.is_empty() {
            let parent = open.last_mut().ok_or("text outside of the document")?;
            parent.children.push(Node::Text(unescape(text)?));
        }
        let end = tag_end(tag)?;
        let inner = &tag[1..end];
        rest = &tag[end + 1..];
        if let Some(name) = inner.strip_prefix('/') {
            let element = open.pop().ok_or_else(|| format!("</{name}> closes nothing"))?;
            if element.name != name {
                return Err(format!("</{name}> closes <{}>", element.name));
            }
            match open.last_mut() {
                Some(parent) => parent.children.push(Node::Element(element)),
                None if rest.is_empty() => return Ok(element),
                None => return Err("something behind the document".to_owned()),
            }
            continue;
        }
        let element = element(inner)?;
        if VOID.contains(&element.name.as_str()) {
            let parent = open.last_mut().ok_or("an element outside of the document")?;
            parent.children.push(Node::Element(element));
        } else {
            open.push(element);
        }
    }
}

/// The end of a tag; a quoted `>` does not end it.
fn tag_end(tag: &str) -> Result<usize, String> {
    let mut quoted = false;
    for (at, c) in tag.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '>' if !quoted => return Ok(at),
            _ => {}
        }
    }
    Err(format!("a tag is not closed: {}", tag.chars().take(60).collect::<String>()))
}

fn element(inner: &str) -> Result<Element, String> {
    let (name, mut rest) = inner.split_once(' ').unwrap_or((inner, ""));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(format!("<{name}> is not an element"));
    }
    let mut attributes: Vec<(String, String)> = Vec::new();
    while !rest.is_empty() {
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let (attribute, behind) = rest.split_at(end);
        if attribute.is_empty() || !attribute.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(format!("`{attribute}` is not an attribute of <{name}>"));
        }
        if attributes.iter().any(|(one, _)| one == attribute) {
            return Err(format!("<{name}> has `{attribute}` twice"));
        }
        if let Some(quoted) = behind.strip_prefix("=\"") {
            let end = quoted.find('"').ok_or("an attribute is not closed")?;
            attributes.push((attribute.to_owned(), unescape(&quoted[..end])?));
            rest = &quoted[end + 1..];
        } else if behind.starts_with('=') {
            return Err(format!("`{attribute}` of <{name}> is not quoted"));
        } else {
            attributes.push((attribute.to_owned(), String::new()));
            rest = behind;
        }
        rest = rest.trim_start();
    }
    Ok(Element { name: name.to_owned(), attributes, children: Vec::new() })
}

fn unescape(text: &str) -> Result<String, String> {
    if text.contains(['<', '>']) && text.contains('<') {
        return Err(format!("`<` stands in a text: {text}"));
    }
    let mut plain = String::new();
    let mut rest = text;
    while let Some(place) = rest.find('&') {
        plain.push_str(&rest[..place]);
        let entity = &rest[place..];
        let known = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"')];
        let (name, c) = known
            .into_iter()
            .find(|(name, _)| entity.starts_with(name))
            .ok_or_else(|| format!("`&` stands in a text: {text}"))?;
        plain.push(c);
        rest = &entity[name.len()..];
    }
    plain.push_str(rest);
    Ok(plain)
}
