//! What comes where TLS should be: to servers that speak `wss`.

use std::sync::Arc;
use std::time::Duration;

use super::due::{AN_ANSWER, NO_TLS};
use super::resource::{GIVEN_UP, STALLED};
use crate::abuse::attack::{Attack, Play, Playing, Seen};
use crate::abuse::target::{Target, not_connected};

/// A record with the alert `close_notify` (RFC 8446 §5.1, §6.1).
const CLOSE_NOTIFY: [u8; 7] = [21, 3, 3, 0, 2, 1, 0];

/// The shortest records that our TLS can make, in bytes.
const RECORD: usize = 32;

/// A handshake that cannot come about is given up after so many patiences, which are 95 seconds if
/// nobody says otherwise: see [`STALLED`].
const GIVEN_UP_AFTER: u32 = 19;

const NO_TLS_THERE: Seen = Seen::Skipped("the server does not speak TLS");

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new(
        "clear-text",
        "D6",
        "an opening request in clear text to a port that speaks TLS",
        NO_TLS,
        Play::Act(|target| refused(target, |target, _| target.request(&[]))),
    ),
    Attack::new(
        "tls-garbage",
        "RFC 8446 §6.2",
        "a ClientHello of no sense",
        NO_TLS,
        Play::Act(|target| {
            refused(target, |_, hello| {
                // The record's header stays, and that of the message, with their lengths.
                let (headers, rest) = hello.split_at(9);
                [headers, &vec![0xFF; rest.len()]].concat()
            })
        }),
    ),
    Attack::new(
        "tls-goodbye",
        "RUSTSEC-2024-0336",
        "a ClientHello, and close_notify behind it",
        NO_TLS,
        Play::Act(|target| refused(target, |_, hello| [hello, &CLOSE_NOTIFY].concat())),
    ),
    Attack::new(
        "tls-fragments",
        "RUSTSEC-2024-0399",
        "an opening request in TLS records of 32 bytes",
        AN_ANSWER,
        Play::Act(|target| {
            Box::pin(async move {
                if !target.uri.is_secure() {
                    return NO_TLS_THERE;
                }
                let request = target.request(&[]);
                match target.connect_in_records(RECORD).await {
                    Ok(mut raw) => match raw.ask(&request, 1, target.patience).await.0 {
                        Seen::Took(_) => Seen::Silent,
                        seen => seen,
                    },
                    Err(error) => not_connected(&error),
                }
            })
        }),
    ),
    Attack::new(
        "stalled-tls",
        "slow loris",
        "half a ClientHello, and nothing more",
        GIVEN_UP,
        Play::Wait(|target| instead(target, STALLED, |_, hello| hello[..hello.len() / 2].to_vec())),
    )
    .slow(),
];

/// Says this instead of a ClientHello, and waits for a refusal.
fn refused(target: Arc<Target>, bytes: fn(&Target, &[u8]) -> Vec<u8>) -> Playing<'static> {
    let limit = target.patience * GIVEN_UP_AFTER;
    instead(target, limit, bytes)
}

fn instead(
    target: Arc<Target>,
    limit: Duration,
    bytes: fn(&Target, &[u8]) -> Vec<u8>,
) -> Playing<'static> {
    Box::pin(async move {
        let Some(hello) = target.client_hello() else { return NO_TLS_THERE };
        match target.connect_in_clear().await {
            Ok(mut raw) => {
                raw.put(&bytes(&target, &hello)).await;
                raw.answer(limit).await
            }
            Err(error) => not_connected(&error),
        }
    })
}
