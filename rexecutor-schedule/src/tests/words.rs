//! Schedules in words.

use super::schedule;

#[test]
fn a_schedule_says_in_words_when_it_is_due() {
    for (expression, timezone, words) in [
        ("0 30 9 * * MON-FRI", "Europe/Berlin", "at 09:30 on weekdays, Berlin time"),
        ("0 0 0 * * *", "UTC", "at 00:00 every day, UTC"),
        ("@hourly", "America/New_York", "every hour, New York time"),
        ("* * * * * *", "UTC", "every second, UTC"),
        ("*/10 * * * * *", "UTC", "every 10 seconds, UTC"),
        ("0 */5 * * * *", "UTC", "every 5 minutes, UTC"),
        ("0 15 * * * *", "UTC", "at minute 15 of every hour, UTC"),
        ("0 0 */2 * * *", "UTC", "every 2 hours, UTC"),
        ("0 0 9-17 * * SAT,SUN", "UTC", "every hour from 09:00 to 17:00 on weekends, UTC"),
        ("0 0 9,17 * * MON,WED", "UTC", "at 09:00 and 17:00 on Mondays and Wednesdays, UTC"),
        ("5 0 9 1 1 *", "UTC", "at 09:00:05 on the 1st of January, UTC"),
        ("0 0 9 1,15 * *", "UTC", "at 09:00 on the 1st and 15th of every month, UTC"),
        ("0 0 9 L * *", "UTC", "at 09:00 on the last day of every month, UTC"),
        ("0 0 9 15W,LW * *", "UTC", "at 09:00 on the weekday nearest to the 15th and last weekday of every month, UTC"),
        ("0 0 9 * * FRI#2", "UTC", "at 09:00 on the second Friday of the month, UTC"),
        ("0 0 9 * MAR FRIL", "UTC", "at 09:00 on the last Friday of the month in March, UTC"),
        ("0 0 9 13 * &FRI", "UTC", "at 09:00 on the 13th if it is a Friday, UTC"),
        ("0 0 9 13 * |FRI 2030", "Etc/GMT-1", "at 09:00 on the 13th and on Fridays in 2030, Etc/GMT-1"),
        (
            "0 0 9 1-7 JUN-AUG * 2030-2032",
            "UTC",
            "at 09:00 on the 1st to 7th of June, July and August from 2030 to 2032, UTC",
        ),
        ("@every 90s", "UTC", "every 90 seconds"),
        ("@every 60s", "UTC", "every minute"),
        ("17 10,20 * * * *", "UTC", "at second 17 of minutes 10 and 20 of every hour, UTC"),
    ] {
        assert_eq!(schedule(expression, timezone).describe(), words);
    }
}

#[test]
fn a_schedule_is_shown_by_its_expression_and_its_zone() {
    let schedule = schedule("0 30 9 * * FRI#2", "Europe/Berlin");
    assert_eq!(schedule.to_string(), "0 30 9 * * FRI#2 Europe/Berlin");
}
