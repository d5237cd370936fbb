//! A program that depends on a library and never names it does not have its jobs: the linker leaves them out. The remedy,
//! `use the_library as _;`, is what the test beside this one does.

use rexecutor::Rexecutor;

#[test]
fn the_jobs_of_a_library_that_is_never_named_are_left_out() {
    assert!(Rexecutor::registered().is_empty());
}
