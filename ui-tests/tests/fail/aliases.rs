use rexecutor::prelude::*;

#[job(aliases = "old_mail")]
async fn mail(_to: String) {}

#[job(aliases = ["old_print", "", "old_print", "print"])]
async fn print(_page: u32) {}

#[job(alias = "old_scan")]
async fn scan(_page: u32) {}

fn main() {}
