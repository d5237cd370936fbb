//! What is shown, and what keys do to it.

use ratatui::{
    crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
    widgets::TableState,
};

use super::seen::{Page, Request, Seen};
use crate::failure::Failure;

/// All that is drawn.
#[derive(Debug)]
pub(super) struct State {
    /// Which database it is.
    pub(super) place: String,
    /// What is wanted.
    pub(super) request: Request,
    /// What was read last.
    pub(super) seen: Option<Seen>,
    /// Why the last look failed.
    pub(super) problem: Option<String>,
    /// The line that is chosen.
    pub(super) table: TableState,
    /// How far the text of a job is scrolled.
    pub(super) scrolled: u16,
    /// A search that is being typed.
    pub(super) typed: Option<String>,
    /// Nothing is read until it is let go.
    pub(super) is_held: bool,
    pub(super) is_helping: bool,
}

/// What follows from a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Draw,
    /// What is wanted has changed.
    Read,
    /// Nothing new is wanted.
    Hold,
    End,
}

impl State {
    pub(super) fn new(place: String, search: String) -> Self {
        let page = if search.is_empty() { Page::Executors } else { Page::Waiting };
        Self {
            place,
            request: Request { page, search, job: None },
            seen: None,
            problem: None,
            table: TableState::new().with_selected(0),
            scrolled: 0,
            typed: None,
            is_held: false,
            is_helping: false,
        }
    }

    /// What was read, or why it could not be: what was seen before stays.
    pub(super) fn take(&mut self, seen: Result<Seen, Failure>) {
        match seen {
            Ok(seen) => {
                self.seen = Some(seen);
                self.problem = None;
                self.move_by(0);
            }
            Err(failure) => self.problem = Some(failure.message().to_owned()),
        }
    }

