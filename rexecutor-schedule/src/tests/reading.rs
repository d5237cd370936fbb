//! What is read, and what is refused with which words.

use crate::{Schedule, problem};

#[track_caller]
fn check(text: &str, words: &str) {
    let compiling = problem(text).unwrap_or_default();
    assert!(compiling.contains(words), "{compiling}");
    let running = Schedule::parse(text, "UTC").err().map(|error| error.to_string());
    assert_eq!(running.unwrap_or_default(), compiling, "a program is told what the compiler tells");
}

#[track_caller]
fn check_zone(zone: &str, words: &str) {
    let error = Schedule::parse("@daily", zone).unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
}

#[test]
fn good_expressions_pass() {
    for good in [
        "0 0 0 * * *",
        "0 */5 * * * MON-FRI",
        "@daily",
        "0 0 0 1 1 * 2030-2040",
        "0 0 9 * * SUN,TUE,THU,SAT",
        "  @hourly ",
        "0 0 9 ? * FRI",
        "0 0 9-17/2 * * *",
        "0 0-59/5 * * * *",
        "0 7/20 * * * *",
        "0 0 0 29 2 *",
        "0 0 0 31 JAN,MAR *",
        "0 0 0 25-31 * *",
        "0 0 0 31,L * *",
        "0 0 0 1-31 * FRI",
        "0 0 0 13 * SUN-SAT",
        "0 0 0 13 * &FRI",
        "0 0 0 13 * |FRI",
        "0 0 0 15W,LW,L * *",
        "0 0 0 * * FRI#2,MONL,WED",
        "0 0 0 lw * *",
        "0 0 0 * * friL",
    ] {
        assert_eq!(problem(good), None);
        assert!(Schedule::parse(good, "UTC").is_ok(), "{good}");
    }
}

#[test]
fn what_was_meant_is_said() {
    check("0 0 9 * * 1-5", "`SUN-THU` or `MON-FRI`");
    check("0 0 9 * * 2,7/2", "`MON,SAT/2` or `TUE,SUN/2`");
    check("0 0 9 * * 6#1", "`FRI#1` or `SAT#1`");
    check("0 0 9 * * 5L", "`THUL` or `FRIL`");
    check("0 0 0 30 2 *", "never comes");
    check(
        "@dialy",
        "`@dialy` is not a cron expression; expected @yearly, @monthly, @weekly, @daily, @hourly or @every 90s",
    );
    check("0 61 * * * *", "is not a cron expression");
    check("nonsense", "it has 1 field, and six are expected");
    check("", "is not a cron expression");
    check("0 0", "it has 2 fields, and six are expected");
    check("0 0 0 * * * 2030 5", "it has 8 fields");
}

#[test]
fn an_expression_from_a_crontab_is_understood_in_words() {
    check("0 9 * * *", "for \"at 09:00 every day\" write `0 0 9 * * *`");
    check("0 9 * * 1-5", "for \"at 09:00 on weekdays\" write `0 0 9 * * MON-FRI`");
    check("0 0 13 * 5", "for \"at 00:00 on the 13th and on Fridays\" write `0 0 0 13 * |FRI`");
    check("*/5 9-17 * * 0,7", "for \"every 5 minutes of hours 9 to 17 on Sundays\" write `0 */5 9-17 * * SUN,SUN`");
    check("*/45 * * * *", "it would be `0 */45 * * * *`, but `0 */45 * * * *` has a step that leaves uneven gaps");
    check("0 25 * * *", "`25` cannot stand in the third field, hours");
}

#[test]
fn case_09_a_field_that_is_wrong_is_named_with_its_range() {
    check("0 61 2 * * *", "`61` cannot stand in the second field, minutes, which go from 0 to 59");
    check("0 0 24 * * *", "`24` cannot stand in the third field, hours, which go from 0 to 23");
    check("0 0 0 0 * *", "`0` cannot stand in the fourth field, days, which go from 1 to 31");
    check("0 0 0 1 13 *", "`13` cannot stand in the fifth field, months, which go from 1 to 12, or JAN to DEC");
    check("0 0 0 1 * * 1969", "`1969` cannot stand in the seventh field, years, which go from 1970 to 2100");
    check("0 0 0 * * FRY", "`FRY` cannot stand in the sixth field, weekdays");
    check("0 0 0 L-3 * *", "the last day of a month is `L`, its last weekday `LW`");
    check("0 0 0 * * L", "the last Friday of a month is `FRIL`");
    check("0 0 0 * * MON,&FRI", "`&` and `|` stand before the whole field");
    check("0 50-10 * * * *", "a range goes from the smaller to the larger: write `50-59,0-10`");
    check("0 0 9 * * FRI-MON", "write `FRI-SAT,SUN-MON`");
    check("0 0 9 * * SAT-SUN", "write `SAT,SUN`");
    check("0 */0 * * * *", "a step is a number from 1, and this is `0`");
    check("0 1-2-3 * * * *", "a range has two ends");
    check("0 0 0 L/2 * *", "`L` takes no step");
    check("0 0 0 ?/2 * *", "`?` takes no step");
    check("? 0 0 * * *", "`?` cannot stand in the first field");
    check("0 0 9 * * FRI#9", "after it a number from 1 to 5");
    check("0 0 9 * * #1", "before `#` stands a weekday");
}

