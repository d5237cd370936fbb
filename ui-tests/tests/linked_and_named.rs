//! A program that names a library which holds jobs has them, also through the library's own name for rexecutor.

use linked_jobs as _;
use linked_jobs::jobs::prelude::*;

#[job(crate = linked_jobs::jobs)]
async fn through_the_library(_data: Option<u8>) {}

#[test]
fn the_jobs_of_a_library_that_is_named_are_registered() {
    let names: Vec<_> = Rexecutor::registered().iter().map(|job| job.name()).collect();
    assert_eq!(names, ["count_stock", "through_the_library"]);
    assert_eq!(ThroughTheLibrary::NAME, "through_the_library");
}
