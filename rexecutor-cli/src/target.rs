//! Which database is meant: by its address, or by a context of the configuration.

use std::{collections::BTreeMap, env, path::PathBuf};

use serde::Deserialize;

use crate::{
    args::Global,
    failure::Failure,
    place::{self, decoded},
};

/// A database that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The context, if it is one.
    pub(crate) name: Option<String>,
    pub(crate) url: String,
    pub(crate) schema: Option<String>,
    pub(crate) is_production: bool,
}

/// The file of contexts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The context that is meant if nothing else is said.
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) contexts: BTreeMap<String, Context>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Context {
    database: Option<String>,
    /// The environment variable in which the address stands.
    database_env: Option<String>,
    pub(crate) schema: Option<String>,
    #[serde(default)]
    pub(crate) production: bool,
}

impl Config {
    /// Reads the file that is meant, which need not exist if nobody has named it.
    pub(crate) fn read(global: &Global) -> Result<Self, Failure> {
        let named = global.config.clone().or_else(|| env::var_os("REXECUTOR_CONFIG").map(PathBuf::from));
        let Some(path) = named.clone().or_else(usual_place) else { return Ok(Self::default()) };
        let problem = |problem: String| Failure::usage(format!("the configuration `{}`: {problem}", path.display()));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => return Ok(Self::default()),
            Err(error) => return Err(problem(error.to_string())),
        };
        Self::parse(&text).map_err(problem)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| {
            // The whole error would show the line, and a password in it.
            let start = error.span().map_or(0, |span| span.start);
            let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
            format!("line {line}: {}", error.message())
        })?;
        for (name, context) in &config.contexts {
            if context.database.is_some() == context.database_env.is_some() {
                return Err(format!("the context `{name}` needs either `database` or `database_env`"));
            }
        }
        match config.default.as_ref().filter(|name| !config.contexts.contains_key(*name)) {
            Some(name) => Err(format!("the default is the context `{name}`, and there is none of this name")),
            None => Ok(config),
        }
    }

    fn target(&self, name: &str) -> Result<Target, Failure> {
        let context = self.contexts.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
            let known =
                if known.is_empty() { "it has none".to_owned() } else { format!("known: {}", known.join(", ")) };
            Failure::usage(format!("there is no context `{name}` in the configuration; {known}"))
        })?;
        let url = context.url().ok_or_else(|| {
            let variable = context.database_env.as_deref().unwrap_or_default();
            Failure::usage(format!("the context `{name}` takes its database from `{variable}`, which is not set"))
        })?;
        let (schema, is_production) = (context.schema.clone(), context.production);
        Ok(Target { name: Some(name.to_owned()), url, schema, is_production })
    }
}

impl Context {
    /// The address; `None`: its variable is not set.
    pub(crate) fn url(&self) -> Option<String> {
        let of_env = || env::var(self.database_env.as_ref()?).ok();
        self.database.clone().or_else(of_env).filter(|url| !url.is_empty())
    }
}

/// `~/.config/rexecutor/config.toml`, or where the system keeps such files.
fn usual_place() -> Option<PathBuf> {
    let folder = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base =
        folder("XDG_CONFIG_HOME").or_else(|| folder("APPDATA")).or_else(|| Some(folder("HOME")?.join(".config")));
    Some(base?.join("rexecutor").join("config.toml"))
}

impl Target {
    /// What the command line, the environment and the configuration mean, in this order.
    pub(crate) fn find(global: &Global) -> Result<Self, Failure> {
        let config = Config::read(global)?;
        let of_env = || env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
        let context = global.context.clone().or_else(|| match global.database {
            Some(_) => None,
            None => env::var("REXECUTOR_CONTEXT").ok().filter(|name| !name.is_empty()),
        });
        let by_url = |url| Self { name: None, url, schema: None, is_production: false };
        let mut target = if let Some(url) = global.database.clone() {
            by_url(url)
        } else if let Some(name) = &context {
            config.target(name)?
        } else if let Some(url) = of_env() {
            by_url(url)
        } else if let Some(name) = &config.default {
            config.target(name)?
        } else {
            return Err(Failure::usage(
                "no database is named: give `--database URL`, set DATABASE_URL, or name a context of the configuration",
            ));
        };
        if let Some(schema) = &global.schema {
            target.schema = Some(schema.clone());
        }
        // A database of production is one however it is named.
        let is_same = |context: &Context| context.url().is_some_and(|url| place::is_same(&url, &target.url));
        target.is_production |= config.contexts.values().any(|context| context.production && is_same(context));
        Ok(target)
    }

