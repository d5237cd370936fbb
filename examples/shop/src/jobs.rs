//! What is done later.

use rexecutor::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{BoxError, Shop};

/// Sends the welcome mail.
#[job(max_attempts = 10, timeout = "30s")]
pub async fn send_welcome(email: String) {
    println!("To: {email}\nWelcome to the shop!");
}

/// An order, whose number the customer's browser has chosen, and how it is paid.
#[derive(Debug, Serialize, Deserialize)]
pub struct Order {
    pub(crate) id: i64,
    pub(crate) card: String,
}

/// Takes the money for an order: once, however often the order is sent.
#[job(unique(key = |order| order.id), max_attempts = 8, backoff = exponential("10s", max = "1h"))]
pub async fn charge(order: Order, State(shop): State<Shop>) -> Result<(), BoxError> {
    // A real bank is told the order's number, so that it takes the money once, also where this job runs twice.
    if order.card == "0000" {
        Err(Declined)?;
    }
    sqlx::query("UPDATE orders SET paid = 1 WHERE id = $1").bind(order.id).execute(&shop.db).await?;
    Ok(())
}

/// The bank says no. Another attempt would be declined, too.
#[derive(Debug, thiserror::Error)]
#[error("the card was declined")]
pub struct Declined;

impl ExecutionError for Declined {
    fn error_type(&self) -> &str {
        "declined"
    }

    fn disposition(&self) -> Disposition {
        Disposition::Discard
    }
}

rexecutor::execution_error!(Declined);

/// Halves a picture, which keeps a processor busy: on a thread for such work.
#[job(blocking, max_concurrency = 2, timeout = "1m")]
pub async fn resize(name: String, State(shop): State<Shop>) -> Result<(), BoxError> {
    let select = sqlx::query_as("SELECT width, pixels FROM pictures WHERE name = $1").bind(&name);
    let (width, pixels): (i64, String) = select.fetch_one(&shop.db).await?;
    let rows: Vec<char> = pixels.chars().collect();
    let rows = rows.chunks(usize::try_from(width)?.max(1)).step_by(2);
    let smaller: String = rows.flat_map(|row| row.iter().step_by(2)).collect();
    let update = sqlx::query("UPDATE pictures SET small = $2 WHERE name = $1").bind(&name);
    update.bind(smaller).execute(&shop.db).await?;
    Ok(())
}

/// Counts customers and paid orders, every night.
#[job(cron = "0 0 3 * * *", timezone = "Europe/London", retain = "7d")]
pub async fn nightly_report(context: JobContext, State(shop): State<Shop>) -> Result<(), BoxError> {
    let insert = "INSERT INTO reports (day, customers, paid) VALUES ($1, (SELECT count(*) FROM customers), \
        (SELECT count(*) FROM orders WHERE paid = 1)) ON CONFLICT DO NOTHING";
    sqlx::query(insert).bind(context.clock().now().date_naive().to_string()).execute(&shop.db).await?;
    Ok(())
}
