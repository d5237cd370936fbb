//! What stands around a job in its file: an attribute sees its function alone.
//!
//! Some mistakes are there, and the compiler speaks of them in terms of what `#[job]` writes. So where the text of the file
//! hints at one of them, it is read; where it cannot be read, or says nothing for sure, the compiler has the word.

use proc_macro2::Ident;
use syn::{Attribute, ImplItem, Item, visit::Visit};

/// The file that a job stands in.
pub(crate) struct Source {
    pub(crate) text: String,
    /// The line of the attribute, from 1.
    pub(crate) line: usize,
}

/// What cannot be where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// The job is in an `impl`.
    InImpl,
    /// Something else has the name of its struct.
    NameIsTaken,
}

const KINDS: [&str; 6] = ["struct", "enum", "union", "trait", "type", "mod"];

impl Source {
    /// The file of the attribute that is being expanded.
    pub(crate) fn of_attribute() -> Option<Self> {
        let span = proc_macro::Span::call_site();
        Some(Self { text: std::fs::read_to_string(span.local_file()?).ok()?, line: span.line() })
    }

    /// What is wrong with where the job of this function stands, if that is sure.
    pub(crate) fn mistake(&self, function: &Ident, executor: &Ident) -> Option<Mistake> {
        let has_namesake = || KINDS.iter().any(|kind| self.text.contains(&format!("{kind} {executor}")));
        if !self.is_below_impl() && !has_namesake() {
            return None;
        }
        let mut jobs = Jobs { function, executor, found: Vec::new() };
        jobs.visit_file(&syn::parse_file(&self.text).ok()?);
        // Several functions of this name: which of them is this one is not to be seen here, unless they are all alike.
        let first = jobs.found.first().copied().flatten();
        first.filter(|_| jobs.found.iter().all(|found| *found == first))
    }

    /// Whether the line that the attribute is indented below begins an `impl`.
    fn is_below_impl(&self) -> bool {
        let above: Vec<&str> = self.text.lines().take(self.line).collect();
        let indent = |line: &str| line.len() - line.trim_start().len();
        let Some((attribute, above)) = above.split_last() else { return false };
        let outer = above.iter().rev().find(|line| !line.trim().is_empty() && indent(line) < indent(attribute));
        let begins =
            |line: &str| ["impl ", "impl<", "unsafe impl"].iter().any(|start| line.trim_start().starts_with(start));
        begins(attribute) || outer.is_some_and(|line| begins(line) || line.trim() == "{")
    }
}

/// Every job of a file whose function has this name, and what is wrong with where it stands.
struct Jobs<'a> {
    function: &'a Ident,
    executor: &'a Ident,
    found: Vec<Option<Mistake>>,
}

impl Jobs<'_> {
    fn is_this(&self, name: &Ident, attributes: &[Attribute]) -> bool {
        let is_job = |attribute: &Attribute| attribute.path().segments.last().is_some_and(|name| name.ident == "job");
        *name == *self.function.to_string() && attributes.iter().any(is_job)
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            if let Item::Fn(function) = item
                && self.is_this(&function.sig.ident, &function.attrs)
            {
                let is_taken = items.iter().any(|item| is_named(item, self.executor));
                self.found.push(is_taken.then_some(Mistake::NameIsTaken));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Jobs<'_> {
    fn visit_file(&mut self, file: &'ast syn::File) {
        self.items(&file.items);
        syn::visit::visit_file(self, file);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if let Some((_, items)) = &module.content {
            self.items(items);
        }
        syn::visit::visit_item_mod(self, module);
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        let items = block.stmts.iter().filter_map(|statement| match statement {
            syn::Stmt::Item(item) => Some(item.clone()),
            _ => None,
        });
        self.items(&items.collect::<Vec<_>>());
        syn::visit::visit_block(self, block);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        for item in &item.items {
            if let ImplItem::Fn(function) = item
                && self.is_this(&function.sig.ident, &function.attrs)
            {
                self.found.push(Some(Mistake::InImpl));
            }
        }
        syn::visit::visit_item_impl(self, item);
    }
}

/// Whether an item is a type or a module of this name. What stands under a condition may not be there.
fn is_named(item: &Item, name: &Ident) -> bool {
    let (ident, attributes) = match item {
        Item::Struct(item) => (&item.ident, &item.attrs),
        Item::Enum(item) => (&item.ident, &item.attrs),
        Item::Union(item) => (&item.ident, &item.attrs),
        Item::Trait(item) => (&item.ident, &item.attrs),
        Item::Type(item) => (&item.ident, &item.attrs),
        Item::Mod(item) => (&item.ident, &item.attrs),
        _ => return false,
    };
    let is_conditional =
        |attribute: &Attribute| attribute.path().get_ident().is_some_and(|name| name == "cfg" || name == "cfg_attr");
    *ident == *name.to_string() && !attributes.iter().any(is_conditional)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Mistake>) {
        let line = 1 + text.lines().position(|line| line.contains("#[job")).unwrap();
        let source = Source { text: text.to_owned(), line };
        let [function, executor] = ["refund", "Refund"].map(|name| quote::format_ident!("{name}"));
        assert_eq!(source.mistake(&function, &executor), expected, "{text}");
    }

    #[test]
    fn case_09_a_job_in_an_impl_is_noticed() {
        let job = "#[job]\n    async fn refund(order: u64) {}";
        check(&format!("impl Shop {{\n    {job}\n}}"), Some(Mistake::InImpl));
        check(
            &format!("impl<T> Trait for Shop<T>\nwhere\n    T: Copy,\n{{\n    fn other() {{}}\n\n    {job}\n}}"),
            Some(Mistake::InImpl),
        );
        check(&format!("mod shop {{\n    {job}\n}}"), None);
        check(&format!("impl Shop {{\n    fn other() {{\n        {job}\n    }}\n}}"), None);
        check(&format!("struct Shop;\n\nimpl Shop {{}}\n\n{job}"), None);
        check(&format!("impl Shop {{\n    {job}\n}}\n\nmod other {{\n    {job}\n}}"), None);
    }

    #[test]
    fn case_09_a_name_that_is_taken_is_noticed() {
        let job = "#[job]\nasync fn refund(order: u64) {}";
        let taken = Some(Mistake::NameIsTaken);
        for other in [
            "struct Refund { order: u64 }",
            "pub enum Refund {}",
            "type Refund = u8;",
            "trait Refund {}",
            "mod Refund {}",
        ] {
            check(&format!("{job}\n{other}"), taken);
            check(&format!("#[cfg(test)]\n{other}\n{job}"), None);
            check(&format!("mod shop {{\n{other}\n}}\n{job}"), None);
            check(&format!("mod shop {{\n{other}\n{job}\n}}"), taken);
        }
        check(&format!("fn main() {{\nstruct Refund;\n{job}\n}}"), taken);
        check(&format!("{job}\nstruct RefundPolicy;\n// struct Refund"), None);
        check("#[job", None);
    }
}
