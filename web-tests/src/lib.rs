//! What the tests in a browser say things with: a dashboard on a loopback port, and Chromium, driven over a pipe.

mod browser;
mod site;

pub use self::{
    browser::{Browser, Tab},
    site::Site,
};
