//! Many at once, and slowly: what holds descriptors, memory and time.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::due::OTHERS;
use crate::abuse::attack::{Attack, Due, Good, Play, Playing, Seen};
use crate::abuse::bytes::{BINARY, declaring};
use crate::abuse::target::{Target, not_connected};

/// So many at once are a nuisance to a server that serves one after the other, or gives each a
/// thread. A limit of connections for one address may well stop more.
const AT_ONCE: usize = 200;

/// So long do they dribble.
const DRIBBLE: Duration = Duration::from_secs(4);

/// From one byte of each to the next.
const DRIP: Duration = Duration::from_millis(250);

/// A request that does not get on is given up by then. Servers differ, from 10 seconds to a minute;
/// one that is in wide use looks twice a minute whether the minute is over.
pub(super) const STALLED: Duration = Duration::from_secs(95);

pub(super) const GIVEN_UP: Due = Due {
    good: &[Good::Cut, Good::Refused],
    because: "no rule says when, but a request that never comes must not hold a descriptor for ever",
};

pub(super) const ATTACKS: &[Attack] = &[
    Attack::new(
        "slow-heads",
        "slow loris",
        "200 opening requests at once, four bytes a second",
        OTHERS,
        Play::Act(|target| {
            let head = target.request(&[]);
            dribble(target, head, false)
        }),
    ),
    Attack::new(
        "slow-frames",
        "slow loris",
        "200 connections at once, with a frame at four bytes a second",
        OTHERS,
        Play::Act(|target| {
            let frame = declaring(crate::abuse::attack::Side::Client, BINARY, 1 << 40);
            dribble(target, frame, true)
        }),
    ),
    Attack::new(
        "churn",
        "RUSTSEC-2024-0332",
        "1000 connections opened and dropped, one after the other",
        OTHERS,
        Play::Act(|target| {
            Box::pin(async move {
                for _ in 0..5 * AT_ONCE {
                    if let Err(seen) = target.open(&[]).await {
                        return seen;
                    }
                }
                Seen::Alive
            })
        }),
    ),
    Attack::new(
        "stalled-head",
        "slow loris",
        "half an opening request, and nothing more",
        GIVEN_UP,
        Play::Wait(|target| {
            Box::pin(async move {
                let mut raw = match target.connect().await {
                    Ok(raw) => raw,
                    Err(error) => return not_connected(&error),
                };
                let request = target.request(&[]);
                raw.put(&request[..request.len() / 2]).await;
                raw.answer(STALLED).await
            })
        }),
    )
    .slow(),
    Attack::new(
        "stalled-head",
        "slow loris",
        "half an answer, and nothing more",
        Due { good: &[Good::Cut], ..GIVEN_UP },
        Play::Meet(|raw, request| {
            Box::pin(async move {
                let answer = request.answer(&[]);
                raw.put(&answer[..answer.len() / 2]).await;
                raw.listen(STALLED).await
            })
        }),
    )
    .slow(),
];

/// Many connections that each say the same, a byte at a time; meanwhile somebody else is served.
fn dribble(target: Arc<Target>, bytes: Vec<u8>, opened: bool) -> Playing<'static> {
    Box::pin(async move {
        let mut raws = Vec::new();
        for _ in 0..AT_ONCE {
            let raw = match opened {
                true => target.open(&[]).await.map(|(raw, _)| raw),
                false => target.connect().await.map_err(|error| not_connected(&error)),
            };
            // It may have had enough of them: that is one way to withstand.
            match raw {
                Ok(raw) => raws.push(raw),
                Err(Seen::Gone) => return Seen::Gone,
                Err(_) => break,
            }
        }
        let begun = Instant::now();
        let mut served = Ok(());
        for byte in bytes.iter().chain([0; 1024].iter()) {
            for raw in &mut raws {
                raw.put(&[*byte]).await;
            }
            sleep(DRIP).await;
            if begun.elapsed() > DRIBBLE / 2 && served.is_ok() {
                served = target.serves().await;
            }
            if begun.elapsed() > DRIBBLE {
                break;
            }
        }
        match served {
            Ok(()) => Seen::Alive,
            Err(Seen::Gone) => Seen::Gone,
            Err(_) => Seen::Hung("nobody else is served meanwhile".to_owned()),
        }
    })
}
