//! `#[rexecutor_testing::test]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use rexecutor_schedule::nearest;
use syn::{Expr, ExprArray, Ident, ItemFn, Path};

use crate::{
    args::{self, Arg},
    errors::Errors,
};

const BACKENDS: [&str; 3] = ["memory", "sqlite", "postgres"];

/// What the attribute says.
struct Settings {
    backend: Ident,
    jobs: Vec<Path>,
    krate: Path,
}

pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let function = match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => function,
        Err(_) => {
            let words = "`#[rexecutor_testing::test]` stands on an `async fn`";
            let error = syn::Error::new_spanned(&item, words).to_compile_error();
            return quote!(#error #item);
        }
    };
    check(&function, &mut errors);
    let settings = settings(args, &mut errors);
    match errors.into_result(Some(())) {
        Ok(()) => test(&function, &settings),
        Err(error) => {
            // The body is checked all the same; what it lacks would only add to the errors.
            let error = error.to_compile_error();
            quote!(#error #[allow(dead_code)] #item)
        }
    }
}

fn check(function: &ItemFn, errors: &mut Errors) {
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        errors
            .push(signature.fn_token, "a test of jobs is an `async fn`; one that awaits nothing is a plain `#[test]`");
    }
    if !signature.generics.params.is_empty() {
        errors.push(&signature.generics, "a test cannot be generic");
    }
    if let Some(second) = signature.inputs.iter().nth(1) {
        errors.push(second, "a test takes nothing, or `test: rexecutor_testing::Test`");
    }
    if let Some(attribute) = function.attrs.iter().find(|attribute| is_test(attribute.path())) {
        errors.push(attribute, "`#[rexecutor_testing::test]` makes it a test already: leave this out");
    }
}

fn is_test(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| last.ident == "test")
}

fn settings(tokens: TokenStream, errors: &mut Errors) -> Settings {
    let mut settings = Settings {
        backend: syn::parse_quote!(memory),
        jobs: Vec::new(),
        krate: syn::parse_quote!(::rexecutor_testing),
    };
    for arg in args::parse(tokens, &["backend", "jobs", "crate"], &[], errors) {
        errors.keep(settings.take(&arg));
    }
    settings
}

impl Settings {
    fn take(&mut self, arg: &Arg) -> syn::Result<()> {
        match arg.name.to_string().as_str() {
            "backend" => self.backend = backend(arg)?,
            "jobs" => self.jobs = jobs(arg)?,
            _ => match arg.expr()? {
                Expr::Path(path) => self.krate = path.path.clone(),
                _ => return Err(arg.expected("the path of rexecutor-testing, as `crate = my_crate::testing`")),
            },
        }
        Ok(())
    }
}

fn backend(arg: &Arg) -> syn::Result<Ident> {
    let expected = || arg.expected("`memory`, `sqlite` or `postgres`");
    let Expr::Path(path) = arg.expr()? else { return Err(expected()) };
    let name = path.path.require_ident().map_err(|_| expected())?;
    if BACKENDS.contains(&name.to_string().as_str()) {
        return Ok(name.clone());
    }
    let hint =
        nearest(&name.to_string(), BACKENDS).map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
    let words = format!("`{name}` is no backend for a test: write `memory`, `sqlite` or `postgres`{hint}");
    Err(syn::Error::new_spanned(name, words))
}

fn jobs(arg: &Arg) -> syn::Result<Vec<Path>> {
    let expected = || arg.expected("a list of jobs, as `jobs = [WelcomeEmail, NightlyReport]`");
    let Expr::Array(ExprArray { elems, .. }) = arg.expr()? else { return Err(expected()) };
    let path = |job: &Expr| match job {
        Expr::Path(path) => Ok(path.path.clone()),
        other => Err(syn::Error::new_spanned(other, "a job is named by its type, as `WelcomeEmail`")),
    };
    elems.iter().map(path).collect()
}

fn test(function: &ItemFn, settings: &Settings) -> TokenStream {
    let Settings { backend, jobs, krate } = settings;
    let ItemFn { attrs, vis, sig, block, .. } = function;
    let (name, output) = (&sig.ident, &sig.output);
    let parameter = match sig.inputs.first() {
        Some(parameter) => parameter.to_token_stream(),
        None => quote!(_: #krate::Test),
    };
    quote! {
        #[cfg_attr(test, ::core::prelude::v1::test)]
        #[cfg_attr(not(test), allow(dead_code))]
        #(#attrs)*
        #vis fn #name() #output {
            async fn test(#parameter) #output #block
            #krate::__private::run(
                #krate::__private::#backend,
                &[#(<#jobs as #krate::__private::Executor>::NAME),*],
                test,
            )
        }
    }
}
