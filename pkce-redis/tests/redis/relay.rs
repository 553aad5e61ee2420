//! A relay that counts round trips: how often the client sends after the server did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

#[derive(Default)]
struct Count {
    trips: AtomicUsize,
    asked: AtomicBool,
}

pub(crate) struct Relay {
    port: u16,
    count: Arc<Count>,
}

impl Relay {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (own, count) = (listener.local_addr().unwrap().port(), Arc::<Count>::default());
        tokio::spawn({
            let count = Arc::clone(&count);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    let ((from_client, to_client), (from_server, to_server)) =
                        (client.into_split(), server.into_split());
                    tokio::spawn(forward(from_client, to_server, Arc::clone(&count), true));
                    tokio::spawn(forward(from_server, to_client, Arc::clone(&count), false));
                }
            }
        });
        Self { port: own, count }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn round_trips(&self) -> usize {
        self.count.trips.load(Ordering::SeqCst)
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, count: Arc<Count>, asks: bool) {
    let mut buffer = vec![0; 256 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if asks && !count.asked.load(Ordering::SeqCst) {
            count.trips.fetch_add(1, Ordering::SeqCst);
        }
        count.asked.store(asks, Ordering::SeqCst);
        if to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
}
