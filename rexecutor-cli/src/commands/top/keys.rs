//! What is typed.

use ratatui::crossterm::event::{self, Event};
use tokio::sync::mpsc;

/// Keys, and changes of the terminal's size. It ends where the terminal does.
pub(super) fn events() -> mpsc::Receiver<Event> {
    let (sender, receiver) = mpsc::channel(64);
    // A terminal is read by a thread that waits: it ends with the process.
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            if sender.blocking_send(event).is_err() {
                break;
            }
        }
    });
    receiver
}
