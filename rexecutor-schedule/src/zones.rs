//! Which time zone was meant by a text that names none.

use crate::{nearest::nearest, tables};

/// Abbreviations that are no names of the IANA database, and a place where each is used. Those that several countries use
/// stand for the one with the most people, or for what English speakers mean.
const ABBREVIATIONS: [(&str, &str); 64] = [
    ("BST", "Europe/London"),
    ("WEST", "Europe/Lisbon"),
    ("CEST", "Europe/Berlin"),
    ("MEZ", "Europe/Berlin"),
    ("MESZ", "Europe/Berlin"),
    ("EEST", "Europe/Helsinki"),
    ("MSK", "Europe/Moscow"),
    ("TRT", "Europe/Istanbul"),
    ("ET", "America/New_York"),
    ("EDT", "America/New_York"),
    ("CT", "America/Chicago"),
    ("CST", "America/Chicago"),
    ("CDT", "America/Chicago"),
    ("MT", "America/Denver"),
    ("MDT", "America/Denver"),
    ("PT", "America/Los_Angeles"),
    ("PST", "America/Los_Angeles"),
    ("PDT", "America/Los_Angeles"),
    ("AKST", "America/Anchorage"),
    ("AKDT", "America/Anchorage"),
    ("AST", "America/Halifax"),
    ("ADT", "America/Halifax"),
    ("NST", "America/St_Johns"),
    ("NDT", "America/St_Johns"),
    ("BRT", "America/Sao_Paulo"),
    ("ART", "America/Argentina/Buenos_Aires"),
    ("CLT", "America/Santiago"),
    ("COT", "America/Bogota"),
    ("PET", "America/Lima"),
    ("IST", "Asia/Kolkata"),
    ("PKT", "Asia/Karachi"),
    ("NPT", "Asia/Kathmandu"),
    ("GST", "Asia/Dubai"),
    ("IDT", "Asia/Jerusalem"),
    ("IRST", "Asia/Tehran"),
    ("ICT", "Asia/Bangkok"),
    ("WIB", "Asia/Jakarta"),
    ("PHT", "Asia/Manila"),
    ("SGT", "Asia/Singapore"),
    ("MYT", "Asia/Kuala_Lumpur"),
    ("HKT", "Asia/Hong_Kong"),
    ("JST", "Asia/Tokyo"),
    ("KST", "Asia/Seoul"),
    ("AWST", "Australia/Perth"),
    ("ACST", "Australia/Adelaide"),
    ("ACDT", "Australia/Adelaide"),
    ("AEST", "Australia/Sydney"),
    ("AEDT", "Australia/Sydney"),
    ("NZST", "Pacific/Auckland"),
    ("NZDT", "Pacific/Auckland"),
    ("WAT", "Africa/Lagos"),
    ("CAT", "Africa/Harare"),
    ("EAT", "Africa/Nairobi"),
    ("SAST", "Africa/Johannesburg"),
    ("Z", "UTC"),
    // As Windows calls them.
    ("GMT Standard Time", "Europe/London"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("Eastern Standard Time", "America/New_York"),
    ("Central Standard Time", "America/Chicago"),
    ("Mountain Standard Time", "America/Denver"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("India Standard Time", "Asia/Kolkata"),
    ("China Standard Time", "Asia/Shanghai"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
];

/// The name of the IANA database that was meant, if that is known: by an abbreviation, a city, an offset in whole hours, or
/// the right name in other letters.
fn meant(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let known = ABBREVIATIONS.iter().find(|(abbreviation, _)| abbreviation.eq_ignore_ascii_case(text));
    let all = || tables::names();
    let plain = |name: &str| name.replace([' ', '-'], "_").to_ascii_lowercase();
    let (wanted, fixed) = (plain(text), fixed(text));
    known
        .map(|(_, zone)| *zone)
        .or_else(|| all().find(|name| plain(name) == wanted))
        .or_else(|| all().find(|name| name.rsplit('/').next().is_some_and(|city| plain(city) == wanted)))
        .or_else(|| all().find(|name| Some(*name) == fixed.as_deref()))
}

/// What to write instead of a text that names no time zone.
pub(crate) fn hint(text: &str) -> String {
    let near = || nearest(text, tables::names());
    // A few letters are near to many names: `BST` is to `EST`, and means another continent.
    let meant = meant(text).or_else(|| near().filter(|_| text.len() > 4));
    let unknown = || "write a name of the IANA database, as `Europe/London`".to_owned();
    meant.map_or_else(unknown, |zone| format!("did you mean `{zone}`?"))
}

/// `Etc/GMT-1` for `UTC+1` and `+01:00`: the sign there counts to the west.
fn fixed(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let offset = upper.trim_start_matches("UTC").trim_start_matches("GMT");
    let (sign, hours) =
        offset.strip_prefix('+').map(|hours| ('-', hours)).or(offset.strip_prefix('-').map(|hours| ('+', hours)))?;
    let hours: u8 = hours.strip_suffix(":00").unwrap_or(hours).parse().ok()?;
    Some(format!("Etc/GMT{sign}{hours}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_09_every_abbreviation_is_no_name_and_stands_for_one() {
        for (abbreviation, zone) in ABBREVIATIONS {
            assert!(abbreviation.parse::<crate::TimeZone>().is_err(), "{abbreviation} is a name of its own");
            assert!(zone.parse::<crate::TimeZone>().is_ok(), "{zone}");
        }
    }

    #[test]
    fn case_09_what_was_meant_is_found_by_abbreviation_city_offset_and_letters() {
        for (text, zone) in [
            ("BST", Some("Europe/London")),
            ("pst", Some("America/Los_Angeles")),
            ("IST", Some("Asia/Kolkata")),
            ("london", Some("Europe/London")),
            ("New York", Some("America/New_York")),
            ("europe/london", Some("Europe/London")),
            ("UTC+1", Some("Etc/GMT-1")),
            ("-05:00", Some("Etc/GMT+5")),
            ("+05:30", None),
            ("Mars", None),
            ("", None),
        ] {
            assert_eq!(meant(text), zone, "{text}");
        }
        assert!("CET".parse::<crate::TimeZone>().is_ok(), "it is a name of its own");
    }
}
