//! Tests of what other crates of a program may change under rexecutor: the features of the dependencies that they share.
