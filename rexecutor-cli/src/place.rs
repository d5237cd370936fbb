//! Whether two addresses are of the same database, however they are written.

use std::{
    env,
    net::{IpAddr, ToSocketAddrs},
    path::{Path, PathBuf},
};

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Server { host: String, port: u16, database: String },
}

/// Whether these are addresses of one database, as far as can be told without connecting: of the same file by whatever path, and of the same
/// database of a server by whatever name and user.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    match (Place::of(one), Place::of(other)) {
        (Some(Place::File(one)), Some(Place::File(other))) => is_same_file(&one, &other),
        (
            Some(Place::Server { host, port, database }),
            Some(Place::Server { host: other_host, port: other_port, database: other_database }),
        ) => port == other_port && database == other_database && is_same_host(&host, &other_host, port),
        _ => one == other,
    }
}

impl Place {
    fn of(url: &str) -> Option<Self> {
        let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
        if let Some(path) = address.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return Some(Self::File(PathBuf::from(decoded(path))));
        }
        let rest = address.strip_prefix("postgres://").or_else(|| address.strip_prefix("postgresql://"))?;
        let parameter = |name: &str| {
            let parameters = parameters.split('&').filter_map(|one| one.split_once('='));
            parameters.filter(|(key, _)| *key == name).map(|(_, value)| decoded(value)).next_back()
        };
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let (server, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, server) = server.rsplit_once('@').unwrap_or(("", server));
        let (host, port) = match server.rsplit_once(':').filter(|_| !server.ends_with(']')) {
            Some((host, port)) => (host, Some(port.to_owned())),
            None => (server, None),
        };
        let given = |text: &str| Some(decoded(text)).filter(|text| !text.is_empty());
        let host = parameter("host").or_else(|| given(host)).or_else(|| variable("PGHOST"));
        let host = host.unwrap_or_else(|| "localhost".to_owned());
        let port = parameter("port").or(port).or_else(|| variable("PGPORT"));
        let user = user.split_once(':').map_or(user, |(user, _)| user);
        let user = parameter("user").or_else(|| given(user)).or_else(|| variable("PGUSER"));
        let database = parameter("dbname").or_else(|| given(database)).or_else(|| variable("PGDATABASE")).or(user);
        Some(Self::Server {
            host: host.trim_matches(['[', ']']).to_ascii_lowercase(),
            port: port.and_then(|port| port.parse().ok()).unwrap_or(5432),
            database: database.unwrap_or_default(),
        })
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    if one == other {
        return true;
    }
    #[cfg(unix)]
    if let (Ok(one), Ok(other)) = (std::fs::metadata(one), std::fs::metadata(other)) {
        use std::os::unix::fs::MetadataExt;
        return (one.dev(), one.ino()) == (other.dev(), other.ino());
    }
    // One that is not there yet may be named in two ways.
    let whole = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        path.canonicalize().ok().or_else(|| Some(folder.canonicalize().ok()?.join(path.file_name()?)))
    };
    whole(one).is_some_and(|one| whole(other) == Some(one))
}

fn is_same_host(one: &str, other: &str, port: u16) -> bool {
    if one == other {
        return true;
    }
    let is_here = |host: &str| host.starts_with('/') || addresses(host, port).iter().any(IpAddr::is_loopback);
    let (ones, others) = (addresses(one, port), addresses(other, port));
    ones.iter().any(|address| others.contains(address)) || (is_here(one) && is_here(other))
}

fn addresses(host: &str, port: u16) -> Vec<IpAddr> {
    (host, port)
        .to_socket_addrs()
        .map(|found| found.map(|address| address.ip().to_canonical()).collect())
        .unwrap_or_default()
}

/// Without `%40` and its like.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = (byte == b'%').then(|| rest.clone().take(2).collect::<Vec<_>>());
        let value = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok());
        if value.is_some() {
            rest.by_ref().take(2).for_each(drop);
        }
        bytes.push(value.unwrap_or(byte));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_the_same_by_any_name() {
        let shop = "postgres://me:secret@127.0.0.1:5433/shop";
        for same in [
            "postgresql://127.0.0.1:5433/shop",
            "postgres://you@localhost:5433/shop?sslmode=disable",
            "postgres://LOCALHOST:5433/%73hop",
            "postgres://[::1]:5433/shop",
            "postgres://127.1:5433/shop",
            "postgres:///shop?host=/run/postgresql&port=5433",
            "postgres://x/y?host=127.0.0.1&port=5433&dbname=shop",
        ] {
            assert!(is_same(shop, same), "{same}");
        }
        for other in [
            "postgres://127.0.0.1:5433/other",
            "postgres://127.0.0.1/shop",
            "postgres://192.0.2.1:5433/shop",
            "sqlite:shop",
            "shop",
        ] {
            assert!(!is_same(shop, other), "{other}");
        }
        assert!(is_same("postgres://shop@db.invalid", "postgres://shop@db.invalid:5432/shop"));
    }

    #[test]
    fn a_file_is_the_same_by_any_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        // Before it is there, too.
        let (shop, dotted) =
            (format!("sqlite:{}", path("shop.db")), format!("sqlite://{}?mode=rwc", path("./shop.db")));
        assert!(is_same(&shop, &dotted) && is_same("sqlite:a.db", "sqlite:./a.db"));
        std::fs::write(path("shop.db"), "").unwrap();
        std::os::unix::fs::symlink(path("shop.db"), path("link.db")).unwrap();
        std::fs::hard_link(path("shop.db"), path("hard.db")).unwrap();
        std::fs::write(path("other.db"), "").unwrap();
        for name in ["link.db", "hard.db", "./shop.db"] {
            assert!(is_same(&shop, &format!("sqlite:{}", path(name))), "{name}");
        }
        for name in ["other.db", "none.db"] {
            assert!(!is_same(&shop, &format!("sqlite:{}", path(name))), "{name}");
        }
    }

    #[test]
    fn what_is_escaped_wrongly_stays() {
        assert_eq!(decoded("%4%zz%41%"), "%4%zzA%");
    }
}
