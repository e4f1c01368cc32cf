//! Converts one module from TypeScript to JavaScript, with a map between their lines.

use std::path::Path;

use anyhow::{Result, anyhow};
use oxc_allocator::Allocator;
use oxc_ast::ast::{Program, Statement, StringLiteral};
use oxc_codegen::{Codegen, CodegenOptions, CommentOptions};
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;
use oxc_transformer::{TransformOptions, Transformer};

use crate::place::{self, Places};

/// A module as it runs.
#[derive(Default)]
pub struct Module {
    /// The source text.
    pub source: String,
    /// JavaScript.
    pub code: String,
    /// The origin of its lines.
    pub places: Places,
    /// The modules it imports, as paths in the project.
    pub imports: Vec<String>,
    /// True if it has a default export.
    pub has_default: bool,
}

/// Removes the types from a module. `resolve` returns the module of an import, as a path in the project, or the
/// problem with it.
pub fn compile(
    path: &str,
    source: &str,
    resolve: impl Fn(&str) -> std::result::Result<String, String>,
) -> Result<Module> {
    if path.ends_with(".json") {
        return json(path, source);
    }
    let kind = SourceType::from_path(path).map_err(|_| anyhow!("{path} is no TypeScript or JavaScript"))?;
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, kind.with_module(true)).parse();
    let framed = |message: &str, offset: usize| anyhow!("{}", place::framed(path, source, offset, message));
    let mut program = parsed.program;
    let analysed = SemanticBuilder::new()
        .with_check_syntax_error(true)
        .with_excess_capacity(2.0)
        .with_enum_eval(true)
        .build(&program);
    if let Some(fault) = parsed.diagnostics.iter().chain(analysed.diagnostics.iter()).next() {
        let offset = fault.labels.first().map_or(0, |label| label.offset() as usize);
        return Err(framed(&fault.message, offset));
    }
    let has_default = program.body.iter().any(is_default);
    let transformed = Transformer::new(&allocator, Path::new(path), &TransformOptions::default())
        .build_with_scoping(analysed.semantic.into_scoping(), &mut program);
    if let Some(fault) = transformed.diagnostics.iter().next() {
        let offset = fault.labels.first().map_or(0, |label| label.offset() as usize);
        return Err(framed(&fault.message, offset));
    }
    let mut imports = Vec::new();
    for specifier in specifiers(&mut program) {
        let target =
            resolve(&specifier.value).map_err(|message| framed(&message, specifier.span.start as usize))?;
        specifier.value = allocator.alloc_str(&format!("{}{target}", to_root(path))).into();
        specifier.raw = None;
        imports.push(target);
    }
    let options = CodegenOptions {
        source_map_path: Some(path.into()),
        comments: CommentOptions::disabled(),
        ..CodegenOptions::default()
    };
    let printed = Codegen::new().with_options(options).build(&program);
    let map = printed.map.ok_or_else(|| anyhow!("{path} has no source map"))?;
    let places = Places::new(
        map.to_json().mappings,
        map.get_tokens()
            .map(|token| {
                ((token.get_dst_line(), token.get_dst_col()), (token.get_src_line(), token.get_src_col()))
            })
            .collect(),
    );
    Ok(Module { source: source.to_owned(), code: printed.code, places, imports, has_default })
}

/// A table kept as JSON, for `import table from "./table.json"`.
fn json(path: &str, source: &str) -> Result<Module> {
    let text = source.trim_start_matches('\u{feff}');
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| anyhow!("{path}: {error}"))?;
    Ok(Module {
        source: source.to_owned(),
        code: format!("export default {text};\n"),
        places: Places::default(),
        imports: Vec::new(),
        has_default: true,
    })
}

fn is_default(statement: &Statement<'_>) -> bool {
    match statement {
        Statement::ExportDefaultDeclaration(_) => true,
        Statement::ExportNamedDeclaration(named) => {
            named.specifiers.iter().any(|specifier| specifier.exported.name() == "default")
        }
        _ => false,
    }
}

/// The text after `from`.
fn specifiers<'a, 'p>(program: &'p mut Program<'a>) -> impl Iterator<Item = &'p mut StringLiteral<'a>> {
    program.body.iter_mut().filter_map(|statement| match statement {
        Statement::ImportDeclaration(import) => Some(&mut import.source),
        Statement::ExportAllDeclaration(export) => Some(&mut export.source),
        Statement::ExportFromDeclaration(export) => Some(&mut export.source),
        _ => None,
    })
}

/// The relative path from a module's folder to the root of the project.
fn to_root(path: &str) -> String {
    match path.matches('/').count() {
        0 => "./".to_owned(),
        depth => "../".repeat(depth),
    }
}
