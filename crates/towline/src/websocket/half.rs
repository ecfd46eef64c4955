//! A WebSocket in two hands: one reads, any number write.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use towline_proto::{CloseFrame, Data, Message, MessageKind, Piece};

use super::inbound::{Arrival, Happening, Inbound};
use super::link::{ReadHalf, Shared};
use super::{Outbound, Output, Parts, Source, WebSocket};
use crate::error::Result;
use crate::info::{ConnectionInfo, Stats};
use crate::statistics::BandwidthStatistics;
use crate::transport::{BoxWrite, split_io};

/// The half that reads. It answers pings and keeps the deadlines, so somebody has to poll it.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) inbound: Box<Inbound>,
    pub(crate) link: ReadHalf,
    pub(crate) info: Arc<ConnectionInfo>,
}

/// A half that writes. Clones write to the same connection.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    /// Whether what this one sends is compressed: others may think differently.
    #[cfg(feature = "deflate")]
    pub(crate) compress: bool,
    pub(crate) info: Arc<ConnectionInfo>,
}

pub(crate) fn split<T>(socket: WebSocket<T>) -> (Reader, Writer)
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    // The halves of a TCP connection share no lock; other byte streams are split by tokio.
    let Parts { inbound, link, info } = *socket.parts;
    let (io, outbound) = link.outbound.take_io();
    let (read, write) = split_io(io);
    let outbound = outbound.put_io(write);
    let shared = Shared::new(outbound);
    let info: Arc<ConnectionInfo> = info.into();
    let reader = Reader {
        inbound: Box::new(inbound),
        link: ReadHalf::new(read, Arc::clone(&shared)),
        info: Arc::clone(&info),
    };
    #[cfg(feature = "deflate")]
    let compress = shared.lock().sender.get_compress();
    let writer = Writer {
        shared,
        #[cfg(feature = "deflate")]
        compress,
        info,
    };
    (reader, writer)
}

impl Reader {
    pub(crate) fn stats(&self) -> Stats {
        super::stats(&self.inbound, &self.link.shared.lock().sender)
    }

    pub(crate) fn bandwidth(&mut self) -> BandwidthStatistics {
        match self.link.of_tcp() {
            Some(known) => known.bandwidth,
            None => self.inbound.measure(&self.link.shared.lock().sender),
        }
    }

    pub(crate) fn tcp_round_trip(&self) -> Option<Duration> {
        self.link.of_tcp()?.round_trip
    }
}

impl Source for Reader {
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Happening>>> {
        self.inbound.poll_event(cx, &mut self.link)
    }
    fn poll_arrival(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Arrival>>> {
        self.inbound.poll_arrival(cx, &mut self.link)
    }
    #[inline(always)]
    fn next_message(&mut self) -> Option<Message> {
        self.inbound.next_message(&mut self.link)
    }
    fn lend(&mut self, data: &Data) -> Option<Piece<'_>> {
        self.inbound.lend(data, &mut self.link)
    }
    fn payload(&self, data: &Data) -> &[u8] {
        self.inbound.payload(data)
    }
    fn control_payload(&self) -> &[u8] {
        self.inbound.receiver.control_payload()
    }
    fn release(&mut self) {
        self.inbound.release();
    }
}

impl Writer {
    pub(crate) async fn feed(&self, message: Message) -> Result<()> {
        let mut message = Some(message);
        poll_fn(|cx| self.with(|outbound| outbound.poll_feed(cx, &mut message))).await
    }

    #[cfg(feature = "deflate")]
    pub(crate) async fn send_prepared(&self, message: &towline_proto::Prepared) -> Result<()> {
        poll_fn(|cx| self.shared.with(|outbound| outbound.poll_room(cx))).await?;
        self.with(|outbound| outbound.sender.send_prepared(message))?;
        self.flush().await
    }

    /// Does something that may begin a message.
    fn with<R>(&self, act: impl FnOnce(&mut Outbound<BoxWrite>) -> R) -> R {
        self.shared.with(|outbound| {
            #[cfg(feature = "deflate")]
            outbound.sender.compress(self.compress);
            act(outbound)
        })
    }

    pub(crate) async fn flush(&self) -> Result<()> {
        poll_fn(|cx| self.shared.with(|outbound| outbound.poll_flush(cx))).await
    }

    pub(crate) async fn send_fragment(
        &self,
        kind: MessageKind,
        payload: &[u8],
        fin: bool,
    ) -> Result<()> {
        poll_fn(|cx| self.shared.with(|outbound| outbound.poll_room(cx))).await?;
        self.with(|outbound| outbound.sender.send_fragment(kind, payload, fin))?;
        self.flush().await
    }

    pub(crate) async fn ping(&self, payload: &[u8]) -> Result<()> {
        poll_fn(|cx| self.shared.with(|outbound| outbound.poll_room(cx))).await?;
        self.shared.with(|outbound| outbound.sender.ping(payload, Instant::now().into_std()))?;
        self.flush().await
    }

    pub(crate) async fn pong(&self, payload: &[u8]) -> Result<()> {
        poll_fn(|cx| self.shared.with(|outbound| outbound.poll_room(cx))).await?;
        self.shared.with(|outbound| outbound.sender.pong(payload))?;
        self.flush().await
    }

    /// Begins the closing handshake and writes the closing frame; the reader sees its end.
    pub(crate) async fn close(&self, frame: Option<CloseFrame>) -> Result<()> {
        Output::close(&mut Arc::clone(&self.shared), frame);
        self.flush().await
    }
}
