//! Copying all that a database has.
//!
//! Each table is walked in the order of its keys, on both sides at once: what the target lacks or has otherwise is stored, what it
//! has too much is deleted. So nothing has to be remembered of how far a copy has got; a call that was killed is repeated. The first
//! pass stores, and the passes after it find nothing to do, or the source was changed meanwhile. The last one is the check: what it
//! counts and digests has been read from both databases.
//!
//! # Invariants
//!
//! - The cluster of the target is paused from before the first row until all of it has come. So no node claims from half a copy.
//! - No job of the target is deleted or replaced whose number the source has not given out.
//! - What the source says of the end of a copy, up to which number its jobs are copied, is stored before the target's pause is over: those
//!   jobs are never moved by `live`.

use std::collections::BTreeMap;

use super::{
    DatabaseCopy,
    error::{CopyError, Result},
    jobs,
    report::{CheckedRows, CopyProgress, WholeCopy},
    store::{Begun, Numbers, Page, Range, Run, State, Store},
    tables::{self, CONTROLS, JOBS, LIMITS},
    value::{Digest, Row, Table, Value},
};

/// The most rows that are read at once.
const MOST_ROWS: usize = 500;

/// How often all tables are compared before it is given up.
const MOST_PASSES: u32 = 5;

/// A whole copy that goes on.
struct Copying<'c> {
    copy: &'c DatabaseCopy,
    source: &'c dyn Store,
    target: &'c dyn Store,
    run: Run,
    begun: Begun,
    /// The last numbers that the source has given out.
    last: Numbers,
    report: WholeCopy,
}

/// Copies all of it.
pub(super) async fn run(copy: &DatabaseCopy) -> Result<WholeCopy> {
    let (source, target) = copy.stores();
    let (before, there) = copy.states().await?;
    check(&before, &there)?;
    let run = source.begin_source(super::fresh_name()).await?;
    let begun = target.begin_target(&run, true, before.last, super::fresh_name()).await?;
    let report = WholeCopy { clock_ahead_ms: super::clock_ahead(&before, &there), ..WholeCopy::default() };
    let reserved_to = begun.reserved_to;
    let mut copying = Copying { copy, source, target, run, begun, last: before.last, report };
    for pass in 1.. {
        let (differing, contents) = copying.pass(pass).await?;
        let (now, there) = copy.states().await?;
        alive(&now, &there)?;
        // What was enqueued during the pass may stand behind what was read.
        let has_new = std::mem::replace(&mut copying.last, now.last) != now.last || now.last.jobs > reserved_to;
        match differing {
            // The first pass compares with what was stored before it.
            None if pass > 1 && !has_new => {
                (copying.report.statuses, copying.report.tables) = (contents.statuses, contents.tables);
                break;
            }
            differing if pass >= MOST_PASSES => {
                let (table, rows) = differing.unwrap_or((JOBS.name, 1));
                return Err(CopyError::Changing { table, rows });
            }
            _ => {}
        }
    }
    copying.finish().await
}

/// What would be copied.
pub(super) async fn dry_run(copy: &DatabaseCopy) -> Result<WholeCopy> {
    let (before, there) = copy.states().await?;
    check(&before, &there)?;
    let mut report = WholeCopy { clock_ahead_ms: super::clock_ahead(&before, &there), ..WholeCopy::default() };
    for table in tables::copied() {
        let checked = count(copy.stores().0, table).await?;
        if table.name == JOBS.name { &mut report.statuses } else { &mut report.tables }.extend(checked);
    }
    Ok(report)
}

/// What there is of a table, by the status of jobs.
async fn count(source: &dyn Store, table: &'static Table) -> Result<Vec<CheckedRows>> {
    let (mut digests, mut after, mut limit) = (digests(table), None::<Vec<Value>>, MOST_ROWS);
    loop {
        let page = source.read(table, Range { after: after.as_deref(), upto: None, limit }).await?;
        limit = next_limit(limit, &page);
        after = page.rows.last().map(|row| table.key(row).to_vec());
        let rows: Vec<Row> = page.rows.into_iter().filter(|row| is_copied(table, row)).collect();
        add(&mut digests, table, &rows);
        if page.is_end || after.is_none() {
            return Ok(checked(digests).collect());
        }
    }
}

