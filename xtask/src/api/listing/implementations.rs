//! Methods and traits of public types.

use syn::{ImplItem, Item, ItemImpl};

use super::super::modules::{Found, Path, is_public};
use super::super::text::Source;
use super::{Listing, is_hidden, shortest};

impl Listing<'_> {
    /// Methods and traits of the public types, wherever in the crate they are written.
    pub(super) fn implementations(&mut self) {
        for (path, module) in self.modules.all() {
            for item in &module.items {
                if let Item::Impl(item) = item
                    && let Some(shown) = self.shown_of(path, item)
                {
                    self.implementation(&shown, module.source, item);
                }
            }
        }
    }

    /// The path of the public type, or else of the public trait, that an implementation is for.
    fn shown_of(&self, module: &Path, item: &ItemImpl) -> Option<Path> {
        let shown = |path: &syn::Path| {
            let path: Path =
                path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            match self.modules.resolve(module, &path)? {
                Found::Item(definition) => self.public.get(&definition).map(shortest),
                Found::Module(_) => None,
            }
        };
        let of_type = type_path(&item.self_ty).and_then(shown);
        of_type.or_else(|| item.trait_.as_ref().and_then(|(path, _)| shown(path)))
    }

    fn implementation(&mut self, shown: &Path, source: Source<'_>, item: &ItemImpl) {
        let head = source.up_to(&item.impl_token, item.brace_token.span.open());
        if item.trait_.is_some() {
            self.line(shown, &head);
        }
        for member in &item.items {
            match member {
                ImplItem::Fn(function)
                    if is_public(&function.vis) && !is_hidden(&function.attrs) =>
                {
                    self.line(shown, &source.across(&function.vis, &function.sig));
                }
                ImplItem::Const(constant) if is_public(&constant.vis) => {
                    self.line(shown, &source.across(&constant.vis, &constant.ty));
                }
                ImplItem::Type(ty) => {
                    let ty = source.across(&ty.type_token, &ty.ty);
                    self.line(shown, &format!("{head} {{ {ty} }}"));
                }
                _ => {}
            }
        }
    }
}

/// The path of `Key`, `crate::Key<T>` and `&Key`.
fn type_path(ty: &syn::Type) -> Option<&syn::Path> {
    match ty {
        syn::Type::Path(path) => Some(&path.path),
        syn::Type::Reference(reference) => type_path(&reference.elem),
        _ => None,
    }
}
