//! The errors that have texts by variant.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ImplItem, Item, Pat, Token, Type};

use super::expression::{Pair, Scope, branches, filled, is_chinese, name_of_path, pairs, template};
use super::source::{Messages, attributes, is_of_tests, text_of};

/// The texts that a type's method gives, by variant; for a type without variants, by an empty name.
type Texts = BTreeMap<String, Vec<Pair>>;

/// A type with the methods `text`, `hint` or `explain`.
#[derive(Default)]
pub(super) struct Speaker {
    english: BTreeMap<String, String>,
    texts: Texts,
    pub(super) hints: Texts,
    explains: bool,
}

impl Speaker {
    pub(super) fn text(&self, variant: &str) -> Vec<Pair> {
        let mut texts = self.texts.get(variant).cloned().unwrap_or_default();
        if let Some(english) = self.english.get(variant).filter(|_| !self.explains || texts.is_empty()) {
            texts.insert(0, Pair { en: english.clone(), zh: String::new() });
        }
        texts
    }

    pub(super) fn all(&self, method: &str) -> Vec<Pair> {
        if method == "hint" {
            return self.hints.values().flatten().cloned().collect();
        }
        let variants: BTreeSet<&String> = self.texts.keys().chain(self.english.keys()).collect();
        variants.into_iter().flat_map(|variant| self.text(variant)).collect()
    }
}

/// Reads the types that have texts by variant.
pub(super) struct Speakers<'a>(pub(super) &'a mut Messages);

/// The tokens of `#[error(…)]` with `.field` as `field`, which is Rust.
fn without_dots(tokens: TokenStream) -> TokenStream {
    let mut begins = true;
    let mut kept = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Punct(dot) if dot.as_char() == '.' && begins => {}
            TokenTree::Group(group) => {
                let inner = without_dots(group.stream());
                kept.push(TokenTree::Group(Group::new(group.delimiter(), inner)));
                begins = false;
            }
            other => {
                begins = matches!(&other, TokenTree::Punct(comma) if comma.as_char() == ',');
                kept.push(other);
            }
        }
    }
    kept.into_iter().collect()
}

fn no_methods(_: &str, _: &str) -> Vec<Pair> {
    Vec::new()
}

impl Speakers<'_> {
    fn method(&mut self, name: &str, item: &syn::ImplItemFn) {
        let method = item.sig.ident.to_string();
        if !matches!(method.as_str(), "text" | "hint" | "explain") {
            return;
        }
        let lets = lets(&item.block);
        let scope =
            Scope { consts: &self.0.consts, functions: &self.0.functions, lets: &lets, methods: &no_methods };
        let mut found = Texts::new();
        let mut arms = Arms::default();
        arms.visit_block(&item.block);
        for (variants, body) in &arms.0 {
            let mut said: Vec<Pair> = Vec::new();
            for branch in branches(body) {
                let texts = pairs(branch, scope);
                if texts.is_empty() {
                    let text = template(branch, scope).filter(|text| is_chinese(text));
                    said.extend(text.map(|zh| Pair { en: String::new(), zh }));
                }
                said.extend(texts);
            }
            for variant in variants {
                found.entry(variant.clone()).or_default().extend(said.iter().cloned());
            }
        }
        if arms.0.is_empty()
            && let Some(syn::Stmt::Expr(expr, _)) = item.block.stmts.last()
        {
            found.insert(String::new(), pairs(expr, scope));
        }
        let speaker = self.0.speakers.entry(name.to_owned()).or_default();
        match method.as_str() {
            "hint" => speaker.hints.append(&mut found),
            "explain" => {
                speaker.explains = true;
                speaker.texts.append(&mut found);
            }
            _ => speaker.texts.append(&mut found),
        }
    }
}

impl<'ast> Visit<'ast> for Speakers<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_of_tests(attributes(item)) {
            return;
        }
        match item {
            Item::Enum(item) => {
                for variant in &item.variants {
                    let error = variant.attrs.iter().find(|attribute| attribute.path().is_ident("error"));
                    let Some(Ok(list)) = error.map(|error| error.meta.require_list()) else { continue };
                    let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
                    let Ok(args) = parser.parse2(without_dots(list.tokens.clone())) else { continue };
                    let mut args = args.into_iter();
                    let Some(text) = args.next().as_ref().and_then(text_of) else { continue };
                    let lets = BTreeMap::new();
                    let scope = Scope {
                        consts: &self.0.consts,
                        functions: &self.0.functions,
                        lets: &lets,
                        methods: &no_methods,
                    };
                    let english = filled(&text, &args.collect::<Vec<_>>(), scope);
                    let speaker = self.0.speakers.entry(item.ident.to_string()).or_default();
                    speaker.english.insert(variant.ident.to_string(), english);
                }
            }
            Item::Impl(item) if item.trait_.is_none() => {
                let Some(name) = type_name(&item.self_ty) else { return };
                for inner in &item.items {
                    if let ImplItem::Fn(method) = inner {
                        self.method(&name, method);
                    }
                }
            }
            _ => visit::visit_item(self, item),
        }
    }
}

pub(super) fn type_name(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => Some(name_of_path(&path.path)),
        Type::Reference(reference) => type_name(&reference.elem),
        _ => None,
    }
}

/// The arms of a function's matches whose patterns name variants.
#[derive(Default)]
pub(super) struct Arms<'ast>(pub(super) Vec<(Vec<String>, &'ast Expr)>);

impl<'ast> Visit<'ast> for Arms<'ast> {
    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let mut variants = Vec::new();
        variants_of(&arm.pat, &mut variants);
        if variants.is_empty() {
            visit::visit_arm(self, arm);
        } else {
            self.0.push((variants, &arm.body));
        }
    }
}

/// The variants that a pattern names with their type.
pub(super) fn variants_of(pattern: &Pat, variants: &mut Vec<String>) {
    let path = match pattern {
        Pat::Or(or) => return or.cases.iter().for_each(|case| variants_of(case, variants)),
        Pat::Struct(pattern) => &pattern.path,
        Pat::TupleStruct(pattern) => &pattern.path,
        Pat::Path(pattern) => &pattern.path,
        _ => return,
    };
    if path.segments.len() > 1 {
        variants.push(name_of_path(path));
    }
}

/// The names that a function binds to an expression.
pub(super) fn lets(block: &Block) -> BTreeMap<String, Expr> {
    struct Lets(BTreeMap<String, Expr>);
    impl<'ast> Visit<'ast> for Lets {
        fn visit_local(&mut self, local: &'ast syn::Local) {
            let pattern = match &local.pat {
                Pat::Type(typed) => &typed.pat,
                other => other,
            };
            if let (Pat::Ident(name), Some(bound)) = (pattern, &local.init) {
                self.0.insert(name.ident.to_string(), (*bound.expr).clone());
            }
            visit::visit_local(self, local);
        }
    }
    let mut lets = Lets(BTreeMap::new());
    lets.visit_block(block);
    lets.0
}
