//! A page's table, in the room that there is.

use ratatui::{
    layout::Constraint,
    style::{Modifier, Style},
    text::Text,
    widgets::{Cell, Row, Table},
};

use super::draw::one_line;

/// A table as the commands print it: a heading that begins with `>` stands over numbers.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>], width: u16) -> Table<'static> {
    let is_number = |column: usize| headings.get(column).is_some_and(|heading| heading.starts_with('>'));
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column)).map(|cell| cell.chars().count());
    let wanted = |(column, heading): (usize, &&str)| {
        let giving_way = GIVING_WAY.iter().position(|name| heading.trim_start_matches('>') == *name);
        let heading = heading.trim_start_matches('>').chars().count();
        let cells = cells(column).max().unwrap_or(0).max(heading).min(60);
        let least = if is_number(column) { cells } else { heading.max(LEAST).min(cells) };
        Wanted { column, cells, least, giving_way: giving_way.unwrap_or(usize::MAX) }
    };
    let columns = fit(headings.iter().enumerate().map(wanted).collect(), usize::from(width));
    let is_last = |column: usize| columns.last().is_some_and(|last| last.column == column);
    let cell = |shown: &Wanted, text: &str| match is_number(shown.column) && !is_last(shown.column) {
        true => Cell::from(Text::from(shortened(text, shown.cells)).right_aligned()),
        false => Cell::from(shortened(text, shown.cells)),
    };
    let row = |row: &Vec<String>| {
        let texts = columns.iter().filter_map(|shown| Some(cell(shown, &one_line(row.get(shown.column)?))));
        Row::new(texts.collect::<Vec<_>>())
    };
    let heading = columns
        .iter()
        .filter_map(|shown| Some(cell(shown, &headings.get(shown.column)?.trim_start_matches('>').to_uppercase())));
    let widths = columns.iter().map(|shown| Constraint::Length(u16::try_from(shown.cells).unwrap_or(u16::MAX)));
    Table::new(rows.iter().map(row), widths)
        .column_spacing(SPACING)
        .header(Row::new(heading.collect::<Vec<_>>()).style(Style::new().dim()))
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
}

/// What is not shown where there is no room for all, in this order: a page has one status, and all of a job is an Enter away.
const GIVING_WAY: [&str; 3] = ["status", "attempt", "when"];

/// Between two columns.
const SPACING: u16 = 2;

/// So many letters of a text tell it from another one.
const LEAST: usize = 8;

/// How wide a column would be, how narrow it may be, and as which one it is left out.
#[derive(Clone, Copy)]
struct Wanted {
    column: usize,
    cells: usize,
    least: usize,
    giving_way: usize,
}

/// How wide columns are: the widest texts give way first, and then whole columns. The last one has what is left.
fn fit(mut wanted: Vec<Wanted>, width: usize) -> Vec<Wanted> {
    let spacing = usize::from(SPACING);
    let sum = |cells: fn(&Wanted) -> usize, wanted: &[Wanted]| {
        wanted.iter().map(|one| cells(one) + spacing).sum::<usize>().saturating_sub(spacing)
    };
    while sum(|one| one.least, &wanted) > width && wanted.len() > 1 {
        // Of those that give way alike the one at the end.
        let next = wanted.iter().rev().min_by_key(|one| one.giving_way).map(|one| one.column);
        wanted.retain(|one| Some(one.column) != next);
    }
    while sum(|one| one.cells, &wanted) > width {
        match wanted.iter_mut().filter(|one| one.cells > one.least).max_by_key(|one| one.cells) {
            Some(widest) => widest.cells -= 1,
            None => break,
        }
    }
    let left = width.saturating_sub(sum(|one| one.cells, &wanted));
    if let Some(last) = wanted.last_mut() {
        last.cells += left;
    }
    wanted
}

/// A text in so many cells at most, the mark that it is cut among them.
fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_give_way_and_then_whole_columns() {
        let fit = |columns: &[(usize, usize, usize)], width| {
            let wanted = columns.iter().enumerate();
            let wanted =
                wanted.map(|(column, &(cells, least, giving_way))| Wanted { column, cells, least, giving_way });
            fit(wanted.collect(), width).iter().map(|one| (one.column, one.cells)).collect::<Vec<_>>()
        };
        let columns = [(4, 4, 9), (40, 8, 9), (9, 8, 0), (5, 5, 9)];
        assert_eq!(fit(&columns, 80), [(0, 4), (1, 40), (2, 9), (3, 21)], "the last one has what is left");
        assert_eq!(fit(&columns, 50), [(0, 4), (1, 26), (2, 9), (3, 5)]);
        assert_eq!(fit(&columns, 31), [(0, 4), (1, 8), (2, 8), (3, 5)]);
        assert_eq!(fit(&columns, 30), [(0, 4), (1, 17), (3, 5)], "none is cut into a number");
        assert_eq!(fit(&columns, 20), [(0, 4), (1, 14)]);
        assert_eq!(fit(&columns, 3), [(0, 4)]);
        assert_eq!(fit(&[], 10), []);
    }

    #[test]
    fn a_text_that_fits_is_whole_and_another_one_ends_with_a_mark() {
        let shown = ["printer", "print", "däh", ""].map(|text| shortened(text, 5));
        assert_eq!(shown, ["prin…", "print", "däh", ""]);
        assert_eq!([shortened("ab", 1), shortened("ab", 0)], ["…", "…"]);
    }
}
