//! The jobs of a shop, of every kind that a dashboard shows.

use std::time::Duration;

use rexecutor::{
    TimeDelta,
    backend::{Enqueue, NewJob},
    clock::{Clock, SystemClock},
    node::StartError,
    prelude::*,
};
use rexecutor_sqlx::SqliteBackend;
use serde::{Deserialize, Serialize};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A mail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mail {
    to: String,
    subject: String,
}

/// Sends a mail.
#[job(max_attempts = 5, tags = ["mail"])]
pub async fn send_mail(mail: Mail) {
    pause_ms(if mail.to.len().is_multiple_of(2) { 40 } else { 75 }).await;
}

/// Makes small pictures of a large one, which takes a while.
#[job(max_concurrency = 3, tags = ["media"])]
pub async fn resize_image(image: u64) {
    pause_ms(4_000 + image % 5 * 1_500).await;
}

/// An order, and how it is paid.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    order: u64,
    card: String,
    amount_cents: u32,
}

/// What goes wrong with a bank.
#[derive(Debug, thiserror::Error)]
pub enum ChargeError {
    /// It says no.
    #[error("the bank declined card {0}: insufficient funds")]
    Declined(String),
    /// It cannot be reached.
    #[error("could not reach the bank for order {0}")]
    Unreachable(u64, #[source] std::io::Error),
}

impl ExecutionError for ChargeError {
    fn error_type(&self) -> &str {
        match self {
            Self::Declined(_) => "declined",
            Self::Unreachable(..) => "bank_unreachable",
        }
    }
}

/// Takes the money for an order. Some fail once, and some for good.
#[job(max_attempts = 3, backoff = exponential("4s", max = "1m"), timeout = "30s", tags = ["money"])]
pub async fn charge_card(order: Order) -> Result<(), ChargeError> {
    pause_ms(120).await;
    match order.order % 11 {
        3 => Err(ChargeError::Declined(format!("ending in {}", order.card))),
        7 => {
            let refused =
                std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused (bank.example:443)");
            Err(ChargeError::Unreachable(order.order, refused))
        }
        _ => Ok(()),
    }
}

/// Sends what a customer has changed to another system: one at a time for each customer.
#[job(concurrency(key = |change| change.customer, limit = 1))]
pub async fn sync_customer(change: Change) {
    pause_ms(900 + change.customer % 3 * 400).await;
}

/// What a customer has changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    customer: u64,
    fields: Vec<String>,
}

/// Asks a supplier, who allows so many questions a minute.
#[job(rate_limit = "20/1m", burst = 4)]
pub async fn check_stock(article: u64) {
    pause_ms(80 + article % 40).await;
}

/// Two of these at once in the whole cluster, since they are heavy.
#[job(cluster_concurrency = 2)]
pub async fn rebuild_index(shard: u64) {
    pause_ms(9_000 + shard % 4 * 500).await;
}

/// Reads a supplier's articles.
#[job(max_attempts = 8)]
pub async fn import_feed(supplier: String) -> Result<(), BoxError> {
    Err(format!("{supplier} answered with 503").into())
}

/// Sums up a minute. It is short, so that there is something to see.
#[job(cron = "30 * * * * *", timezone = "Europe/London")]
pub async fn minute_report() {
    pause_ms(300).await;
}

/// Sums up a day.
#[job(cron = "0 30 2 * * *", timezone = "Europe/London")]
pub async fn nightly_report() {
    pause_ms(300).await;
}

/// Starts a node that runs all of it.
///
/// # Errors
///
/// When it cannot start.
pub async fn start(backend: SqliteBackend) -> Result<Rexecutor<rexecutor::node::GlobalSet>, StartError> {
    let node = Rexecutor::from_registry().with_backend(backend).with_max_running(20);
    node.with_label("web-1").with_version(env!("CARGO_PKG_VERSION")).start().await
}

/// Some jobs of each kind.
///
/// # Errors
///
/// When they cannot be enqueued.
pub async fn enqueue_some() -> Result<(), BoxError> {
    ImportFeed::pause(Pause::new("the supplier moves their servers").by("ann")).await?;
    for number in 0..6 {
        let supplier = format!("supplier-{number}");
        ImportFeed::builder().with_data(supplier).enqueue().await?;
        RebuildIndex::builder().with_data(number).enqueue().await?;
        ResizeImage::builder().with_data(number).enqueue().await?;
    }
    for number in 0..30 {
        CheckStock::builder().with_data(number).enqueue().await?;
        SyncCustomer::builder().with_data(change(number)).enqueue().await?;
        mail_of(number).await?;
    }
    let mail = |to: &str, subject: &str| Mail { to: to.to_owned(), subject: subject.to_owned() };
    let later = SendMail::builder().with_data(mail("rita@example.com", "Your voucher ends soon"));
    later.schedule_in(TimeDelta::days(12)).enqueue().await?;
    let blocked = SendMail::builder().with_data(mail("omar@example.com", "Your parcel is here"));
    blocked.blocked().enqueue().await?;
    let cancelled = ResizeImage::builder().with_data(99).schedule_in(TimeDelta::hours(1)).enqueue().await?;
    ResizeImage::cancel_job(cancelled, Box::new("the picture was deleted")).await?;
    // Nobody has had this executor for two releases.
    let backend = rexecutor::global::backend()?;
    backend.enqueue(vec![NewJob::new("export_legacy", r#"{"table":"orders"}"#)]).await?;
    Ok(())
}

/// Goes on enqueuing, so that there is something to see.
pub async fn enqueue_for_ever() {
    for number in 100.. {
        if let Err(error) = enqueue_next(number).await {
            eprintln!("could not enqueue: {error}");
        }
        pause_ms(220).await;
    }
}

async fn enqueue_next(number: u64) -> Result<(), BoxError> {
    mail_of(number).await?;
    let card = format!("{:04}", number * 7 % 10_000);
    let order = Order { order: number, card, amount_cents: u32::try_from(number * 137 % 20_000)? };
    ChargeCard::builder().with_data(order).with_tags(vec![format!("customer-{}", number % 9)]).enqueue().await?;
    match number % 20 {
        0 => drop(SyncCustomer::builder().with_data(change(number / 20)).enqueue().await?),
        5 => drop(ResizeImage::builder().with_data(number).enqueue().await?),
        10 => drop(CheckStock::builder().with_data(number).enqueue().await?),
        _ => {}
    }
    Ok(())
}

async fn mail_of(number: u64) -> Result<(), BoxError> {
    let to = format!("customer-{}@example.com", number % 37);
    let mail = Mail { to, subject: format!("Order {number} is on its way") };
    SendMail::builder().with_data(mail).enqueue().await?;
    Ok(())
}

fn change(number: u64) -> Change {
    Change { customer: number % 4, fields: vec!["address".to_owned(), "phone".to_owned()] }
}

async fn pause_ms(ms: u64) {
    SystemClock.sleep(Duration::from_millis(ms)).await;
}
