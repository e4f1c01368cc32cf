//! Where something is: a line and column of the source that was written.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A line and a column, counted from 0.
type Point = (u32, u32);

/// Which place of the source each place of a module's code comes from.
#[derive(Debug, Default)]
pub struct Places {
    mappings: String,
    /// (place in the code, place in the source), by the place in the code.
    points: Vec<(Point, Point)>,
}

impl Places {
    /// The mappings of a source map (ECMA-426), and the same taken apart.
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

/// The engine's words, every `/src/rules.ts:LINE:COLUMN` in them led back to the source.
pub fn restored(text: &str, places: &BTreeMap<&str, &Places>) -> String {
    let is_edge = |c: char| c.is_whitespace() || matches!(c, '(' | ')');
    let mut restored = String::new();
    for word in text.split_inclusive(is_edge) {
        let (word, edge) = match word.char_indices().next_back() {
            Some((at, c)) if is_edge(c) => word.split_at(at),
            _ => (word, ""),
        };
        match source_place(word, places) {
            Some(place) => restored.push_str(&place),
            None => restored.push_str(word),
        }
        restored.push_str(edge);
    }
    restored
}

fn source_place(word: &str, places: &BTreeMap<&str, &Places>) -> Option<String> {
    let (rest, column) = word.strip_prefix('/')?.rsplit_once(':')?;
    let (path, line) = rest.rsplit_once(':')?;
    let point = (line.parse::<u32>().ok()?.checked_sub(1)?, column.parse::<u32>().ok()?.checked_sub(1)?);
    let (line, column) = places.get(path)?.source_of(point)?;
    Some(format!("{path}:{}:{}", line + 1, column + 1))
}

/// A message about a place, with the line it is on.
pub fn framed(path: &str, source: &str, offset: usize, message: &str) -> String {
    let before = source.get(..offset).unwrap_or(source);
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    let text = source.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let lead = before.get(start..).unwrap_or_default();
    let column = lead.chars().count() + 1;
    // Tabs stay, so that the mark stands below what it means, and a Chinese character is two columns wide.
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
        let places = Places::new(String::new(), vec![((0, 0), (4, 2)), ((1, 5), (9, 0))]);
        let places = BTreeMap::from([("src/rules.ts", &places)]);
        let said = "Error: x\n    at f (/src/rules.ts:2:9)\n    at /ruzhi/record.ts:1:1\n";
        let told = "Error: x\n    at f (src/rules.ts:10:1)\n    at /ruzhi/record.ts:1:1\n";
        assert_eq!(restored(said, &places), told);
    }
}