    pub(super) fn on(&mut self, event: &Event) -> Wish {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.pressed(*key),
            Event::Paste(text) => {
                if let Some(typed) = &mut self.typed {
                    typed.extend(text.chars().filter(|letter| !letter.is_control()));
                }
                Wish::Draw
            }
            _ => Wish::Draw,
        }
    }

    fn pressed(&mut self, key: KeyEvent) -> Wish {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            match (key.code, &mut self.typed) {
                (KeyCode::Char('c' | 'd'), _) => return Wish::End,
                (KeyCode::Char('u'), Some(typed)) => typed.clear(),
                _ => {}
            }
            return Wish::Draw;
        }
        if self.typed.is_some() {
            return self.typing(key.code);
        }
        if std::mem::take(&mut self.is_helping) {
            return if key.code == KeyCode::Char('q') { Wish::End } else { Wish::Draw };
        }
        match key.code {
            KeyCode::Char('q') => return Wish::End,
            KeyCode::Char('?' | 'h') => self.is_helping = true,
            KeyCode::Char(' ') => {
                self.is_held = !self.is_held;
                return if self.is_held { Wish::Hold } else { Wish::Read };
            }
            KeyCode::Char('r') => return Wish::Read,
            KeyCode::Char('/') => self.typed = Some(self.request.search.clone()),
            KeyCode::Char(digit @ '1'..='6') => {
                let page = usize::from(digit as u8 - b'1');
                return self.go(Page::ALL.get(page).copied().unwrap_or(Page::Executors));
            }
            KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => return self.turn(1),
            KeyCode::BackTab | KeyCode::Left => return self.turn(Page::ALL.len() - 1),
            KeyCode::Down | KeyCode::Char('j') => self.move_by(1),
            KeyCode::Up | KeyCode::Char('k') => self.move_by(-1),
            KeyCode::PageDown => self.move_by(10),
            KeyCode::PageUp => self.move_by(-10),
            KeyCode::Home | KeyCode::Char('g') => self.move_by(-1_000),
            KeyCode::End | KeyCode::Char('G') => self.move_by(1_000),
            KeyCode::Enter => return self.enter(),
            KeyCode::Esc | KeyCode::Backspace => return self.leave(),
            _ => {}
        }
        Wish::Draw
    }

    fn typing(&mut self, key: KeyCode) -> Wish {
        let Some(typed) = &mut self.typed else { return Wish::Draw };
        match key {
            KeyCode::Char(letter) => typed.push(letter),
            KeyCode::Backspace => drop(typed.pop()),
            KeyCode::Esc => self.typed = None,
            KeyCode::Enter => {
                let search = std::mem::take(typed);
                self.typed = None;
                self.request.search = search.trim().to_owned();
                // A search is one of jobs.
                let page = if self.request.page.jobs().is_none() { Page::Waiting } else { self.request.page };
                return self.go(page);
            }
            _ => {}
        }
        Wish::Draw
    }

    fn go(&mut self, page: Page) -> Wish {
        self.request = Request { page, job: None, search: std::mem::take(&mut self.request.search) };
        self.table.select(Some(0));
        Wish::Read
    }

    fn turn(&mut self, by: usize) -> Wish {
        let at = Page::ALL.iter().position(|page| *page == self.request.page).unwrap_or(0);
        let next = (at + by) % Page::ALL.len();
        self.go(Page::ALL.get(next).copied().unwrap_or(Page::Executors))
    }

    /// How many lines the page has.
    fn lines(&self) -> usize {
        let Some(seen) = self.seen.as_ref().filter(|seen| seen.request.page == self.request.page) else { return 0 };
        match self.request.page {
            Page::Executors => seen.overview.cluster.executors.len(),
            Page::Nodes => seen.overview.cluster.nodes.len(),
            _ => seen.jobs.len(),
        }
    }

    fn move_by(&mut self, lines: i16) {
        if self.request.job.is_some() {
            let most = self.seen.as_ref().map_or(0, |seen| seen.job.lines().count().saturating_sub(1));
            let most = u16::try_from(most).unwrap_or(u16::MAX);
            self.scrolled = self.scrolled.saturating_add_signed(lines).min(most);
            return;
        }
        let at = self.table.selected().unwrap_or(0).saturating_add_signed(isize::from(lines));
        self.table.select(Some(at.min(self.lines().saturating_sub(1))));
    }

    /// An executor's jobs, or all of a job.
    fn enter(&mut self) -> Wish {
        if self.request.job.is_some() || self.lines() == 0 {
            return Wish::Draw;
        }
        let (Some(seen), Some(at)) = (&self.seen, self.table.selected()) else { return Wish::Draw };
        match self.request.page {
            Page::Nodes => {
                let Some(node) = seen.overview.cluster.nodes.get(at) else { return Wish::Draw };
                self.request.search = format!("node:{}", node.node);
                self.go(Page::Running)
            }
            Page::Executors => {
                let Some(standing) = seen.overview.cluster.executors.get(at) else { return Wish::Draw };
                self.request.search = super::super::jobs::search(&[format!("executor:{}", standing.executor)]);
                self.go(Page::Waiting)
            }
            _ => {
                let Some(job) = seen.jobs.get(at) else { return Wish::Draw };
                self.request.job = Some(job.id.into());
                self.scrolled = 0;
                Wish::Read
            }
        }
    }

    /// Back from a job to the list, and from a search to all.
    fn leave(&mut self) -> Wish {
        if self.request.job.take().is_some() {
            return Wish::Read;
        }
        if self.request.search.is_empty() {
            return Wish::Draw;
        }
        self.request.search.clear();
        self.go(self.request.page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(state: &mut State, key: KeyCode) -> Wish {
        state.on(&Event::Key(KeyEvent::new(key, KeyModifiers::NONE)))
    }

    fn state() -> State {
        State::new("sqlite:jobs.db".to_owned(), String::new())
    }

    #[test]
    fn pages_go_round_and_have_numbers() {
        let mut state = state();
        for page in Page::ALL.into_iter().cycle().skip(1).take(Page::ALL.len()) {
            assert_eq!(press(&mut state, KeyCode::Tab), Wish::Read);
            assert_eq!(state.request.page, page);
        }
        assert_eq!(press(&mut state, KeyCode::BackTab), Wish::Read);
        assert_eq!(state.request.page, Page::Nodes);
        assert_eq!(press(&mut state, KeyCode::Char('2')), Wish::Read);
        assert_eq!(state.request.page, Page::Running);
        assert_eq!(press(&mut state, KeyCode::Char('7')), Wish::Draw);
    }

    #[test]
    fn a_search_is_typed_taken_and_left() {
        let mut state = state();
        press(&mut state, KeyCode::Char('/'));
        // Keys that mean something elsewhere are letters here.
        for letter in "tag:qr".chars() {
            assert_eq!(press(&mut state, KeyCode::Char(letter)), Wish::Draw);
        }
        press(&mut state, KeyCode::Backspace);
        assert_eq!(press(&mut state, KeyCode::Enter), Wish::Read);
        assert_eq!((state.request.search.as_str(), state.request.page), ("tag:q", Page::Waiting));
        press(&mut state, KeyCode::Char('/'));
        assert_eq!(state.typed.as_deref(), Some("tag:q"));
        press(&mut state, KeyCode::Esc);
        assert_eq!((state.typed.as_deref(), state.request.search.as_str()), (None, "tag:q"));
        assert_eq!(press(&mut state, KeyCode::Esc), Wish::Read);
        assert_eq!(state.request.search, "");
        assert_eq!(press(&mut state, KeyCode::Esc), Wish::Draw);
    }

    #[test]
    fn nothing_is_chosen_where_nothing_is() {
        let mut state = state();
        assert_eq!(press(&mut state, KeyCode::Enter), Wish::Draw);
        for key in [KeyCode::Down, KeyCode::Up, KeyCode::End, KeyCode::PageUp] {
            assert_eq!(press(&mut state, key), Wish::Draw);
            assert_eq!(state.table.selected(), Some(0));
        }
    }

    #[test]
    fn what_is_held_is_read_again_when_it_is_let_go() {
        let mut state = state();
        assert_eq!(press(&mut state, KeyCode::Char(' ')), Wish::Hold);
        assert!(state.is_held);
        assert_eq!(press(&mut state, KeyCode::Char(' ')), Wish::Read);
        assert!(!state.is_held);
    }

    #[test]
    fn it_ends_by_q_and_by_control_c_also_in_a_search() {
        let control_c = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
        let mut state = state();
        assert_eq!(press(&mut state, KeyCode::Char('q')), Wish::End);
        press(&mut state, KeyCode::Char('/'));
        assert_eq!(press(&mut state, KeyCode::Char('q')), Wish::Draw);
        assert_eq!(state.on(&control_c), Wish::End);
    }

    #[test]
    fn a_failed_look_keeps_what_was_seen() {
        let mut state = state();
        state.take(Err(Failure::refused("the database is away")));
        assert_eq!(state.problem.as_deref(), Some("the database is away"));
    }
}
