//! Races on virtual time: no name has seven addresses on every machine, and no network is silent
//! on demand.

use std::collections::VecDeque;
use std::future::pending;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::{Sleep, sleep, sleep_until};

use super::queue::MAX_ADDRESSES;
use super::*;

/// What an address does when it is connected to.
#[derive(Clone, Copy, Debug)]
enum Does {
    Connect(u64),
    Refuse(u64),
    Nothing,
}
use Does::{Connect, Nothing, Refuse};

fn rules() -> Rules {
    Rules {
        port: 80,
        family: Family::Any,
        delay: Duration::from_millis(250),
        each: Duration::from_secs(60),
        deadline: None,
    }
}

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// `6a` and `4a` name the addresses that end in 0xa, of each family.
fn address(name: &str) -> SocketAddr {
    let last = u16::from_str_radix(&name[1..], 16).unwrap();
    match &name[..1] {
        "6" => ([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], 80).into(),
        _ => ([192, 0, 2, u8::try_from(last).unwrap()], 80).into(),
    }
}

fn name(address: SocketAddr) -> String {
    match address.ip() {
        std::net::IpAddr::V6(ip) => format!("6{:x}", ip.segments()[7]),
        std::net::IpAddr::V4(ip) => format!("4{:x}", ip.octets()[3]),
    }
}

/// Answers that come so many milliseconds after the question; `None` for those that never do.
struct Later(
    VecDeque<(Option<u64>, io::Result<Vec<SocketAddr>>)>,
    Option<Pin<Box<Sleep>>>,
    Instant,
);

impl Stream for Later {
    type Item = io::Result<Vec<SocketAddr>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some((after, _)) = this.0.front() else { return Poll::Ready(None) };
        let Some(after) = *after else { return Poll::Pending };
        let at = this.2 + ms(after);
        let sleep = this.1.get_or_insert_with(|| Box::pin(sleep_until(at)));
        std::task::ready!(sleep.as_mut().poll(cx));
        this.1 = None;
        Poll::Ready(this.0.pop_front().map(|(_, answer)| answer))
    }
}

fn answers(answers: &[(Option<u64>, &str)]) -> Answers {
    let parse = |&(after, names): &(Option<u64>, &str)| {
        let answer = match names {
            "error" => Err(io::Error::other("no")),
            names => Ok(names.split_whitespace().map(address).collect()),
        };
        (after, answer)
    };
    Answers::new(Later(answers.iter().map(parse).collect(), None, Instant::now()))
}

/// Runs a race in which the addresses do so.
async fn run(answers: Answers, rules: Rules, does: &[(&str, Does)]) -> Finish<String> {
    race(answers, rules, |at| {
        assert_eq!(at.port(), 80);
        let what = does.iter().find(|(of, _)| *of == name(at)).map_or(Nothing, |(_, does)| *does);
        async move {
            match what {
                Connect(after) => {
                    sleep(ms(after)).await;
                    Ok(name(at))
                }
                Refuse(after) => {
                    sleep(ms(after)).await;
                    Err(io::ErrorKind::ConnectionRefused.into())
                }
                Nothing => pending().await,
            }
        }
    })
    .await
}

/// Runs a race, and tells it: `6a 0+250 overtaken` began at once and took 250 ms.
async fn told(given: &[(Option<u64>, &str)], rules: Rules, does: &[(&str, Does)]) -> String {
    let finish = run(answers(given), rules, does).await;
    let attempts = finish.attempts.iter().map(|attempt| {
        let outcome = match &attempt.outcome {
            AttemptOutcome::Connected => "connected",
            AttemptOutcome::Failed(_) => "refused",
            AttemptOutcome::TimedOut => "timed out",
            AttemptOutcome::Overtaken => "overtaken",
        };
        let Attempt { address, began, took, .. } = attempt;
        format!("{} {}+{} {outcome}", name(*address), began.as_millis(), took.as_millis())
    });
    let mut story = attempts.collect::<Vec<_>>();
    story.extend(finish.winner.map(|winner| format!("won: {winner}")));
    story.extend(finish.look_up.map(|error| format!("look-up: {error}")));
    story.extend(finish.late.then(|| "late".to_owned()));
    story.join(", ")
}

#[tokio::test(start_paused = true)]
async fn a_family_that_is_silent_costs_a_quarter_of_a_second() {
    let both = [(Some(0), "6a 4a")];
    assert_eq!(
        told(&both, rules(), &[("4a", Connect(10))]).await,
        "6a 0+260 overtaken, 4a 250+10 connected, won: 4a"
    );
    // The one that was begun first may still win.
    assert_eq!(
        told(&both, rules(), &[("6a", Connect(300)), ("4a", Connect(100))]).await,
        "6a 0+300 connected, 4a 250+50 overtaken, won: 6a"
    );
    assert_eq!(told(&both, rules(), &[("6a", Connect(249))]).await, "6a 0+249 connected, won: 6a");
}

