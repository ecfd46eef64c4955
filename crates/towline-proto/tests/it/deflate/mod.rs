//! permessage-deflate (RFC 7692): what is agreed, what is received, what is sent.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests a panic is a failed test")]

mod budget;
mod codec;
mod limits;
mod params;
mod prepared;
mod receive;
mod send;

use std::time::Instant;

use http::header::SEC_WEBSOCKET_EXTENSIONS;
use http::{HeaderMap, HeaderValue};
use towline_proto::handshake::headers::extensions;
use towline_proto::{Config, Connection, Deflate, DeflateTerms, Message, Role};

use crate::check::{Got, Joined, Random, drain, receive_all};

fn header(text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_str(text).unwrap());
    headers
}

/// What a client and a server with these settings agree on: the client's terms and the server's.
fn agree(client: &Deflate, server: &Deflate) -> (DeflateTerms, DeflateTerms) {
    let offer = client.offer();
    let for_server = server.accept(&header(&offer.to_string())).unwrap();
    let answer = extensions(&header(&for_server.to_string())).unwrap();
    (offer.agreed(&answer).unwrap().unwrap(), for_server)
}

fn connect(role: Role, config: Config, terms: &DeflateTerms) -> Connection {
    Connection::new(role, config, [7; 32], Instant::now()).deflate(terms)
}

/// A client and a server with these settings on both sides.
fn pair(settings: &Deflate) -> (Connection, Connection) {
    let (for_client, for_server) = agree(settings, settings);
    (
        connect(Role::Client, Config::default(), &for_client),
        connect(Role::Server, Config::default(), &for_server),
    )
}

/// A connection with the defaults agreed on.
fn connection(role: Role) -> Connection {
    let (client, server) = pair(&Deflate::default());
    match role {
        Role::Client => client,
        Role::Server => server,
    }
}

/// Bytes that no compressor makes smaller.
fn noise(len: usize) -> Vec<u8> {
    let mut random = Random(len);
    (0..len).map(|_| random.next().to_le_bytes()[1]).collect()
}

/// What `to` receives of all that `from` has to write, and how many bytes that is.
fn carry(from: &mut Connection, to: &mut Connection) -> (usize, Vec<Message>) {
    let mut bytes = drain(from);
    let mut events = Vec::new();
    let now = Instant::now();
    receive_all(to, &mut bytes, now, &mut Joined::default(), &mut events).unwrap();
    let messages = events.into_iter().map(|event| match event {
        Got::Message(message) => message,
        other => panic!("not a message: {other:?}"),
    });
    (bytes.len(), messages.collect())
}
