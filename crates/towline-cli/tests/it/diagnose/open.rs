//! Connections that open, and do not work.

use std::io::Read;
use std::net::TcpStream;

use super::peers::{opens, stays};
use super::told;

fn leave(mut stream: TcpStream) {
    // A ping is read, so that the end is no reset.
    let _ = stream.read(&mut [0; 1000]);
}

#[track_caller]
fn opened(name: &str, frame: &'static [u8], code: i32) {
    let port = opens(frame, leave);
    told(name, &[&format!("ws://127.0.0.1:{port}/")], code, &[(&port, "PORT")]);
}

#[test]
fn a_server_that_closes() {
    opened("open-1008", b"\x88\x08\x03\xf0who are", 100);
    opened("open-1011", b"\x88\x02\x03\xf3", 100);
    opened("open-4001", b"\x88\x05\x0f\xa1bye", 100);
    opened("open-1000", b"\x88\x02\x03\xe8", 52);
    opened("open-1002", b"\x88\x02\x03\xea", 100);
}

#[test]
fn a_server_that_breaks_off() {
    opened("open-lost", b"", 56);
    opened("open-protocol", b"\xff\x00", 100);
}

#[test]
fn a_server_that_answers_no_ping() {
    let port = opens(b"", stays);
    let args = [&*format!("ws://127.0.0.1:{port}/"), "--timeout", "200ms"];
    told("open-no-pong", &args, 28, &[(&port, "PORT")]);
}
