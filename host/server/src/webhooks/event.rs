//! WeCom's XML: a root element that contains elements with text.
//!
//! Only direct children of the root are read. A document type is rejected and no entity is looked up, so nothing in a
//! body can expand.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event as Xml;

use super::outcome::IdleReason;

/// Maximum depth of elements; WeCom sends nothing deeper.
const DEEPEST: usize = 32;

/// XML that is not of WeCom's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the XML is not what WeCom sends")]
pub(super) struct XmlError;

/// The texts of the root's direct children, by element name; the first of several with one name.
pub(super) fn texts(xml: &[u8]) -> Result<BTreeMap<String, String>, XmlError> {
    let xml = std::str::from_utf8(xml).map_err(|_| XmlError)?;
    let mut reader = Reader::from_str(xml);
    let mut texts = BTreeMap::new();
    let (mut depth, mut rooted) = (0_usize, false);
    let mut open: Option<(String, String)> = None;
    loop {
        let piece = match reader.read_event().map_err(|_| XmlError)? {
            Xml::Start(start) => {
                if depth == 0 && rooted || depth >= DEEPEST || start.name().as_ref().is_empty() {
                    return Err(XmlError);
                }
                (depth, rooted) = (depth + 1, true);
                if depth == 2 {
                    open = Some((text(start.name().as_ref())?.to_owned(), String::new()));
                }
                continue;
            }
            Xml::End(_) => {
                depth = depth.checked_sub(1).ok_or(XmlError)?;
                if depth == 1
                    && let Some((name, text)) = open.take()
                {
                    texts.entry(name).or_insert(text);
                }
                continue;
            }
            Xml::Text(content) => text(&content)?.to_owned(),
            Xml::CData(content) => text(&content)?.to_owned(),
            Xml::GeneralRef(reference) => character(&reference).ok_or(XmlError)?.to_string(),
            Xml::DocType(_) => return Err(XmlError),
            Xml::Eof if depth == 0 && rooted => return Ok(texts),
            Xml::Eof => return Err(XmlError),
            Xml::Empty(_) | Xml::Comment(_) | Xml::Decl(_) | Xml::PI(_) => continue,
        };
        if depth == 2
            && let Some((_, whole)) = &mut open
        {
            whole.push_str(&piece);
        }
    }
}

/// A piece of the XML, which is valid UTF-8 as a whole.
fn text(bytes: &[u8]) -> Result<&str, XmlError> {
    std::str::from_utf8(bytes).map_err(|_| XmlError)
}

/// The character of a reference: one of the five predefined in XML, or a number.
fn character(reference: &quick_xml::events::BytesRef<'_>) -> Option<char> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character);
    }
    match &**reference {
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"amp" => Some('&'),
        b"apos" => Some('\''),
        b"quot" => Some('"'),
        _ => None,
    }
}

/// An event, reduced to the relevant part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallbackEvent {
    /// A member or a department was changed. The texts distinguish events: an event has no id of its own.
    Contact(Vec<String>),
    /// Something else.
    Other(IdleReason),
}

impl CallbackEvent {
    /// Reads a decrypted event.
    pub(super) fn read(xml: &[u8]) -> Result<Self, XmlError> {
        let texts = texts(xml)?;
        let text = |name: &str| texts.get(name).map(|text| text.trim()).unwrap_or_default();
        let contact = text("Event") == "change_contact"
            && matches!(
                text("ChangeType"),
                "create_user"
                    | "update_user"
                    | "delete_user"
                    | "create_party"
                    | "update_party"
                    | "delete_party"
            );
        if !contact {
            return Ok(Self::Other(IdleReason::OtherEvent));
        }
        let names = ["FromUserName", "CreateTime", "ChangeType", "UserID", "Id"];
        Ok(Self::Contact(names.map(|name| text(name).to_owned()).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(inner: &str) -> Result<CallbackEvent, XmlError> {
        CallbackEvent::read(
            format!(
                "<xml><ToUserName><![CDATA[ww1]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
                 <CreateTime>1403610513</CreateTime><MsgType><![CDATA[event]]></MsgType>{inner}</xml>"
            )
            .as_bytes(),
        )
    }

    #[test]
    fn texts_of_the_root_are_read_in_either_writing() {
        let xml = "<?xml version=\"1.0\"?>\n<xml>\n<A><![CDATA[a]]></A><B> b&amp;&#24352;<![CDATA[<c>]]></B><!-- no -->\
                   <C/><D><E>deep</E>d</D><A>second</A>\n</xml>\n";
        let texts = texts(xml.as_bytes()).unwrap();
        let expected = [("A", "a"), ("B", " b&张<c>"), ("D", "d")];
        assert_eq!(texts.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_can_grow_or_is_broken_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
        for xml in [
            "",
            "text",
            "<xml>",
            "<xml><A>a</B></xml>",
            "<xml><>a</></xml>",
            "<><A>a</A></>",
            "<xml></xml><xml></xml>",
            "</xml>",
            "<xml><A>&own;</A></xml>",
            "<!DOCTYPE xml [<!ENTITY own \"x\">]><xml><A>&own;</A></xml>",
            "<!DOCTYPE xml SYSTEM \"file:///etc/passwd\"><xml/>",
            "<xml><A><![CDATA[a</A></xml>",
            deep.as_str(),
        ] {
            assert_eq!(texts(xml.as_bytes()), Err(XmlError), "{xml}");
        }
        assert_eq!(texts(b"<xml>\xff</xml>"), Err(XmlError));
    }

    #[test]
    fn changes_of_members_and_departments_are_told_apart() {
        let change = |kind: &str, of: &str| {
            event(&format!("<Event>change_contact</Event><ChangeType>{kind}</ChangeType>{of}"))
        };
        for (kind, of, user, party) in [
            ("create_user", "<UserID><![CDATA[E1]]></UserID><Department>1,2</Department>", "E1", ""),
            ("update_user", "<UserID>E1</UserID><NewUserID>E2</NewUserID>", "E1", ""),
            ("delete_user", "<UserID>E1</UserID>", "E1", ""),
            ("create_party", "<Id>7</Id><ParentId>1</ParentId>", "", "7"),
            ("update_party", "<Id>7</Id>", "", "7"),
            ("delete_party", "<Id>7</Id>", "", "7"),
        ] {
            let names = ["sys", "1403610513", kind, user, party].map(str::to_owned);
            assert_eq!(change(kind, of), Ok(CallbackEvent::Contact(names.into())), "{kind}");
        }
        let other = Ok(CallbackEvent::Other(IdleReason::OtherEvent));
        assert_eq!(change("update_tag", "<TagId>1</TagId>"), other);
        let job = "<Event>batch_job_result</Event><BatchJob><JobId>j</JobId></BatchJob>";
        assert_eq!(event(job), other);
        assert_eq!(event("<Content>hello</Content>"), other);
        assert_eq!(CallbackEvent::read(b"<xml>"), Err(XmlError));
    }
}
