//! From the modules of a crate to one line per public item.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Attribute, Fields, ImplItem, Item, ItemEnum, ItemImpl, ItemTrait, TraitItem};

use super::modules::{Found, Modules, Path, attributes, child, is_public, leaves, name_of};
use super::text::Source;

/// Re-exports of re-exports followed before a cycle is assumed.
const MAX_HOPS: usize = 16;

/// Lines of the form `path::to::Item: signature`, sorted by being a set.
pub(super) fn list(modules: &Modules<'_>) -> BTreeSet<String> {
    let mut listing = Listing {
        modules,
        lines: BTreeSet::new(),
        public: BTreeMap::new(),
    };
    listing.module(&Path::new(), &Path::new());
    listing.exported_macros();
    listing.implementations();
    listing.lines
}

struct Listing<'a> {
    modules: &'a Modules<'a>,
    lines: BTreeSet<String>,
    /// Public types and traits: their own name, and the paths users see them under.
    public: BTreeMap<String, BTreeSet<String>>,
}

impl Listing<'_> {
    /// The public items of a module, under the path that users see.
    fn module(&mut self, shown: &Path, module: &Path) {
        let modules = self.modules;
        let Some(found) = modules.module(module) else {
            return;
        };
        for item in &found.items {
            match item {
                _ if is_hidden(attributes(item)) => {}
                Item::Mod(inner) if is_public(&inner.vis) => {
                    let name = inner.ident.to_string();
                    let shown = child(shown, &name);
                    self.line(&shown, &format!("pub mod {name}"));
                    self.module(&shown, &child(module, &name));
                }
                Item::Use(import) if is_public(&import.vis) => {
                    for leaf in leaves(&import.tree) {
                        let shown = leaf
                            .name
                            .as_ref()
                            .map_or_else(|| shown.clone(), |name| child(shown, name));
                        self.imported(&shown, module, &leaf.path, MAX_HOPS);
                    }
                }
                _ => {
                    if let Some(name) = name_of(item) {
                        self.item(&child(shown, &name), found.source, item);
                    }
                }
            }
        }
    }

    /// What a `pub use` in `module` shows as `shown`.
    fn imported(&mut self, shown: &Path, module: &Path, path: &Path, hops: usize) {
        let modules = self.modules;
        match modules.resolve(module, path) {
            Some(Found::Module(inside)) => self.module(shown, &inside),
            Some(Found::Item(source, item)) => self.item(shown, source, item),
            Some(Found::Use(module, path)) if hops > 0 => {
                self.imported(shown, &module, &path, hops - 1)
            }
            _ => self.line(shown, &format!("pub use {}", path.join("::"))),
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
                self.definition(shown, &item.ident.to_string(), &head, &item.attrs, source);
                self.fields(shown, source, &item.fields);
            }
            Item::Enum(item) if is_public(&item.vis) => {
                let head = source.up_to(&item.vis, item.brace_token.span.open());
                self.definition(shown, &item.ident.to_string(), &head, &item.attrs, source);
                self.variants(shown, source, item);
            }
            Item::Trait(item) if is_public(&item.vis) => {
                let head = source.up_to(&item.vis, item.brace_token.span.open());
                self.definition(shown, &item.ident.to_string(), &head, &item.attrs, source);
                self.members(shown, source, item);
            }
            _ => {}
        }
    }

    /// A type or trait: its head, and the attributes that users depend on.
    fn definition(
        &mut self,
        shown: &Path,
        name: &str,
        head: &str,
        attrs: &[Attribute],
        source: Source<'_>,
    ) {
        self.line(shown, head);
        for attribute in attrs {
            if ["derive", "non_exhaustive", "cfg"]
                .iter()
                .any(|kept| attribute.path().is_ident(kept))
            {
                self.line(shown, &source.of(attribute));
            }
        }
        let shown = self.path(shown);
        self.public
            .entry(name.to_owned())
            .or_default()
            .insert(shown);
    }

    fn fields(&mut self, shown: &Path, source: Source<'_>, fields: &Fields) {
        for (position, field) in fields
            .iter()
            .enumerate()
            .filter(|(_, field)| is_public(&field.vis))
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
                    let provided = if function.default.is_some() {
                        " { … }"
                    } else {
                        ""
                    };
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
        for module in self.modules.all() {
            for item in module
                .items
                .iter()
                .filter(|item| !is_hidden(attributes(item)))
            {
                let exported = attributes(item)
                    .iter()
                    .any(|attribute| attribute.path().is_ident("macro_export"));
                if let (Item::Macro(_), true, Some(name)) = (item, exported, name_of(item)) {
                    self.line(&vec![name.clone()], &format!("macro {name}!"));
                }
            }
        }
    }

    /// Methods and traits of the public types, wherever in the crate they are written.
    fn implementations(&mut self) {
        for module in self.modules.all() {
            for item in &module.items {
                if let Item::Impl(item) = item {
                    self.implementation(module.source, item);
                }
            }
        }
    }

    fn implementation(&mut self, source: Source<'_>, item: &ItemImpl) {
        let head = source.up_to(&item.impl_token, item.brace_token.span.open());
        let of_type = type_name(&item.self_ty).and_then(|name| self.public.get(&name));
        let of_trait = || {
            let (path, _) = item.trait_.as_ref()?;
            path.segments
                .last()
                .map(|segment| segment.ident.to_string())
        };
        let shown = of_type
            .or_else(|| self.public.get(&of_trait()?))
            .cloned()
            .unwrap_or_default();
        for path in &shown {
            if item.trait_.is_some() {
                self.lines.insert(format!("{path}: {head}"));
            }
            for member in &item.items {
                let text = match member {
                    ImplItem::Fn(function)
                        if is_public(&function.vis) && !is_hidden(&function.attrs) =>
                    {
                        source.across(&function.vis, &function.sig)
                    }
                    ImplItem::Const(constant) if is_public(&constant.vis) => {
                        source.across(&constant.vis, &constant.ty)
                    }
                    ImplItem::Type(ty) => {
                        format!("{head} {{ {} }}", source.across(&ty.type_token, &ty.ty))
                    }
                    _ => continue,
                };
                self.lines.insert(format!("{path}: {text}"));
            }
        }
    }

    fn line(&mut self, shown: &Path, text: &str) {
        let path = self.path(shown);
        self.lines.insert(format!("{path}: {text}"));
    }

    fn path(&self, shown: &Path) -> String {
        let segments = [self.modules.crate_name.as_str()]
            .into_iter()
            .chain(shown.iter().map(String::as_str));
        segments.collect::<Vec<_>>().join("::")
    }
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    let hides = |attribute: &&Attribute| {
        attribute.path().is_ident("doc")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|word| word == "hidden")
    };
    attributes.iter().any(|attribute| hides(&attribute))
}

/// `Key` of `Key`, `crate::Key<T>` and `&Key`.
fn type_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.to_string()),
        syn::Type::Reference(reference) => type_name(&reference.elem),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