#[tokio::test(start_paused = true)]
async fn who_refuses_is_not_waited_for() {
    assert_eq!(
        told(&[(Some(0), "6a 4a")], rules(), &[("6a", Refuse(3)), ("4a", Connect(1))]).await,
        "6a 0+3 refused, 4a 3+1 connected, won: 4a"
    );
    assert_eq!(
        told(&[(Some(0), "6a 4a")], rules(), &[("6a", Refuse(3)), ("4a", Refuse(300))]).await,
        "6a 0+3 refused, 4a 3+300 refused"
    );
}

/// RFC 8305 §4: the families take turns, the system's order holds within each.
#[tokio::test(start_paused = true)]
async fn families_take_turns_and_five_addresses_are_tried() {
    let seven = [(Some(0), "6a 6b 6c 6d 4a 4b 4c")];
    assert_eq!(
        told(&seven, rules(), &[]).await,
        "6a 0+60000 timed out, 4a 250+60000 timed out, 6b 500+60000 timed out, \
         4b 750+60000 timed out, 6c 1000+60000 timed out"
    );
    let v4_first = [(Some(0), "4a 4b 6a")];
    assert_eq!(
        told(&v4_first, rules(), &[("4b", Connect(0))]).await,
        "4a 0+500 overtaken, 6a 250+250 overtaken, 4b 500+0 connected, won: 4b"
    );
}

#[tokio::test(start_paused = true)]
async fn a_family_can_be_laid_down() {
    let both = [(Some(0), "6a 4a")];
    let of = |family| Rules { family, ..rules() };
    let connect = [("6a", Connect(1)), ("4a", Connect(1))];
    assert_eq!(told(&both, of(Family::PreferV4), &connect).await, "4a 0+1 connected, won: 4a");
    assert_eq!(told(&both, of(Family::PreferV6), &connect).await, "6a 0+1 connected, won: 6a");
    assert_eq!(told(&both, of(Family::OnlyV4), &[]).await, "4a 0+60000 timed out");
    assert_eq!(told(&both, of(Family::OnlyV6), &[]).await, "6a 0+60000 timed out");
    assert_eq!(told(&[(Some(0), "6a")], of(Family::OnlyV4), &[]).await, "");
    assert_eq!(told(&[(Some(0), "")], rules(), &[]).await, "");
}

#[tokio::test(start_paused = true)]
async fn one_after_another_if_that_is_wanted() {
    let rules = Rules { delay: Duration::MAX, each: ms(5000), ..rules() };
    assert_eq!(
        told(&[(Some(0), "6a 4a")], rules, &[("4a", Connect(1))]).await,
        "6a 0+5000 timed out, 4a 5000+1 connected, won: 4a"
    );
}