    /// For people: without the password.
    pub(crate) fn shown(&self) -> String {
        match &self.name {
            Some(name) => format!("{name} ({})", shown(&self.url)),
            None => shown(&self.url),
        }
    }

    /// What is never to be printed.
    pub(crate) fn secrets(&self) -> Vec<String> {
        secrets(&self.url)
    }
}

/// An address without its password, and without parameters, which may hold others.
pub(crate) fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| scheme.starts_with("postgres")) else {
        // A path has no password; what is no address at all may be anything.
        return if url.starts_with("sqlite:") { url.to_owned() } else { "…".to_owned() };
    };
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    let (user, place) = rest.rsplit_once('@').map_or(("", rest), |(user, place)| (user, place));
    let user = user.split_once(':').map_or(user, |(user, _)| user);
    let host = place.split_once('/').map_or(place, |(host, _)| host);
    // `postgres://user:password` with its host forgotten.
    let port = host.rsplit_once(':').map(|(_, port)| port).filter(|_| !host.ends_with(']'));
    if port.is_some_and(|port| !port.bytes().all(|byte| byte.is_ascii_digit())) {
        return format!("{scheme}://…");
    }
    let at = if user.is_empty() { "" } else { "@" };
    format!("{scheme}://{user}{at}{place}")
}

/// The password in an address, as it is written and as it is meant.
fn secrets(url: &str) -> Vec<String> {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest);
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    let parameters = url.split_once('?').map_or("", |(_, parameters)| parameters).split('&');
    let of_parameters = parameters.filter_map(|one| one.split_once('=')).filter(|(name, _)| name.contains("password"));
    let written =
        user.split_once(':').map(|(_, password)| password).into_iter().chain(of_parameters.map(|(_, value)| value));
    written.filter(|secret| !secret.is_empty()).flat_map(|secret| [secret.to_owned(), decoded(secret)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_shows_a_password() {
        for (url, expected) in [
            ("postgres://me:s3cret@db:5432/shop", "postgres://me@db:5432/shop"),
            ("postgresql://me:a@b:c@db/shop?password=s3cret", "postgresql://me@db/shop"),
            ("postgres://db/shop", "postgres://db/shop"),
            ("postgres://me:s3cret", "postgres://…"),
            ("postgres://[::1]:5432/shop", "postgres://[::1]:5432/shop"),
            ("sqlite:jobs.db", "sqlite:jobs.db"),
            ("s3cret", "…"),
        ] {
            assert_eq!(shown(url), expected);
        }
        assert_eq!(secrets("postgres://me:a%40b@db/x?sslpassword=k"), ["a%40b", "a@b", "k", "k"]);
        assert_eq!(secrets("sqlite:jobs.db"), [""; 0]);
    }

    #[test]
    fn a_configuration_that_is_wrong_is_told_without_its_lines() {
        let text = "[contexts.prod]\ndatabase = \"postgres://me:s3cret@db/shop\nproduction = true\n";
        let error = Config::parse(text).unwrap_err();
        assert!(error.starts_with("line ") && !error.contains("s3cret"), "{error}");
        for (text, problem) in [
            ("[contexts.a]\n", "either `database` or `database_env`"),
            ("default = \"b\"\n", "there is none of this name"),
            ("[contexts.a]\nproduction = true\nurl = \"x\"", "unknown field"),
        ] {
            let error = Config::parse(text).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
        assert!(Config::parse("").is_ok());
    }
}