/// Digests by status, or one of the whole table.
type Digests = BTreeMap<String, Digest>;

fn digests(table: &Table) -> Digests {
    // A table without rows has one, too.
    (table.name != JOBS.name).then(|| (table.name.to_owned(), Digest::default())).into_iter().collect()
}

fn add(digests: &mut Digests, table: &Table, rows: &[Row]) {
    for row in rows {
        let name = if table.name == JOBS.name { jobs::text(row, jobs::STATUS) } else { table.name };
        match digests.get_mut(name) {
            Some(digest) => digest.add(row),
            None => digests.entry(name.to_owned()).or_default().add(row),
        }
    }
}

fn checked(digests: Digests) -> impl Iterator<Item = CheckedRows> {
    digests.into_iter().map(|(name, digest)| CheckedRows { name, rows: digest.rows, digest: digest.finish() })
}

/// Whether the databases can be copied as a whole at all.
pub(super) fn check(source: &State, target: &State) -> Result<()> {
    alive(source, target)?;
    for (database, state) in [("the source", source), ("the target", target)] {
        if state.outgoing > 0 {
            return Err(CopyError::UnderWay { database, jobs: state.outgoing });
        }
    }
    let token = source.source().map(|copy| copy.token.as_str());
    let known = target.copies.iter().find(|copy| !copy.is_source && Some(copy.token.as_str()) == token);
    match known {
        Some(copy) if copy.is_whole && copy.is_finished => Err(CopyError::CopiedAlready),
        Some(copy) if copy.is_whole => Ok(()),
        _ if target.has_jobs => Err(CopyError::OtherJobs),
        _ => Ok(()),
    }
}

fn alive(source: &State, target: &State) -> Result<()> {
    for (database, state) in [("the source", source), ("the target", target)] {
        if !state.alive.is_empty() {
            return Err(CopyError::NodesAlive { database, nodes: state.alive.clone() });
        }
    }
    Ok(())
}

/// What a pass has read, the same from both databases.
#[derive(Default)]
struct Contents {
    statuses: Vec<CheckedRows>,
    tables: Vec<CheckedRows>,
}

/// What stands where in both databases.
struct Difference {
    /// Missing in the target, or different there.
    stored: Vec<Row>,
    /// Not in the source.
    extra: Vec<Row>,
}

