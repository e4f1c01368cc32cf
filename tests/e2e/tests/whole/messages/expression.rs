//! Texts in expressions of the sources, with a placeholder for each value.

use std::collections::BTreeMap;

use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Block, Expr, ExprLit, Lit, Macro, Stmt, Token};

/// A text in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) en: String,
    pub(super) zh: String,
}

/// The surroundings of an expression.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// Constants with a text, of all crates.
    pub(super) consts: &'a BTreeMap<String, String>,
    /// What functions without arguments return, of all crates.
    pub(super) functions: &'a BTreeMap<String, Expr>,
    /// Names bound by `let` in the function.
    pub(super) lets: &'a BTreeMap<String, Expr>,
    /// What the methods `text` and `hint` of a name bound by the function's head return.
    pub(super) methods: &'a dyn Fn(&str, &str) -> Vec<Pair>,
}

/// True for a code such as `store.open`.
pub(super) fn is_code(word: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
    };
    let end = |end: &str| part(end) || (!end.is_empty() && end.chars().all(|c| c.is_ascii_digit()));
    word.split_once('.').is_some_and(|(family, name)| part(family) && end(name))
}

pub(super) fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// The last name of a path.
pub(super) fn name_of_path(path: &syn::Path) -> String {
    path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

/// The names of a call, such as `Report::new`.
pub(super) fn callee(expr: &Expr) -> String {
    match expr {
        Expr::Path(path) => {
            let names: Vec<String> = path.path.segments.iter().map(|s| s.ident.to_string()).collect();
            names.iter().rev().take(2).rev().cloned().collect::<Vec<_>>().join("::")
        }
        _ => String::new(),
    }
}

fn inner(expr: &Expr) -> &Expr {
    match expr {
        Expr::Reference(e) => inner(&e.expr),
        Expr::Paren(e) => inner(&e.expr),
        Expr::Group(e) => inner(&e.expr),
        Expr::Try(e) => inner(&e.expr),
        Expr::Unary(e) => inner(&e.expr),
        other => other,
    }
}

/// The expression that a block ends with.
fn end(block: &Block) -> Option<&Expr> {
    match block.stmts.last()? {
        Stmt::Expr(expr, _) => Some(expr),
        _ => None,
    }
}

/// The results that an expression can have: its branches.
pub(super) fn branches(expr: &Expr) -> Vec<&Expr> {
    match inner(expr) {
        Expr::If(branch) => {
            let otherwise = branch.else_branch.iter().flat_map(|(_, otherwise)| branches(otherwise));
            end(&branch.then_branch).map(branches).into_iter().flatten().chain(otherwise).collect()
        }
        Expr::Match(matched) => matched.arms.iter().flat_map(|arm| branches(&arm.body)).collect(),
        Expr::Block(block) => end(&block.block).map(branches).unwrap_or_default(),
        Expr::Return(returned) => returned.expr.as_deref().map(branches).unwrap_or_default(),
        other => vec![other],
    }
}

/// The texts that an expression of the type `Text` or `Option<Text>` can be.
pub(super) fn pairs(expr: &Expr, scope: Scope<'_>) -> Vec<Pair> {
    branches(expr).into_iter().flat_map(|expr| one(expr, scope)).collect()
}

fn one(expr: &Expr, scope: Scope<'_>) -> Vec<Pair> {
    match expr {
        Expr::Call(call) => {
            let args: Vec<&Expr> = call.args.iter().collect();
            match (callee(&call.func).as_str(), args.as_slice()) {
                ("Text::new", [one, other]) => {
                    let [one, other] = [one, other].map(|half| template(half, scope).unwrap_or_default());
                    // The SDK's text begins with the Chinese half.
                    let swapped = is_chinese(&one) && !is_chinese(&other);
                    vec![if swapped { Pair { en: other, zh: one } } else { Pair { en: one, zh: other } }]
                }
                ("Some" | "ErrorText", [text]) => pairs(text, scope),
                (name, []) => {
                    let name = name.rsplit(':').next().unwrap_or_default();
                    scope.functions.get(name).map(|text| pairs(text, scope)).unwrap_or_default()
                }
                _ => Vec::new(),
            }
        }
        Expr::MethodCall(call) => match call.method.to_string().as_str() {
            "into" | "clone" | "cloned" | "to_owned" => pairs(&call.receiver, scope),
            "unwrap_or_else" | "map_or_else" | "then" => match call.args.first() {
                Some(Expr::Closure(closure)) => pairs(&closure.body, scope),
                _ => Vec::new(),
            },
            method @ ("text" | "hint") => match inner(&call.receiver) {
                Expr::Path(path) => (scope.methods)(&name_of_path(&path.path), method),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        },
        Expr::Path(path) => {
            let name = name_of_path(&path.path);
            let mut lets = scope.lets.clone();
            match lets.remove(&name) {
                Some(bound) => pairs(&bound, Scope { lets: &lets, ..scope }),
                None => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

/// The text of an expression of a string type.
pub(super) fn template(expr: &Expr, scope: Scope<'_>) -> Option<String> {
    match inner(expr) {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        Expr::Macro(expr) => format(&expr.mac, scope),
        Expr::MethodCall(call)
            if matches!(call.method.to_string().as_str(), "to_owned" | "into" | "to_string") =>
        {
            template(&call.receiver, scope)
        }
        Expr::Path(path) => {
            let name = name_of_path(&path.path);
            if let Some(value) = scope.consts.get(&name) {
                return Some(value.clone());
            }
            let mut lets = scope.lets.clone();
            let bound = lets.remove(&name)?;
            template(&bound, Scope { lets: &lets, ..scope })
        }
        _ => None,
    }
}

/// The text of `format!` and its kin.
fn format(call: &Macro, scope: Scope<'_>) -> Option<String> {
    if !matches!(name_of_path(&call.path).as_str(), "format" | "format_args") {
        return None;
    }
    let args = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(call.tokens.clone()).ok()?;
    let mut args = args.into_iter();
    let text = template(&args.next()?, scope)?;
    Some(filled(&text, &args.collect::<Vec<_>>(), scope))
}

/// A format string with the names of its values.
pub(super) fn filled(text: &str, args: &[Expr], scope: Scope<'_>) -> String {
    let mut filled = String::new();
    let mut positional = args.iter();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            filled.push_str(&from[..1]);
            rest = after;
            continue;
        }
        let Some((hole, after)) = from[1..].split_once('}') else { break };
        rest = after;
        let name = hole.split(':').next().unwrap_or_default();
        let name = match name.parse::<usize>() {
            Ok(place) => args.get(place).map(value_name).unwrap_or_default(),
            Err(_) if name.is_empty() => positional.next().map(value_name).unwrap_or_default(),
            Err(_) => name.trim_start_matches('.').to_owned(),
        };
        match scope.consts.get(&name) {
            Some(value) => filled.push_str(value),
            None if matches!(name.as_str(), "" | "en" | "zh") => filled.push('…'),
            None if matches!(name.as_str(), "english" | "chinese") => filled.push_str("{field}"),
            None => filled.push_str(&format!("{{{}}}", name.to_lowercase())),
        }
    }
    filled.push_str(rest);
    filled
}

/// A name for a value that stands in a text.
fn value_name(expr: &Expr) -> String {
    match inner(expr) {
        Expr::Path(path) => name_of_path(&path.path),
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) if !matches!(name.to_string().as_str(), "en" | "zh" | "id") => {
                name.to_string()
            }
            _ => value_name(&field.base),
        },
        Expr::MethodCall(call) => match inner(&call.receiver) {
            Expr::Path(path) if name_of_path(&path.path) == "self" => call.method.to_string(),
            _ if call.method == "len" || call.method == "count" => "count".to_owned(),
            // A value that is computed has no name.
            _ if !call.args.is_empty() && call.method != "join" && call.method != "format" => String::new(),
            receiver => value_name(receiver),
        },
        Expr::Call(call) => call.args.first().map_or_else(|| callee(&call.func), value_name),
        Expr::Assign(assign) => value_name(&assign.left),
        Expr::Index(index) => value_name(&index.expr),
        _ => String::new(),
    }
}
