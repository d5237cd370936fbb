include!(concat!(env!("OUT_DIR"), "/deploys_a_test_that_finds_breaking_changes.rs"));