impl Copying<'_> {
    /// Compares all tables, and makes the target's like the source's; gives the first that was not, and the number of its rows that
    /// were not.
    async fn pass(&mut self, pass: u32) -> Result<(Option<(&'static str, u64)>, Contents)> {
        let (mut first, mut contents) = (None, Contents::default());
        for table in tables::copied() {
            let (changed, counted) = self.table(table, pass).await?;
            if changed > 0 {
                first.get_or_insert((table.name, changed));
                self.report.stored += changed;
            }
            match table.name == JOBS.name {
                true => contents.statuses.extend(checked(counted)),
                false => contents.tables.extend(checked(counted)),
            }
        }
        Ok((first, contents))
    }

    /// Walks over a table on both sides; gives how many rows were changed, and what the source has, by the status of jobs.
    async fn table(&mut self, table: &'static Table, pass: u32) -> Result<(u64, Digests)> {
        let (mut digests, mut changed, mut rows, mut limit) = (digests(table), 0, 0, MOST_ROWS);
        let mut after: Option<Vec<Value>> = None;
        loop {
            let page = self.source.read(table, Range { after: after.as_deref(), upto: None, limit }).await?;
            limit = next_limit(limit, &page);
            let upto = page.rows.last().filter(|_| !page.is_end).map(|row| table.key(row).to_vec());
            let (here, number) = self.copied_rows(table, page.rows);
            let there = self.target_rows(table, after.as_deref(), upto.as_deref()).await?;
            add(&mut digests, table, &here);
            rows += here.len() as u64;
            let Difference { stored, extra } = difference(table, here, there);
            let stored_rows = stored.len() as u64;
            changed += stored_rows + extra.len() as u64;
            if !stored.is_empty() {
                self.target.write(&self.run, table, stored, true).await?;
            }
            if !extra.is_empty() {
                self.target.delete(&self.run, table, extra).await?;
            }
            let number = number.map(|number| (number, self.last.jobs.max(number)));
            self.copy.tell(CopyProgress::Compared { table: table.name, pass, rows, stored: stored_rows, number });
            match upto {
                Some(key) => after = Some(key),
                None => return Ok((changed, digests)),
            }
        }
    }

    /// Those that are copied, and the last number among them.
    fn copied_rows(&self, table: &Table, mut rows: Vec<Row>) -> (Vec<Row>, Option<i64>) {
        let is_jobs = table.name == JOBS.name;
        let number = if is_jobs { rows.last().map(jobs::id) } else { None };
        rows.retain(|row| is_copied(table, row) && !(is_jobs && jobs::id(row) > self.begun.reserved_to));
        (rows, number)
    }

    /// All rows of the target in this range, but for jobs that are its own.
    async fn target_rows(
        &self,
        table: &'static Table,
        after: Option<&[Value]>,
        upto: Option<&[Value]>,
    ) -> Result<Vec<Row>> {
        let reserved = [Value::Long(self.begun.reserved_to)];
        let upto = if table.name == JOBS.name { upto.or(Some(&reserved)) } else { upto };
        let (mut all, mut limit, mut after) = (Vec::new(), MOST_ROWS, after.map(<[Value]>::to_vec));
        loop {
            let page = self.target.read(table, Range { after: after.as_deref(), upto, limit }).await?;
            limit = next_limit(limit, &page);
            after = page.rows.last().map(|row| table.key(row).to_vec());
            all.extend(page.rows);
            if page.is_end || after.is_none() {
                return Ok(self.copied_rows(table, all).0);
            }
        }
    }

    async fn finish(mut self) -> Result<WholeCopy> {
        let pause = self.pause_of_source().await?;
        self.source.finish_source(&self.run, self.last.jobs).await?;
        self.report.others = self.target.finish_target(&self.run, self.last, pause).await?;
        Ok(self.report)
    }

    /// The row that says that the whole cluster of the source is paused.
    async fn pause_of_source(&self) -> Result<Option<Row>> {
        let page = self
            .source
            .read(&CONTROLS, Range { after: None, upto: Some(&[Value::Text(String::new())]), limit: 1 })
            .await?;
        Ok(page.rows.into_iter().next())
    }
}

/// Whether a row is one of those that both databases are to have.
fn is_copied(table: &Table, row: &Row) -> bool {
    match table.name {
        // The pause of the whole cluster comes last.
        name if name == CONTROLS.name => row.first().and_then(Value::text) != Some(""),
        // On PostgreSQL, what claims lock has a row, which may say nothing.
        name if name == LIMITS.name => row.iter().skip(table.keys).any(|value| *value != Value::Null),
        _ => true,
    }
}

/// Half as many where they did not fit, twice as many where they did.
fn next_limit(limit: usize, page: &Page) -> usize {
    match page.rows.len() < limit && !page.is_end {
        true => page.rows.len().max(1),
        false => (2 * limit).min(MOST_ROWS),
    }
}

/// Compares rows that are in the order of their keys.
fn difference(table: &Table, here: Vec<Row>, there: Vec<Row>) -> Difference {
    let mut there: BTreeMap<Vec<Value>, Row> = there.into_iter().map(|row| (table.key(&row).to_vec(), row)).collect();
    let is_other = |row: &Row| there.remove(table.key(row)).as_ref() != Some(row);
    let stored = here.into_iter().filter(is_other).collect();
    Difference { stored, extra: there.into_values().collect() }
}
