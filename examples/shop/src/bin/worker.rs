//! Does the work: `cargo run -p example-shop --bin worker -- sqlite:shop.db`.

use example_shop::{BoxError, Shop};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let shop = Shop::of_this_program().await?;
    shop.worker().start().await?.run_until_signal().await;
    Ok(())
}
