//! Places: a line and column of the original source.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::module::Module;
use crate::project::SDK;

/// A line and a column, counted from 0.
type Point = (u32, u32);

/// Maps each place of a module's code to its place in the source.
#[derive(Debug, Default)]
pub struct Places {
    mappings: String,
    /// (place in the code, place in the source), by the place in the code.
    points: Vec<(Point, Point)>,
}

impl Places {
    /// The mappings of a source map (ECMA-426), encoded and decoded.
    pub fn new(mappings: String, mut points: Vec<(Point, Point)>) -> Self {
        points.sort();
        Self { mappings, points }
    }

    /// The mappings of a source map.
    pub fn mappings(&self) -> &str {
        &self.mappings
    }

    /// The place in the source of a place in the code.
    pub fn source_of(&self, point: Point) -> Option<Point> {
        let after = self.points.partition_point(|(code, _)| *code <= point);
        self.points.get(after.checked_sub(1)?).map(|(_, source)| *source)
    }
}

/// Maps the engine's error from evaluating the modules back to the source: the message, the line of the project it
/// comes from, and the stack.
pub fn told(said: &str, modules: &BTreeMap<String, Module>) -> String {
    let mut said = said;
    while let Some((_, rest)) = said.split_once(": ").filter(|(stage, _)| stage.starts_with("Failed to ")) {
        said = rest;
    }
    let said = said.strip_prefix("Error: ").unwrap_or(said);
    let is_edge = |c: char| c.is_whitespace() || matches!(c, '(' | ')');
    let mut restored = String::new();
    let mut first = None;
    for word in said.split_inclusive(is_edge) {
        let bare = word.trim_end_matches(is_edge);
        match source_place(bare, modules) {
            Some((path, (line, column))) => {
                first = first.or(Some((path, (line, column))).filter(|(path, _)| !path.starts_with(SDK)));
                restored.push_str(&format!("{path}:{}:{}", line + 1, column + 1));
                restored.push_str(word.get(bare.len()..).unwrap_or_default());
            }
            None => restored.push_str(word),
        }
    }
    let (message, way) = restored.split_once('\n').unwrap_or((&restored, ""));
    let message = match first.and_then(|(path, point)| Some((path, point, modules.get(path)?))) {
        Some((path, point, module)) => {
            framed(path, &module.source, offset_of(&module.source, point), message)
        }
        None => message.to_owned(),
    };
    format!("{message}\n{way}").trim_end().to_owned()
}

fn source_place<'m>(word: &str, modules: &'m BTreeMap<String, Module>) -> Option<(&'m str, Point)> {
    let (rest, column) = word.strip_prefix('/')?.rsplit_once(':')?;
    let (path, line) = rest.rsplit_once(':')?;
    let point = (line.parse::<u32>().ok()?.checked_sub(1)?, column.parse::<u32>().ok()?.checked_sub(1)?);
    let (path, module) = modules.get_key_value(path)?;
    Some((path, module.places.source_of(point)?))
}

/// The offset of a line and column in a source, with columns in UTF-16 as in source maps.
fn offset_of(source: &str, (line, column): Point) -> usize {
    let start: usize = source.split_inclusive('\n').take(line as usize).map(str::len).sum();
    let mut left = column as usize;
    let text = source.get(start..).unwrap_or_default();
    let inside = text.char_indices().find(|(_, c)| {
        let is_there = left == 0;
        left = left.saturating_sub(c.len_utf16());
        is_there
    });
    start + inside.map_or(text.len(), |(at, _)| at)
}

/// A message about a place, with the line it is on.
pub fn framed(path: &str, source: &str, offset: usize, message: &str) -> String {
    let before = source.get(..offset).unwrap_or(source);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    let text = source.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let lead = before.get(start..).unwrap_or_default();
    let column = lead.chars().count() + 1;
    // Tabs are kept, so that the caret is below its target, and a Chinese character is two columns wide.
    let indent: String = lead
        .chars()
        .flat_map(|c| match c {
            '\t' => vec!['\t'],
            c if u32::from(c) >= 0x1100 => vec![' ', ' '],
            _ => vec![' '],
        })
        .collect();
    let gutter = " ".repeat(line.to_string().len());
    let mut framed = format!("{path}:{line}:{column}: {message}\n");
    let _ = writeln!(framed, "{gutter} |");
    let _ = writeln!(framed, "{line} | {text}");
    let _ = write!(framed, "{gutter} | {indent}^");
    framed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_points_at_its_place() {
        let source = "const a = 1;\nconst 名 = ;\n";
        let offset = source.find("= ;").unwrap_or_default() + 2;
        let expected = "src/rules.ts:2:11: no\n  |\n2 | const 名 = ;\n  |            ^";
        assert_eq!(framed("src/rules.ts", source, offset, "no"), expected);
    }

    #[test]
    fn the_engines_places_become_the_sources() {
        let places = Places::new(String::new(), vec![((0, 0), (1, 2)), ((1, 5), (0, 4))]);
        let module = Module { source: "let 名 = x;\n  f();\n".to_owned(), places, ..Module::default() };
        let modules = BTreeMap::from([("src/rules.ts".to_owned(), module)]);
        let said = "Failed to evaluate: Error: x: y\n    at f (/src/rules.ts:2:9)\n    at /other.ts:1:1\n";
        let told = "src/rules.ts:1:5: x: y\n  |\n1 | let 名 = x;\n  |     ^\n    at f (src/rules.ts:1:5)\n    at /other.ts:1:1";
        assert_eq!(super::told(said, &modules), told);
    }
}
