//! Threads that each have a runtime of their own, and connections that stay where they are.

use std::io;
use std::thread;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use towline::{Detached, Incoming};

/// Runtimes that share nothing: a message never meets a lock or another thread's cache.
pub(crate) struct Workers {
    queues: Vec<UnboundedSender<Detached>>,
    next: usize,
}

impl Workers {
    /// Starts so many threads, each of which calls `handle` in its runtime for its connections.
    pub(crate) fn start(
        count: u16,
        handle: impl Fn(Incoming) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let queues = (0..count).map(|number| {
            let (queue, connections) = unbounded_channel();
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let handle = handle.clone();
            thread::Builder::new()
                .name(format!("worker {number}"))
                .spawn(move || runtime.block_on(serve(connections, handle)))?;
            Ok(queue)
        });
        Ok(Self { queues: queues.collect::<io::Result<_>>()?, next: 0 })
    }

    /// Gives the connection to the worker whose turn it is, so that all have as many.
    pub(crate) fn take(&mut self, incoming: Incoming) {
        // One that the operating system refuses to move is closed.
        let Ok(connection) = incoming.detach() else { return };
        // A worker ends only with the process.
        let _ = self.queues[self.next].send(connection);
        self.next = (self.next + 1) % self.queues.len();
    }
}

async fn serve(mut connections: UnboundedReceiver<Detached>, handle: impl Fn(Incoming)) {
    while let Some(connection) = connections.recv().await {
        if let Ok(incoming) = connection.attach() {
            handle(incoming);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use tokio::net::TcpStream;
    use towline::Server;

    use super::Workers;

    #[tokio::test]
    async fn connections_spread_evenly() {
        let (told, names) = mpsc::channel();
        let mut workers = Workers::start(3, move |_| {
            told.send(thread::current().name().unwrap_or_default().to_owned()).unwrap();
        })
        .unwrap();
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        for _ in 0..30 {
            let (stream, incoming) =
                tokio::join!(TcpStream::connect(server.local_addr()), server.accept());
            workers.take(incoming.unwrap());
            drop(stream.unwrap());
        }
        let mut served = BTreeMap::new();
        for _ in 0..30 {
            *served.entry(names.recv_timeout(Duration::from_secs(60)).unwrap()).or_insert(0) += 1;
        }
        assert_eq!(served.into_values().collect::<Vec<_>>(), [10, 10, 10]);
    }
}
