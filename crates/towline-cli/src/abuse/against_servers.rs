//! The hostile client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::attack::{Attack, Play, Seen, Side};
use super::process::Processes;
use super::report::Report;
use super::target::{Target, not_connected};
use super::verdict::{Findings, Row, is_measured, told};
use crate::args::AbuseArgs;
use crate::exit::{Code, Failure, Outcome};
use crate::interrupt;

/// From one look at the memory to the next.
const LOOK: Duration = Duration::from_millis(10);

/// So long may a server take, at the least, to show that it is one.
const FIRST: Duration = Duration::from_secs(5);

/// A server that somebody starts again is back after so many times the patience.
const RESTART: u32 = 2;

/// An attack of many steps is over after so many patiences, or the server hangs.
const MOST: u32 = 60;

/// What permessage-deflate is asked for with: everything allowed.
const OFFER: &str = "permessage-deflate; client_max_window_bits";

pub(super) async fn run(
    attacks: &[&'static Attack],
    args: &AbuseArgs,
    mut report: Report,
) -> Outcome {
    let url = args.url.as_deref().unwrap_or_default();
    // Whether there is a server at all is no attack: a busy machine may take its time.
    let at_first = args.patience.max(FIRST);
    let mut target = Target::new(url, args.cacert.as_deref(), at_first).await?;
    if let Err(seen) = target.serves().await {
        let code = match seen {
            Seen::Gone => Code::Refused,
            Seen::Refused(_) => Code::Status,
            Seen::Silent => Code::Timeout,
            _ => Code::WeirdReply,
        };
        let text = format!("{url} is no WebSocket server that answers a ping: {}", told(&seen));
        return Err(Failure::new(code, text));
    }
    target.patience = args.patience;
    let target = Arc::new(target);
    let processes = || match args.pid {
        Some(pid) => Some(Processes(vec![pid])),
        None => Processes::listening(target.addr),
    };
    if let Some(pid) = args.pid
        && Processes(vec![pid]).resident().is_none()
    {
        let text = format!("process {pid} is not there, or its memory cannot be seen");
        return Err(Failure::new(Code::Usage, text));
    }
    match processes() {
        Some(Processes(pids)) => report.say(&format!("attacking {url}, process {pids:?}")),
        None => report.say(&format!("attacking {url}; its process cannot be seen")),
    }
    let mut left = attacks.len();
    let playing = async {
        let mut waiting = Vec::new();
        for attack in attacks {
            if let Play::Wait(wait) = attack.play {
                let wait = wait(Arc::clone(&target));
                let timed = async {
                    let begun = Instant::now();
                    (wait.await, begun.elapsed())
                };
                waiting.push((*attack, tokio::spawn(timed)));
            }
        }
        for attack in attacks {
            if is_measured(attack) {
                let row = one(attack, &target, processes(), report.bound(attack)).await;
                report.add(&row);
                left -= 1;
                if !is_back(&target).await {
                    return;
                }
            }
        }
        for (attack, waiting) in waiting {
            let row = waited(attack, waiting, &target).await;
            report.add(&row);
            left -= 1;
        }
    };
    tokio::select! {
        () = playing => {}
        () = interrupt::pressed() => {}
    }
    report.end(left)
}

async fn one(
    attack: &'static Attack,
    target: &Arc<Target>,
    processes: Option<Processes>,
    bound: u64,
) -> Row {
    let watch = processes.clone().and_then(Watch::new);
    let begun = Instant::now();
    let limit = target.patience * MOST;
    let seen = tokio::time::timeout(limit, play(attack, target)).await.unwrap_or_else(|_| {
        Seen::Hung(format!("the attack was not over after {} s", limit.as_secs_f32()))
    });
    let time = begun.elapsed();
    let afterwards = target.serves().await;
    let growth = watch.map(Watch::growth);
    let gone = processes.filter(|processes| processes.resident().is_none());
    let side = Side::Client;
    Row::new(attack, &Findings { side, seen, afterwards, gone, growth, bound, time })
}

async fn waited(
    attack: &'static Attack,
    waiting: JoinHandle<(Seen, Duration)>,
    target: &Target,
) -> Row {
    let (seen, time) = waiting.await.unwrap_or((Seen::Silent, Duration::ZERO));
    let afterwards = target.serves().await;
    let (side, gone, growth, bound) = (Side::Client, None, None, 0);
    Row::new(attack, &Findings { side, seen, afterwards, gone, growth, bound, time })
}

async fn play(attack: &Attack, target: &Arc<Target>) -> Seen {
    let offer = match attack.play {
        Play::Ask(request) => return ask(target, &request(target)).await,
        Play::Act(act) | Play::Wait(act) => return act(Arc::clone(target)).await,
        Play::Answer(_) | Play::Show(_) | Play::Meet(_) => {
            return Seen::Skipped("it is for clients");
        }
        Play::Deflated(_) | Play::Offer(_) => Some(OFFER),
        Play::Say(_) | Play::Begin(_) | Play::Talk(_) => None,
    };
    let (mut raw, head) = match target.open(&[("Sec-WebSocket-Extensions", offer)]).await {
        Ok(opened) => opened,
        Err(Seen::Gone) => return Seen::Gone,
        // This handshake was an honest one.
        Err(seen) => return Seen::Hung(format!("it lets no honest client in: {}", told(&seen))),
    };
    if offer.is_some() && !head.to_ascii_lowercase().contains("permessage-deflate") {
        return Seen::Skipped("the server does not agree to permessage-deflate");
    }
    match attack.play {
        Play::Offer(act) => {
            drop(raw);
            act(Arc::clone(target)).await
        }
        _ => raw.play(attack).await,
    }
}

async fn ask(target: &Target, request: &[u8]) -> Seen {
    match target.connect().await {
        Ok(mut raw) => match raw.ask(request, 1, target.patience).await.0 {
            Seen::Took(_) => Seen::Silent,
            seen => seen,
        },
        Err(error) => not_connected(&error),
    }
}

/// Whether there is still somebody to attack; who was started again counts.
async fn is_back(target: &Target) -> bool {
    let begun = Instant::now();
    while target.serves().await.is_err() {
        if begun.elapsed() > target.patience * RESTART {
            return false;
        }
        sleep(Duration::from_millis(100)).await;
    }
    true
}

/// Looks at processes' memory while an attack is played.
pub(super) struct Watch {
    processes: Processes,
    before: u64,
    peak_before: u64,
    seen: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Watch {
    pub(super) fn new(processes: Processes) -> Option<Self> {
        let (before, peak_before) = (processes.resident()?, processes.peak()?);
        let (seen, over) = (Arc::new(AtomicU64::new(before)), Arc::new(AtomicBool::new(false)));
        let watch = Self { processes, before, peak_before, seen, over };
        let (processes, seen, over) =
            (watch.processes.clone(), Arc::clone(&watch.seen), Arc::clone(&watch.over));
        // Not a task: the attacks may keep the runtime busy.
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                seen.fetch_max(processes.resident().unwrap_or(0), Ordering::Relaxed);
                std::thread::sleep(LOOK);
            }
        });
        Some(watch)
    }

    /// What the memory has grown by at the most.
    pub(super) fn growth(self) -> u64 {
        // What came and went between two looks is in the peak, if that is a new one.
        let peak = self.processes.peak().filter(|peak| *peak > self.peak_before).unwrap_or(0);
        peak.max(self.seen.load(Ordering::Relaxed)).saturating_sub(self.before)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
