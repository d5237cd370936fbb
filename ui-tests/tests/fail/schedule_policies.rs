use rexecutor::prelude::*;

#[job(cron = "@daily", missed = "all")]
async fn missed_in_quotes() {}

#[job(cron = "@daily", missed = all(0))]
async fn none_of_the_missed() {}

#[job(cron = "@daily", overlap = cancel)]
async fn unknown_overlap() {}

#[job(cron = "@daily", entry = "")]
async fn nameless() {}

#[job(overlap = skip)]
async fn without_a_schedule() {}

fn main() {}
