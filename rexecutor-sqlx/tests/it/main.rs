//! The behaviour of the database backends.

mod sqlite;
