//! The vectors of MS-NLMP §4.2.4, and messages that are none.

use super::answer::Answer;
use super::challenge::Challenge;
use super::hash::of_password;
use super::pairs::{Pairs, TIMESTAMP};
use super::{Ntlm, SIGNATURE, file_time, utf16};
use crate::auth::rounds::Peer;
use crate::auth::secret::Secret;

/// Of a peer that can do what we can, and says what it is.
const FLAGS: u32 = super::FLAGS | super::NEGOTIATE_TARGET_INFO;

const PEER: Peer<'_> = Peer { host: "a", channel: None };

const RANDOM: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// MS-NLMP §4.2.4: what the peer says of itself.
fn target() -> Vec<u8> {
    hex("02000c0044006f006d00610069006e00 01000c00530065007200760065007200 00000000")
}

/// A challenge, as it travels.
fn challenge(target: &[u8]) -> Vec<u8> {
    let mut message = SIGNATURE.to_vec();
    message.extend_from_slice(&2_u32.to_le_bytes());
    message.extend_from_slice(&super::field(0, 48));
    message.extend_from_slice(&FLAGS.to_le_bytes());
    message.extend_from_slice(&RANDOM);
    message.extend_from_slice(&[0; 8]);
    message.extend_from_slice(&super::field(target.len(), 48));
    message.extend_from_slice(target);
    message
}

fn answer(asked: &[u8]) -> Vec<u8> {
    answer_over(None, asked)
}

fn answer_over(channel: Option<&[u8]>, asked: &[u8]) -> Vec<u8> {
    let password = Secret::from("Password");
    let answer = Answer {
        domain: "Domain",
        user: "User",
        password: &password,
        host: "server.example",
        channel,
        random: [0xaa; 8],
        now: 0,
    };
    answer.to(&Challenge::parse(asked).unwrap(), asked)
}

/// The bytes to which the field at this offset points.
fn content(message: &[u8], at: usize) -> &[u8] {
    let len = usize::from(u16::from_le_bytes(*message[at..].first_chunk().unwrap()));
    let offset = u32::from_le_bytes(*message[at + 4..].first_chunk().unwrap());
    &message[usize::try_from(offset).unwrap()..][..len]
}

#[test]
fn the_vectors_of_version_2() {
    let key = of_password("Domain", "User", "Password");
    assert_eq!(key[..], hex("0c868a403bfd7a93a3001ef22ef02e3f"));
    let message = answer(&challenge(&target()));
    assert_eq!(content(&message, 12), hex("86c35097ac9cec102554764a57cccc19 aaaaaaaaaaaaaaaa"));
    let nt = content(&message, 20);
    assert_eq!(nt[..16], hex("68cd0ab851e51c96aabc927bebef6a1c"));
    assert_eq!(nt[16..][..8], hex("0101000000000000"));
    assert!(nt.ends_with(&[&target()[..], &[0; 4]].concat()));
    assert_eq!(content(&message, 28), utf16("Domain"));
    assert_eq!(content(&message, 36), utf16("User"));
    assert!(content(&message, 44).is_empty() && content(&message, 52).is_empty());
    assert!(message[64..88].iter().all(|byte| *byte == 0), "without a time there is no seal");
}

#[test]
fn a_peer_that_tells_its_time_gets_a_seal() {
    let mut pairs = Pairs::parse(&target()).unwrap();
    pairs.set(TIMESTAMP, vec![7; 8]);
    let message = answer(&challenge(&pairs.to_bytes()));
    assert_eq!(content(&message, 12), [0; 24]);
    let nt = content(&message, 20);
    assert_eq!(nt[24..32], [7; 8], "the time is the peer's");
    let said = Pairs::parse(&nt[44..]).unwrap();
    assert_eq!(said.get(6), Some(&[2, 0, 0, 0][..]));
    assert_eq!(said.get(9), Some(&*utf16("HTTP/server.example")));
    assert!(message[72..88].iter().any(|byte| *byte != 0));
    assert_eq!(said.get(10), None);
}

#[test]
fn an_answer_is_tied_to_its_channel() {
    let mut pairs = Pairs::parse(&target()).unwrap();
    pairs.set(TIMESTAMP, vec![7; 8]);
    // What the peer says of it does not count.
    pairs.set(10, vec![1; 16]);
    let certificate = hex("ea05fefecc6b0bd571dbbc5baa3ed45386d0446835f7b74c85621b9983475f95");
    let channel = [b"tls-server-end-point:", &*certificate].concat();
    let message = answer_over(Some(&channel), &challenge(&pairs.to_bytes()));
    let said = Pairs::parse(&content(&message, 20)[44..]).unwrap();
    assert_eq!(said.get(10), Some(&*hex("6586e99d81c2fc984e47172fd4dd0310")));
}

#[test]
fn an_old_peer_is_answered_in_its_letters() {
    let mut asked = challenge(&target());
    // Neither Unicode, nor anything said of itself: what stands in its place is no field.
    asked[20..24].copy_from_slice(&0x0008_8206_u32.to_le_bytes());
    asked[40..48].copy_from_slice(b"WORKGROU");
    let message = answer(&asked);
    assert_eq!((content(&message, 28), content(&message, 36)), (&b"Domain"[..], &b"User"[..]));
    assert_eq!(message[60..64], 0x0008_8206_u32.to_le_bytes());
    // Its hash is in Unicode all the same.
    assert_eq!(content(&message, 12), hex("86c35097ac9cec102554764a57cccc19 aaaaaaaaaaaaaaaa"));
    let flags = answer(&challenge(&target()))[60..64].to_vec();
    assert_eq!(flags, (FLAGS & !super::NEGOTIATE_OEM).to_le_bytes());
}

#[test]
fn a_domain_stands_before_a_backslash() {
    let of = |user: &str| {
        let ntlm = Ntlm::new(user, Secret::from(""), PEER);
        (ntlm.domain, ntlm.user)
    };
    assert_eq!(of(r"LAB\ada"), ("LAB".to_owned(), "ada".to_owned()));
    assert_eq!(of("ada@lab.example"), (String::new(), "ada@lab.example".to_owned()));
}

#[test]
fn there_are_two_messages_and_no_third() {
    let mut ntlm = Ntlm::new("ada", Secret::from("hunter2"), PEER);
    let first = ntlm.step(&[]).unwrap();
    assert_eq!((first.len(), first[8]), (32, 1));
    let second = ntlm.step(&challenge(&target())).unwrap();
    assert_eq!(second[8], 3);
    ntlm.step(&challenge(&target())).unwrap_err();
}

#[test]
fn a_challenge_that_is_none_is_an_error() {
    let whole = challenge(&target());
    for len in 0..whole.len() {
        let cut = Challenge::parse(&whole[..len]);
        // Very old peers say nothing of themselves.
        assert_eq!(cut.is_some(), (32..48).contains(&len), "{len}");
    }
    let mut far = whole.clone();
    far[44..48].fill(0xff);
    assert!(Challenge::parse(&far).is_none());
    let mut ntlm = Ntlm::new("ada", Secret::from(""), PEER);
    ntlm.step(&[]).unwrap();
    let error = ntlm.step(b"NTLMSSP\0\x03\0\0\0").unwrap_err();
    assert!(error.to_string().contains("not one of NTLM"), "{error}");
    assert!(Pairs::parse(&[1, 0, 5, 0, 1]).is_none());
    assert!(Pairs::parse(&[1, 0, 0, 0].repeat(33)).is_none());
}

#[test]
fn time_is_counted_from_1601() {
    assert_eq!(file_time(std::time::UNIX_EPOCH), 116_444_736_000_000_000);
}
