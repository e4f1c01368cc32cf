//! Contrast of all text, as WCAG 2.2 computes it, in light and in dark.

use std::collections::BTreeMap;

/// Text colours and their backgrounds, by the names in the stylesheet.
const TEXTS: [(&str, &str); 24] = [
    ("text", "ground"),
    ("text", "surface"),
    ("text", "sunken"),
    ("text", "accent-soft"),
    ("text", "ok-soft"),
    ("text", "warn-soft"),
    ("text", "bad-soft"),
    ("quiet", "ground"),
    ("quiet", "surface"),
    ("quiet", "sunken"),
    ("quiet", "ok-soft"),
    ("quiet", "warn-soft"),
    ("quiet", "bad-soft"),
    ("accent", "ground"),
    ("accent", "surface"),
    ("accent", "sunken"),
    ("accent", "accent-soft"),
    ("accent", "bad-soft"),
    ("on-accent", "accent"),
    ("ok", "ok-soft"),
    ("warn", "warn-soft"),
    ("bad", "bad-soft"),
    ("bad", "surface"),
    ("on-bad", "bad"),
];

/// Edges of controls, bars, and their backgrounds.
const SHAPES: [(&str, &str); 8] = [
    ("edge", "surface"),
    ("edge", "ground"),
    ("accent", "surface"),
    ("bar-run", "sunken"),
    ("bar-ok", "surface"),
    ("bar-warn", "surface"),
    ("bar-bad", "surface"),
    ("bar-bad", "sunken"),
];

fn colours(block: &str) -> BTreeMap<&str, [f64; 3]> {
    let mut colours = BTreeMap::new();
    for line in block.lines() {
        let Some((name, value)) = line.trim().strip_prefix("--").and_then(|line| line.split_once(": #"))
        else {
            continue;
        };
        let digits = value.trim_end_matches(';');
        assert_eq!(digits.len(), 6, "{name}: {value}");
        let channel = |at: usize| f64::from(u8::from_str_radix(&digits[at..at + 2], 16).unwrap()) / 255.0;
        colours.insert(name, [channel(0), channel(2), channel(4)]);
    }
    colours
}

fn luminance(colour: [f64; 3]) -> f64 {
    let linear = colour.map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn text_and_shapes_stand_out_in_light_and_in_dark() {
    let sheet = include_str!("../assets/style.css");
    let (light, rest) = sheet.split_once("@media (prefers-color-scheme: dark)").unwrap();
    let (dark, _) = rest.split_once("\n}\n").unwrap();
    for (scheme, block) in [("light", light), ("dark", dark)] {
        let colours = colours(block);
        let mut low = Vec::new();
        let of_text = TEXTS.iter().map(|pair| (pair, 4.5));
        for ((one, other), least) in of_text.chain(SHAPES.iter().map(|pair| (pair, 3.0))) {
            let found = contrast(colours[one], colours[other]);
            if found < least {
                low.push(format!("{one} on {other}: {found:.2} < {least}"));
            }
        }
        assert!(low.is_empty(), "{scheme}: {low:#?}");
    }
}

#[test]
fn contrast_is_reckoned_as_the_standard_says() {
    let (black, white) = ([0.0; 3], [1.0; 3]);
    assert!((contrast(black, white) - 21.0).abs() < 1e-9);
    let grey = [119.0 / 255.0; 3];
    assert!((contrast(grey, white) - 4.478).abs() < 0.01);
}
