//! Reads the public items of a crate from its source. The lint `unreachable_pub` denies a `pub` that nobody can reach.

use std::fs;
use std::path::Path;

use quote::ToTokens;
use syn::{Fields, ImplItem, Item, TraitItem, UseTree, Visibility};

pub(super) fn public_items(folder: &Path) -> Vec<String> {
    let mut items = Vec::new();
    read(folder, &mut items);
    finished(&items)
}

pub(super) fn public_items_of(source: &str) -> Vec<String> {
    let mut items = Vec::new();
    collect(&syn::parse_file(source).unwrap().items, &mut items);
    finished(&items)
}

/// In order, without the traits of private types.
fn finished(items: &[String]) -> Vec<String> {
    let types: Vec<&str> =
        items.iter().filter_map(|item| item.strip_prefix("struct ").or_else(|| item.strip_prefix("enum "))).collect();
    let is_ours = |item: &str| {
        let of = item.rsplit_once(" for ").map(|(_, of)| of.split(['<', ' ']).next().unwrap_or_default());
        !item.starts_with("impl ") || of.is_some_and(|of| types.contains(&of))
    };
    let mut ours: Vec<String> = items.iter().filter(|item| is_ours(item)).cloned().collect();
    ours.sort();
    ours.dedup();
    ours
}

fn read(folder: &Path, items: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, items);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            collect(&syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap().items, items);
        }
    }
}

fn collect(source: &[Item], items: &mut Vec<String>) {
    for item in source {
        match item {
            Item::Struct(item) if is_public(&item.vis) => {
                items.push(format!("struct {}", item.ident));
                for (at, field) in item.fields.iter().enumerate().filter(|(_, field)| is_public(&field.vis)) {
                    let name = field.ident.as_ref().map_or_else(|| at.to_string(), ToString::to_string);
                    items.push(format!("{}.{name}: {}", item.ident, text(&field.ty)));
                }
            }
            Item::Enum(item) if is_public(&item.vis) => {
                items.push(format!("enum {}", item.ident));
                for variant in &item.variants {
                    let fields = if variant.fields == Fields::Unit { String::new() } else { text(&variant.fields) };
                    items.push(format!("{}::{}{fields}", item.ident, variant.ident));
                }
            }
            Item::Trait(item) if is_public(&item.vis) => {
                items.push(format!("trait {}", item.ident));
                for method in &item.items {
                    if let TraitItem::Fn(method) = method {
                        items.push(format!("{}::{}", item.ident, text(&method.sig)));
                    }
                }
            }
            Item::Impl(item) => {
                let of = text(&item.self_ty);
                if let Some((_, path, _)) = &item.trait_ {
                    items.push(format!("impl {} for {of}", text(path)));
                    continue;
                }
                for member in &item.items {
                    match member {
                        ImplItem::Fn(method) if is_public(&method.vis) => {
                            items.push(format!("{of}::{}", text(&method.sig)));
                        }
                        ImplItem::Const(constant) if is_public(&constant.vis) => {
                            items.push(format!("{of}::const {}: {}", constant.ident, text(&constant.ty)));
                        }
                        _ => {}
                    }
                }
            }
            Item::Fn(item) if is_public(&item.vis) => items.push(text(&item.sig)),
            Item::Type(item) if is_public(&item.vis) => items.push(format!("type {}", item.ident)),
            Item::Const(item) if is_public(&item.vis) => {
                items.push(format!("const {}: {}", item.ident, text(&item.ty)));
            }
            Item::Use(item) if is_public(&item.vis) => used(&item.tree, items),
            Item::Mod(item) if is_public(&item.vis) => {
                items.push(format!("mod {}", item.ident));
                collect(item.content.as_ref().map_or(&[], |(_, items)| items), items);
            }
            _ => {}
        }
    }
}

fn used(tree: &UseTree, items: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => used(&path.tree, items),
        UseTree::Name(name) => items.push(format!("use {}", name.ident)),
        UseTree::Rename(rename) => items.push(format!("use {}", rename.rename)),
        UseTree::Glob(_) => items.push("use *".to_owned()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| used(tree, items)),
    }
}

const fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// The tokens with the spaces of a source.
fn text(tokens: &impl ToTokens) -> String {
    let mut text = tokens.to_token_stream().to_string();
    for (spaced, close) in [
        (" ,", ","),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" ;", ";"),
        (" :: ", "::"),
        (" : ", ": "),
        ("& ", "&"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ?", "?"),
        ("# [", "#["),
        ("-> ", "-> "),
        (" -> (", " -> ("),
    ] {
        text = text.replace(spaced, close);
    }
    text.replace("->", " -> ").replace("  ->", " ->").replace("->  ", "-> ")
}
