//! The handler to compare with: what the framework does when there is nothing else to do.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use axum::serve::ListenerExt;
use bytes::Bytes;
use tokio::net::TcpListener;

/// The argument that makes this program the bare server.
pub(crate) const ARGUMENT: &str = "--bare";

/// The length of the body that it is to answer with, if this process is to be the bare server.
pub(crate) fn asked() -> Option<usize> {
    let mut arguments = std::env::args().skip_while(|argument| argument != ARGUMENT);
    arguments.nth(1)?.parse().ok()
}

/// Answers every look-up with `len` bytes, always the same, until it is killed.
pub(crate) fn serve(len: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let body = Bytes::from(vec![b'x'; len]);
        let handler = async move || ([(CONTENT_TYPE, "application/json")], body.clone());
        let router = Router::new().route("/v1/ruc/{ruc}", get(handler));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        eprintln!("listening on http://{address}");
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a connection"));
        axum::serve(listener, router).await.expect("it is served");
    });
}
