//! What is done while the customer waits: little.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;

use crate::{
    BoxError, Shop,
    jobs::{Charge, Order, Resize, SendWelcome},
};

/// The pages of the shop.
pub fn routes(shop: Shop) -> Router {
    Router::new()
        .route("/customers", post(sign_up))
        .route("/orders", post(order))
        .route("/pictures/{name}/{width}", post(upload))
        .route("/health", get(health))
        .with_state(shop)
}

#[derive(Deserialize)]
struct Customer {
    email: String,
}

/// Stores the customer and the job that greets them: both, or neither.
async fn sign_up(State(shop): State<Shop>, Json(Customer { email }): Json<Customer>) -> Result<StatusCode, Failed> {
    let mut transaction = shop.db.begin().await?;
    let insert = sqlx::query("INSERT INTO customers (email) VALUES ($1) ON CONFLICT DO NOTHING").bind(&email);
    if insert.execute(&mut *transaction).await?.rows_affected() == 0 {
        return Ok(StatusCode::CONFLICT);
    }
    SendWelcome::builder().with_data(email).enqueue_in(&shop.jobs, &mut transaction).await?;
    transaction.commit().await?;
    Ok(StatusCode::CREATED)
}

/// Takes an order. Whoever sends it again, because the first answer was lost, is answered and not charged again.
async fn order(State(shop): State<Shop>, Json(order): Json<Order>) -> Result<StatusCode, Failed> {
    let mut transaction = shop.db.begin().await?;
    let insert = sqlx::query("INSERT INTO orders (id, card, paid) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING");
    insert.bind(order.id).bind(&order.card).execute(&mut *transaction).await?;
    let charge = Charge::builder().with_data(order).enqueue_in(&shop.jobs, &mut transaction).await?;
    transaction.commit().await?;
    Ok(if charge.is_duplicate() { StatusCode::OK } else { StatusCode::ACCEPTED })
}

/// Stores a picture, to be made smaller later.
async fn upload(
    State(shop): State<Shop>,
    Path((name, width)): Path<(String, i64)>,
    pixels: String,
) -> Result<StatusCode, Failed> {
    let mut transaction = shop.db.begin().await?;
    let insert = sqlx::query("INSERT INTO pictures (name, width, pixels) VALUES ($1, $2, $3)").bind(&name);
    insert.bind(width).bind(pixels).execute(&mut *transaction).await?;
    Resize::builder().with_data(name).enqueue_in(&shop.jobs, &mut transaction).await?;
    transaction.commit().await?;
    Ok(StatusCode::ACCEPTED)
}

/// Whether the database answers, for whoever restarts programs that do not work.
async fn health(State(shop): State<Shop>) -> Result<&'static str, Failed> {
    shop.jobs.ping(std::time::Duration::from_secs(2)).await?;
    Ok("well")
}

/// Something failed that the customer can do nothing about.
struct Failed(BoxError);

impl<E: Into<BoxError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        eprintln!("failed: {:?}", self.0);
        (StatusCode::SERVICE_UNAVAILABLE, "please try again soon").into_response()
    }
}
