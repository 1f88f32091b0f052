//! From the modules of a crate to one line per public item.

mod implementations;

use std::collections::{BTreeMap, BTreeSet};

use syn::{Attribute, Fields, Item, ItemEnum, ItemTrait, TraitItem};

use super::imports::leaves;
use super::modules::{Definition, Found, Modules, Path, attributes, child, is_public, name_of};
use super::text::Source;

/// Lines of the form `path::to::Item: signature`, sorted by being a set.
pub(super) fn list(modules: &Modules<'_>) -> BTreeSet<String> {
    let mut listing =
        Listing { modules, lines: BTreeSet::new(), public: BTreeMap::new(), walking: Vec::new() };
    listing.module(&Path::new(), &Path::new());
    listing.items();
    listing.exported_macros();
    listing.implementations();
    listing.lines
}

struct Listing<'a> {
    modules: &'a Modules<'a>,
    lines: BTreeSet<String>,
    /// What users can name, and the paths they see it under.
    public: BTreeMap<Definition, BTreeSet<Path>>,
    /// The modules being walked, the outermost first: one that shows itself is not entered again.
    walking: Vec<Path>,
}

impl Listing<'_> {
    /// Notes the public items of a module, under the path that users see.
    fn module(&mut self, shown: &Path, module: &Path) {
        let modules = self.modules;
        let Some(found) = modules.module(module) else {
            return;
        };
        if self.walking.contains(module) {
            return;
        }
        self.walking.push(module.clone());
        for item in found.items.iter().filter(|item| !is_hidden(attributes(item))) {
            match item {
                Item::Mod(inner) if is_public(&inner.vis) => {
                    let name = inner.ident.to_string();
                    let shown = child(shown, &name);
                    self.line(&shown, &format!("pub mod {name}"));
                    self.module(&shown, &child(module, &name));
                }
                Item::Use(import) if is_public(&import.vis) => {
                    for leaf in leaves(&import.tree) {
                        let name = leaf.name.as_ref();
                        let shown = name.map_or_else(|| shown.clone(), |name| child(shown, name));
                        self.imported(&shown, module, &leaf.path);
                    }
                }
                _ => {
                    if let Some(name) = name_of(item) {
                        self.show(child(shown, &name), (module.clone(), name));
                    }
                }
            }
        }
        self.walking.pop();
    }

    /// What a `pub use` in `module` shows as `shown`.
    fn imported(&mut self, shown: &Path, module: &Path, path: &Path) {
        match self.modules.resolve(module, path) {
            Some(Found::Module(inside)) => self.module(shown, &inside),
            Some(Found::Item(definition)) => self.show(shown.clone(), definition),
            None => self.line(shown, &format!("pub use {}", path.join("::"))),
        }
    }

    fn show(&mut self, shown: Path, definition: Definition) {
        self.public.entry(definition).or_default().insert(shown);
    }

    /// Each item once, under the shortest of its paths.
    fn items(&mut self) {
        let modules = self.modules;
        for (definition, shown) in self.public.clone() {
            let (module, name) = &definition;
            let Some(module) = modules.module(module) else {
                continue;
            };
            let main = shortest(&shown);
            let before = self.lines.len();
            for item in module.items.iter().filter(|item| name_of(item).as_ref() == Some(name)) {
                self.item(&main, module.source, item);
            }
            if self.lines.len() == before {
                // Private, and so in nobody's sight.
                self.public.remove(&definition);
                continue;
            }
            for other in shown.iter().filter(|path| **path != main) {
                let main = self.path(&main);
                self.line(other, &format!("pub use {main}"));
            }
        }
    }

    fn item(&mut self, shown: &Path, source: Source<'_>, item: &Item) {
        match item {
            Item::Fn(item) if is_public(&item.vis) => {
                self.line(shown, &source.across(&item.vis, &item.sig))
            }
            Item::Const(item) if is_public(&item.vis) => {
                self.line(shown, &source.across(&item.vis, &item.ty))
            }
            Item::Static(item) if is_public(&item.vis) => {
                self.line(shown, &source.across(&item.vis, &item.ty))
            }
            Item::Type(item) if is_public(&item.vis) => {
                self.line(shown, &source.across(&item.vis, &item.ty))
            }
            Item::Struct(item) if is_public(&item.vis) => {
                let generics = &item.generics;
                let head = match &generics.where_clause {
                    Some(last) => source.across(&item.vis, last),
                    None if generics.params.is_empty() => source.across(&item.vis, &item.ident),
                    None => source.across(&item.vis, generics),
                };
                self.definition(shown, &head, &item.attrs, source);
                self.fields(shown, source, &item.fields);
            }
            Item::Enum(item) if is_public(&item.vis) => {
                let head = source.up_to(&item.vis, item.brace_token.span.open());
                self.definition(shown, &head, &item.attrs, source);
                self.variants(shown, source, item);
            }
            Item::Trait(item) if is_public(&item.vis) => {
                let head = source.up_to(&item.vis, item.brace_token.span.open());
                self.definition(shown, &head, &item.attrs, source);
                self.members(shown, source, item);
            }
            _ => {}
        }
    }

    /// A type or trait: its head, and the attributes that users depend on.
    fn definition(&mut self, shown: &Path, head: &str, attrs: &[Attribute], source: Source<'_>) {
        self.line(shown, head);
        for attribute in attrs {
            let kept = ["derive", "non_exhaustive", "cfg"];
            if kept.iter().any(|kept| attribute.path().is_ident(kept)) {
                self.line(shown, &source.of(attribute));
            }
        }
    }

    fn fields(&mut self, shown: &Path, source: Source<'_>, fields: &Fields) {
        for (position, field) in
            fields.iter().enumerate().filter(|(_, field)| is_public(&field.vis))
        {
            let text = source.across(&field.vis, &field.ty);
            match &field.ident {
                Some(_) => self.line(shown, &text),
                None => self.line(shown, &format!("{position}: {text}")),
            }
        }
    }

    fn variants(&mut self, shown: &Path, source: Source<'_>, item: &ItemEnum) {
        for variant in &item.variants {
            let fields = variant.fields.iter().map(|field| match &field.ident {
                Some(ident) => source.across(ident, &field.ty),
                None => source.of(&field.ty),
            });
            let fields = fields.collect::<Vec<_>>().join(", ");
            let name = &variant.ident;
            match &variant.fields {
                Fields::Named(_) => self.line(shown, &format!("variant {name} {{ {fields} }}")),
                Fields::Unnamed(_) => self.line(shown, &format!("variant {name}({fields})")),
                Fields::Unit => self.line(shown, &format!("variant {name}")),
            }
        }
    }

    fn members(&mut self, shown: &Path, source: Source<'_>, item: &ItemTrait) {
        for member in &item.items {
            match member {
                TraitItem::Fn(function) => {
                    let provided = if function.default.is_some() { " { … }" } else { "" };
                    self.line(shown, &format!("{}{provided}", source.of(&function.sig)));
                }
                TraitItem::Const(constant) => {
                    self.line(shown, &source.across(&constant.const_token, &constant.ty))
                }
                TraitItem::Type(ty) => {
                    self.line(shown, &source.across(&ty.type_token, &ty.semi_token))
                }
                _ => {}
            }
        }
    }

    fn exported_macros(&mut self) {
        for (_, module) in self.modules.all() {
            for item in module.items.iter().filter(|item| !is_hidden(attributes(item))) {
                let mut attributes = attributes(item).iter();
                let exported =
                    attributes.any(|attribute| attribute.path().is_ident("macro_export"));
                if let (Item::Macro(_), true, Some(name)) = (item, exported, name_of(item)) {
                    self.line(&vec![name.clone()], &format!("macro {name}!"));
                }
            }
        }
    }

    fn line(&mut self, shown: &Path, text: &str) {
        let path = self.path(shown);
        self.lines.insert(format!("{path}: {text}"));
    }

    fn path(&self, shown: &Path) -> String {
        let segments =
            [self.modules.crate_name.as_str()].into_iter().chain(shown.iter().map(String::as_str));
        segments.collect::<Vec<_>>().join("::")
    }
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    let hides = |attribute: &&Attribute| {
        attribute.path().is_ident("doc")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "hidden")
    };
    attributes.iter().any(|attribute| hides(&attribute))
}

/// The path users are most likely to write.
fn shortest(paths: &BTreeSet<Path>) -> Path {
    paths.iter().min_by_key(|path| path.len()).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests;