/// RFC 8305 §3: IPv6 is waited for, but not for long.
#[tokio::test(start_paused = true)]
async fn answers_that_come_apart() {
    let connect = [("6a", Connect(1)), ("4a", Connect(1))];
    let told = async |given: &[_]| told(given, rules(), &connect).await;
    assert_eq!(told(&[(Some(5), "4a"), (Some(25), "6a")]).await, "6a 25+1 connected, won: 6a");
    assert_eq!(told(&[(Some(5), "4a"), (Some(80), "6a")]).await, "4a 55+1 connected, won: 4a");
    assert_eq!(told(&[(Some(5), "6a"), (Some(80), "4a")]).await, "6a 5+1 connected, won: 6a");
    assert_eq!(told(&[(Some(5), "4a"), (None, "6a")]).await, "4a 55+1 connected, won: 4a");
    // Nothing more comes: there is nothing to wait for.
    assert_eq!(told(&[(Some(5), "4a")]).await, "4a 5+1 connected, won: 4a");
    assert_eq!(
        told(&[(Some(5), "error"), (Some(9), "4a")]).await.split(", look-up").next(),
        Some("4a 9+1 connected, won: 4a")
    );
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_given_up() {
    let deadline = Some(Instant::now() + ms(400));
    assert_eq!(
        told(&[(Some(0), "6a 4a")], Rules { deadline, ..rules() }, &[]).await,
        "6a 0+400 timed out, 4a 250+150 timed out, late"
    );
    let begun = Instant::now();
    let five = Rules { each: ms(5000), ..rules() };
    assert_eq!(told(&[(None, "")], five, &[]).await, "late");
    assert_eq!(begun.elapsed(), ms(5000));
    // All that came has failed, and the rest of the answers never comes.
    assert_eq!(
        told(&[(Some(0), "6a"), (None, "")], five, &[("6a", Refuse(1))]).await,
        "6a 0+1 refused, late"
    );
    assert_eq!(told(&[(Some(7), "error")], five, &[]).await, "look-up: no");
}

/// RFC 8305 §5: attempts must not be closer than 10 ms.
#[tokio::test(start_paused = true)]
async fn attempts_are_never_at_once() {
    let rules = Rules { delay: Duration::ZERO, ..rules() };
    assert_eq!(
        told(&[(Some(0), "6a 4a 6b")], rules, &[("6b", Connect(1))]).await,
        "6a 0+21 overtaken, 4a 10+11 overtaken, 6b 20+1 connected, won: 6b"
    );
}

#[tokio::test(start_paused = true)]
async fn no_address_is_tried_twice() {
    let twice = [(Some(0), "4a 4a 4b"), (Some(1), "4b 4a 4c")];
    let refuse = [("4a", Refuse(1)), ("4b", Refuse(1)), ("4c", Refuse(1))];
    assert_eq!(
        told(&twice, rules(), &refuse).await,
        "4a 1+1 refused, 4b 2+1 refused, 4c 3+1 refused"
    );
}

/// A resolver is somebody else's code: however much it answers, little is kept and done.
#[tokio::test(start_paused = true)]
async fn what_is_taken_of_an_answer_is_bounded() {
    let v4 = (0..100_000_u32).map(|number| SocketAddr::from((number.to_be_bytes(), 0)));
    let many = v4.chain([address("6a")]);
    let finish = run(Answers::of(many), rules(), &[("6a", Refuse(1))]).await;
    let tried = finish.attempts.iter().map(|attempt| attempt.address.is_ipv6());
    assert!(tried.eq([false, true, false, false, false]), "{:?}", finish.attempts);
}

/// Answers at once, again and again, and never ends.
struct Endless;

impl Stream for Endless {
    type Item = io::Result<Vec<SocketAddr>>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(Some(Ok(Vec::new())))
    }
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_never_ends_is_not_listened_to_for_ever() {
    let begun = Instant::now();
    let finish = run(Answers::new(Endless), rules(), &[]).await;
    assert!(finish.winner.is_none() && finish.attempts.is_empty() && !finish.late);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

/// Whatever comes when, the rules hold.
#[tokio::test(start_paused = true)]
async fn what_holds_in_every_race() {
    const NAMES: [&str; 14] =
        ["4a", "4b", "4c", "4d", "4e", "4f", "41", "6a", "6b", "6c", "6d", "6e", "6f", "61"];
    const FAMILIES: [Family; 5] =
        [Family::Any, Family::PreferV4, Family::PreferV6, Family::OnlyV4, Family::OnlyV6];
    let mut won = 0;
    for seed in 0..3000 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut does = Vec::new();
        for name in NAMES {
            let after = random.random_range(0..2000);
            does.push((
                name,
                match random.random_range(0..4) {
                    0 => Connect(after),
                    1 => Nothing,
                    _ => Refuse(after % 400),
                },
            ));
        }
        let mut given = Vec::new();
        for _ in 0..random.random_range(0..4) {
            let after = random.random_bool(0.9).then(|| random.random_range(0..300));
            let count = random.random_range(0..7);
            let names = (0..count).map(|_| NAMES[random.random_range(0..NAMES.len())]);
            given.push((after, names.collect::<Vec<_>>().join(" ")));
        }
        let given = given.iter().map(|(after, names)| (*after, &**names)).collect::<Vec<_>>();
        let rules = Rules {
            family: FAMILIES[random.random_range(0..5)],
            delay: ms(random.random_range(0..500)),
            each: ms(random.random_range(100..3000)),
            deadline: random.random_bool(0.3).then(|| Instant::now() + ms(1000)),
            ..rules()
        };
        let begun = Instant::now();
        let finish = run(answers(&given), rules, &does).await;
        let seen = format!("seed {seed}: {given:?} {rules:?} {does:?} {finish:?}");

        let ended = |attempt: &Attempt| attempt.began + attempt.took;
        assert!(finish.attempts.len() <= MAX_ADDRESSES, "{seen}");
        for (index, attempt) in finish.attempts.iter().enumerate() {
            let before = &finish.attempts[..index];
            assert!(rules.family.admits(attempt.address.ip()), "{seen}");
            assert!(before.iter().all(|other| other.address != attempt.address), "{seen}");
            assert!(attempt.took <= rules.each, "{seen}");
            let Some(last) = before.last() else { continue };
            let failed = |other: &Attempt| {
                matches!(other.outcome, AttemptOutcome::Failed(_) | AttemptOutcome::TimedOut)
                    && (last.began..=attempt.began).contains(&ended(other))
            };
            let apart = attempt.began - last.began >= rules.delay.max(MIN_DELAY);
            assert!(apart || before.iter().any(failed), "{seen}");
        }
        let connected = |attempt: &&Attempt| matches!(attempt.outcome, AttemptOutcome::Connected);
        let winners = finish.attempts.iter().filter(connected).collect::<Vec<_>>();
        assert_eq!(winners.len(), usize::from(finish.winner.is_some()), "{seen}");
        if let Some(winner) = winners.first() {
            won += 1;
            assert_eq!(finish.winner, Some(name(winner.address)), "{seen}");
            for other in &finish.attempts {
                let of = name(other.address);
                let Some((_, Connect(after))) = does.iter().find(|(name, _)| *name == of) else {
                    continue;
                };
                let would = other.began + ms(*after);
                assert!(would >= ended(winner) || ms(*after) > rules.each, "{seen}");
            }
        }
        let longest = rules.each * 6 + ms(1000);
        assert!(begun.elapsed() <= longest, "{seen}");
        assert!(rules.deadline.is_none_or(|at| Instant::now() <= at), "{seen}");
    }
    assert!(won > 500, "only {won} were won: does this test still race?");
}