#[test]
fn case_09_an_abbreviation_is_no_time_zone_and_its_place_is_named() {
    check_zone("BST", "`BST` is not a time zone; did you mean `Europe/London`?");
    check_zone("Europe/Lundon", "did you mean `Europe/London`?");
    check_zone("Nowhere", "write a name of the IANA database, as `Europe/London`");
}

#[test]
fn a_day_and_a_weekday_are_refused_with_both_readings_and_a_way_to_write_each() {
    check(
        "0 0 0 13 * FRI",
        "has two readings: the 13th if it is a Friday, 3 times in 2026, is `0 0 0 13 * &FRI`; every 13th and every Friday, 61 times, \
         is `0 0 0 13 * |FRI`",
    );
    check(
        "0 0 9 1-7 * MON",
        "the 1st to 7th if it is a Monday, 12 times in 2026, is `0 0 9 1-7 * &MON`, or `0 0 9 * * MON#1`",
    );
    check("0 0 * L * MON-FRI 2030", "the last day if it is a weekday, on 8 days in 2030, is `0 0 * L * &MON-FRI 2030`");
    check("0 0 9 1,15 JAN FRIL", "the 1st and 15th if it is the last Friday, 0 times in 2026");
}

#[test]
fn a_step_that_does_not_divide_its_range_is_refused_with_its_gaps() {
    check("0 */45 * * * *", "`*/45`, in minutes, is 0,45, with gaps of 45 and 15 minutes; write the list");
    check("0 0 */7 * * *", "`*/7`, in hours, is 0,7,14,21, with gaps of 7 and 3 hours");
    check("0 0 0 */2 * *", "is 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31, with gaps of 2 and 1 days");
    check("0 0 0 1 */5 *", "`*/5`, in months, is JAN,JUN,NOV, with gaps of 5 and 2 months");
    check("0 0 9 * * */2", "`*/2`, in weekdays, is SUN,TUE,THU,SAT, with gaps of 2 and 1 weekdays");
    check("*/90 * * * * *", "`*/90`, in seconds, is 0, with gaps of 60 seconds");
    check("0 30/15 * * * *", "is 30,45, with gaps of 15 and 45 minutes");
    check("0 0-59/7 * * * *", "with gaps of 7 and 4 minutes");
    check("0 0 9-17/3 * * *", "does not meet the end of its range: `9-17/3`, in hours, is 9,12,15; write `9-15/3`");
    for list in ["0 0,45 * * * *", "0 0 0,7,14,21 * * *", "0 0 0 1,3,5,7 * *", "0 0 9-15/3 * * *"] {
        assert_eq!(problem(list), None);
    }
}

#[test]
fn a_day_that_some_months_do_not_have_is_refused_with_the_last_day_and_the_months_that_have_it() {
    check(
        "0 0 0 31 * *",
        "leaves months out: the 31st comes in 7 months of 12; for the last day of every month write `0 0 0 L * *`, for those 7 months \
         alone `0 0 0 31 JAN,MAR,MAY,JUL,AUG,OCT,DEC *`",
    );
    check("0 0 0 30 * *", "the 30th comes in 11 months of 12; for the last day of every month write `0 0 0 L * *`");
    check("0 0 0 29 * *", "in 11 months of 12, and in February in leap years");
    check(
        "0 0 0 1,31 JAN-JUN *",
        "the 31st comes in 3 months of 6; for the last day of every month write `0 0 0 1,L JAN-JUN *`",
    );
    check("0 0 0 31W * *", "for the last weekday of every month write `0 0 0 LW * *`");
    check("0 0 0 30 JAN,FEB *", "comes in 1 month of 2");
}

/// Trap 21: a huge range eats the memory while parsing.
#[test]
fn trap_21_a_huge_range_is_refused_before_it_is_written_out() {
    check("1--100000000 * * * * *", "four digits");
    check("0-4294967295 * * * * *", "four digits");
    check(&"1,".repeat(10_000), "200 characters");
}
