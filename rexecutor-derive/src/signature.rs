//! What a function must be to be a job, and what its parameters are.

use syn::{FnArg, GenericArgument, ItemFn, PatType, PathArguments, ReturnType, Type, visit::Visit};

use crate::{args::shown, errors::Errors};

/// What the function's parameters are.
pub(crate) struct Signature {
    pub(crate) first: First,
    /// The types of the parameters that are extracted, in order.
    pub(crate) extracted: Vec<Type>,
}

impl Signature {
    /// What it takes from the tasks before it: an `Upstream`, and what is in it.
    pub(crate) fn upstream(&self) -> Option<(&Type, &Type)> {
        let mut upstream = self.extracted.iter().filter_map(|ty| {
            let segment = last_segment(ty).filter(|segment| segment.ident == "Upstream")?;
            Some((ty, arguments_of(segment).next()?))
        });
        upstream.next()
    }
}

/// The types between the angle brackets.
pub(crate) fn arguments_of(segment: &syn::PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(type_argument)
}

/// The first parameter.
pub(crate) enum First {
    /// There is none, or it is extracted: the data are `()`.
    Unit,
    /// The data.
    Data(Box<Type>),
    /// The whole job: its data and its metadata.
    Job(Box<Type>, Box<Type>),
}

/// Types of the standard library that nobody extracts: a second parameter of such a type is a second one of data.
const PLAIN: [&str; 22] = [
    "String", "str", "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f32", "f64", "Vec", "Option", "HashMap", "PathBuf",
];

pub(crate) fn parse(function: &ItemFn, errors: &mut Errors) -> Signature {
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        errors.push(
            signature.fn_token,
            "a job is an `async fn`; one that blocks its thread is too, with `#[job(blocking)]`",
        );
    }
    if !signature.generics.params.is_empty() {
        errors.push(&signature.generics, "a job cannot be generic: its name stands for one type of data");
    }
    if let syn::Safety::Unsafe(token) = &signature.safety {
        errors.push(token, "a job cannot be `unsafe`: the engine calls it");
    }
    if let Some(abi) = &signature.abi {
        errors.push(abi, "a job cannot be `extern`: the engine calls it");
    }
    if let Some(variadic) = &signature.variadic {
        errors.push(variadic, "a job cannot take a variable number of parameters");
    }
    if let ReturnType::Type(_, output) = &signature.output {
        check_type(output, "return", errors);
    }
    let mut types = Vec::new();
    for argument in &signature.inputs {
        match argument {
            FnArg::Receiver(receiver) => errors.push(receiver, "a job is a free function: it has no `self`"),
            FnArg::Typed(PatType { ty, .. }) => {
                check_type(ty, "take", errors);
                types.push((**ty).clone());
            }
        }
    }
    split(types, errors)
}

fn split(types: Vec<Type>, errors: &mut Errors) -> Signature {
    let mut types = types.into_iter();
    let (first, before) = match types.next() {
        None => (First::Unit, None),
        Some(first) => match last_segment(&first).map(|segment| segment.ident.to_string()).as_deref() {
            Some(
                "State" | "Extension" | "JobContext" | "Steps" | "BatchSummary" | "BatchHandle" | "Upstream"
                | "WorkflowHandle",
            ) => (First::Unit, Some(first)),
            Some("Job") => (whole_job(&first, errors), None),
            _ => (First::Data(Box::new(first)), None),
        },
    };
    let extracted: Vec<Type> = before.into_iter().chain(types).collect();
    let mut has_upstream = false;
    for extra in &extracted {
        let name = last_segment(extra).map(|segment| segment.ident.to_string()).unwrap_or_default();
        if PLAIN.contains(&name.as_str()) || matches!(extra, Type::Tuple(_) | Type::Array(_)) {
            errors.push(
                extra,
                "a job has one parameter of data, the first; put them in one tuple or struct, and take what the node \
                 has as `State<..>`",
            );
        } else if name == "Job" {
            errors.push(extra, "the whole job can only be the first parameter; take `JobContext` here");
        } else if name == "Upstream" && std::mem::replace(&mut has_upstream, true) {
            errors.push(
                extra,
                "a job has one `Upstream`, which is what all tasks before it gave: take a tuple, as \
                 `Upstream((receipt, parcel)): Upstream<(Receipt, Parcel)>`",
            );
        }
    }
    Signature { first, extracted }
}

/// `Job<D, M>`; the metadata are `()` if they are left out.
fn whole_job(ty: &Type, errors: &mut Errors) -> First {
    let arguments: Vec<&Type> = match last_segment(ty).map(|segment| &segment.arguments) {
        Some(PathArguments::AngleBracketed(arguments)) => arguments.args.iter().filter_map(type_argument).collect(),
        _ => Vec::new(),
    };
    match arguments.as_slice() {
        [data, metadata] => First::Job(Box::new((*data).clone()), Box::new((*metadata).clone())),
        _ => {
            errors.push(ty, "write the types of the data and the metadata, as `Job<Email, ()>`");
            First::Unit
        }
    }
}

fn type_argument(argument: &GenericArgument) -> Option<&Type> {
    match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

pub(crate) fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

/// Notes what no parameter or result of a job can be.
fn check_type(ty: &Type, verb: &str, errors: &mut Errors) {
    struct Checker<'e>(&'e mut Errors, &'e str);
    impl<'ast> Visit<'ast> for Checker<'_> {
        fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
            // What is `'static` outlives every job, and an error may hold what it likes.
            let is_static = reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static");
            if self.1 == "take" && !is_static {
                let owned = if shown(&reference.elem) == "str" { "String".to_owned() } else { shown(&reference.elem) };
                self.0.push(reference, format!("a job cannot take a reference: it runs later; take `{owned}`"));
            }
        }

        fn visit_type_impl_trait(&mut self, ty: &'ast syn::TypeImplTrait) {
            self.0.push(ty, format!("a job cannot {} `impl Trait`: write a type", self.1));
        }
    }
    Checker(errors, verb).visit_type(ty);
}
