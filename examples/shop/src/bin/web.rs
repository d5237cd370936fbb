//! Takes orders: `cargo run -p example-shop --bin web -- sqlite:shop.db`.

use example_shop::{BoxError, Shop, web};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    let shop = Shop::of_this_program().await?;
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("open at http://{}", listener.local_addr()?);
    axum::serve(listener, web::routes(shop)).with_graceful_shutdown(stop).await?;
    Ok(())
}
