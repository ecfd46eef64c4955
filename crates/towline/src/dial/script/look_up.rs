//! What a script wants to know of names: it asks from its thread, and whoever waits for it answers.
//!
//! A thread that looked names up itself would need the runtime, which may be gone by then.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::dial::resolve::{Names, name};
use crate::guard::Guard;
use crate::proxy::Found;

/// Answers of a resolver about one name.
const MAX_ANSWERS: usize = 16;

/// So much longer the script's thread waits: whoever answers has the clock, unless nobody does.
const SLACK: Duration = Duration::from_secs(1);

struct Question {
    host: String,
    limit: Duration,
    answer: SyncSender<Found>,
}

/// The end of the script.
pub(super) struct Asking(UnboundedSender<Question>);

/// The end of whoever waits. What is dropped here ends what is asked there.
pub(super) struct Answering(UnboundedReceiver<Question>);

pub(super) fn pair() -> (Asking, Answering) {
    // A script asks one question at a time.
    let (ask, asked) = unbounded_channel();
    (Asking(ask), Answering(asked))
}

impl Asking {
    /// Asks, and waits for the answer.
    pub(super) fn look_up(&self, host: &str, limit: Duration) -> Found {
        let (answer, answered) = sync_channel(1);
        let question = Question { host: host.to_owned(), limit, answer };
        let gone = |_| format!("nobody looks up {host} any more");
        self.0.send(question).map_err(|_| gone(()))?;
        answered.recv_timeout(limit.saturating_add(SLACK)).map_err(|_| gone(()))?
    }
}

impl Answering {
    /// Answers until what is done is done.
    pub(super) async fn during<T>(
        mut self,
        names: &Names,
        guard: &Guard,
        done: impl Future<Output = T>,
    ) -> T {
        let mut done = pin!(done);
        loop {
            tokio::select! {
                biased;
                done = &mut done => return done,
                Some(Question { host, limit, answer }) = self.0.recv() => {
                    let answering = async {
                        // A script may ask, and gets no answer about what is not to be looked up.
                        let found = match guard.name(&host) {
                            Ok(()) => look_up(names, &host, limit).await,
                            Err(_) => Ok(Vec::new()),
                        };
                        // Nobody may want it any more.
                        answer.send(found).ok();
                    };
                    tokio::select! {
                        biased;
                        done = &mut done => return done,
                        () = answering => {}
                    }
                }
            }
        }
    }
}

/// The addresses of a name, as far as they come in time. That none came is not the same as that there is
/// none: a script would choose another way.
async fn look_up(names: &Names, host: &str, limit: Duration) -> Found {
    // Whatever a script takes for a name: a resolver is asked about names alone.
    let Ok(name) = name(host) else { return Ok(Vec::new()) };
    let mut answers = names.resolve(&name);
    let mut ips = Vec::new();
    let all = async {
        for _ in 0..MAX_ANSWERS {
            match poll_fn(|cx| Pin::new(&mut answers).poll_next(cx)).await {
                Some(Ok(addresses)) => ips.extend(addresses.iter().map(|at| at.ip())),
                Some(Err(_)) => {}
                None => break,
            }
        }
    };
    if timeout(limit, all).await.is_err() && ips.is_empty() {
        return Err(format!("no answer about {host} came in time"));
    }
    // The system's resolver gives some twice.
    let mut seen = Vec::new();
    ips.retain(|ip| {
        !seen.contains(ip) && {
            seen.push(*ip);
            true
        }
    });
    Ok(ips)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;
    use crate::dial::resolve::{Answers, Resolve};

    /// Answers about one name, and is silent on all others.
    #[derive(Debug)]
    struct Slow;

    impl Resolve for Slow {
        fn resolve(&self, host: &str) -> Answers {
            match host {
                "none.example" => Answers::failed(std::io::Error::other("no such host")),
                "found.example" => Answers::of([([10, 0, 0, 1], 0).into()]),
                _ => Answers::once(std::future::pending()),
            }
        }
    }

    fn slow() -> Names {
        let mut names = Names::default();
        names.resolver = Some(Arc::new(Slow));
        names
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_is_not_no_address() {
        let limit = Duration::from_secs(20);
        assert_eq!(look_up(&slow(), "none.example", limit).await, Ok(Vec::new()));
        let why = look_up(&slow(), "slow.example", limit).await.unwrap_err();
        assert_eq!(why, "no answer about slow.example came in time");
    }

    #[tokio::test(start_paused = true)]
    async fn a_resolver_is_asked_about_names_alone() {
        let limit = Duration::from_secs(20);
        let found = look_up(&slow(), "found.example", limit).await;
        assert_eq!(found, Ok(vec![[10, 0, 0, 1].into()]));
        // Of others there would be no answer.
        for host in [
            "2130706433",
            "127.1",
            "0x7f.1",
            "[::1]",
            "a/b",
            "a.example/x",
            "a?b",
            "a#b",
            "a b",
            "a\\b",
            "a\0",
            "a.example:80",
            "ann@a.example",
            "",
            ".",
            "a..b",
        ] {
            assert_eq!(look_up(&slow(), host, limit).await, Ok(Vec::new()), "{host:?}");
        }
        #[cfg(feature = "idn")]
        {
            let why = look_up(&slow(), "b\u{fc}cher.example", limit).await.unwrap_err();
            assert_eq!(why, "no answer about b\u{fc}cher.example came in time");
        }
    }

    #[tokio::test]
    async fn a_script_does_not_wait_for_one_that_is_gone() {
        let (asking, answering) = pair();
        let (tell, told) = tokio::sync::oneshot::channel();
        let thread = thread::spawn(move || {
            tell.send(()).unwrap();
            asking.look_up("slow.example", Duration::from_secs(60))
        });
        let begun = std::time::Instant::now();
        // It has asked, or is about to.
        answering.during(&slow(), &Guard::default(), told).await.unwrap();
        let why = thread.join().unwrap().unwrap_err();
        assert_eq!(why, "nobody looks up slow.example any more");
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
