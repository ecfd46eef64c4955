//! What a run is exposed to: how the link behaves, when it breaks, and the sockets' settings.

use std::time::Duration;

use towline::Config;

use crate::rng::Rng;

/// Everything about a run that is drawn before it starts.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    /// No byte is lost and nobody is rude or late: no error is excused.
    pub(crate) sound: bool,
    /// Towards the client, and towards the server.
    pub(crate) ways: [Way; 2],
    /// What goes wrong at a moment rather than at a byte.
    pub(crate) at_time: Option<(Duration, Event)>,
    /// Bytes of messages that a run of this kind can carry in reasonable time.
    pub(crate) budget: usize,
}

/// One direction of the link.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// From the least to the most, in milliseconds.
    pub(crate) latency: (usize, usize),
    /// Bytes given to one read, and taken by one write, at most.
    pub(crate) read_max: usize,
    pub(crate) write_max: usize,
    /// Bytes on their way before a write has to wait.
    pub(crate) capacity: usize,
    /// So often, of a hundred operations, it is not ready although it could be.
    pub(crate) unready: usize,
    /// So often, of a hundred writes, it takes nothing for up to so many milliseconds.
    pub(crate) stalls: (usize, usize),
    /// Whether what was written waits for a flush, as in a TLS session.
    pub(crate) holds: bool,
    pub(crate) vectored: bool,
    /// What goes wrong after so many bytes.
    pub(crate) fault: Option<(u64, Fault)>,
}

/// What goes wrong at a byte of one direction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Both directions are reset; what was on its way arrives first, or does not.
    Reset { overtakes: bool },
    /// The reader sees the end; what is written vanishes.
    HalfClose,
    /// Nothing passes any more, and nobody is told.
    BlackHole { both: bool },
    /// Writing fails; the reader is not told.
    WriteError,
}

/// What goes wrong at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// In the direction towards this side.
    Fault(usize, Fault),
    /// The machine slept.
    ClockJump(Duration),
}

impl Weather {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let sound = rng.percent(45);
        let mut ways = [Way::draw(rng), Way::draw(rng)];
        let narrowest =
            ways.iter().map(|way| way.read_max.min(way.write_max).min(way.capacity)).min();
        let budget = (narrowest.unwrap_or(1) * 1000).clamp(1500, 400_000);
        let mut at_time = None;
        if !sound {
            let to = rng.below(2);
            match rng.below(10) {
                // Nothing breaks but people are late or rude.
                0 | 1 => {}
                2 => {
                    let seconds = u64::try_from(rng.between(1, 7200)).unwrap();
                    let jump = Event::ClockJump(Duration::from_secs(seconds));
                    at_time = Some((moment(rng), jump));
                }
                3 | 4 => at_time = Some((moment(rng), Event::Fault(to, Fault::draw(rng)))),
                _ => {
                    let at = if rng.percent(30) { rng.below(64) } else { rng.size(budget) };
                    ways[to].fault = Some((u64::try_from(at).unwrap(), Fault::draw(rng)));
                }
            }
        }
        Self { sound, ways, at_time, budget }
    }

    /// A socket's settings.
    pub(crate) fn config(&self, rng: &mut Rng) -> Config {
        let seconds = |rng: &mut Rng, from: &[u64]| Duration::from_secs(rng.pick(from));
        // On the slowest links pongs alone would be more than they carry.
        let pongs = self.budget > 5000 && rng.percent(20);
        let config = Config::default()
            .max_outbox(rng.pick(&[1, 64, 1000, 4096, 65_536]))
            .max_control_frames_per_second(100_000)
            .allow_short_pong_interval(true)
            .pong_interval(pongs.then(|| seconds(rng, &[1, 3])));
        if self.sound {
            // Slow is no fault: nothing may end by a deadline.
            let long = Duration::from_secs(3600);
            config
                .ping_interval(rng.percent(50).then(|| seconds(rng, &[1, 7, 30])))
                .pong_timeout(long)
                .close_timeout(long)
                .write_timeout(long)
        } else {
            config
                .ping_interval(Some(seconds(rng, &[1, 5, 30])))
                .pong_timeout(seconds(rng, &[1, 5, 30]))
                .close_timeout(seconds(rng, &[1, 10]))
                .write_timeout(seconds(rng, &[1, 5, 30]))
                .idle_timeout(rng.percent(20).then(|| seconds(rng, &[2, 60])))
        }
    }
}

impl Way {
    fn draw(rng: &mut Rng) -> Self {
        let width = |rng: &mut Rng| match rng.below(4) {
            0 => 1,
            1 => rng.between(1, 20),
            2 => rng.between(20, 2000),
            _ => 1 << 20,
        };
        // Often only one of the three is narrow, and often none.
        let narrow = rng.below(5);
        let pick = |rng: &mut Rng, which: usize| {
            if narrow == which || narrow == 3 { width(rng) } else { 1 << 20 }
        };
        let least = rng.pick(&[0, 0, 1, 20]);
        Self {
            latency: (least, least + rng.pick(&[0, 0, 5, 300])),
            read_max: pick(rng, 0),
            write_max: pick(rng, 1),
            capacity: pick(rng, 2).min(rng.pick(&[1 << 20, 65_536])),
            unready: rng.pick(&[0, 0, 10, 50]),
            stalls: (rng.pick(&[0, 0, 1, 5]), rng.pick(&[5, 500])),
            holds: rng.percent(25),
            vectored: rng.percent(50),
            fault: None,
        }
    }
}

impl Fault {
    fn draw(rng: &mut Rng) -> Self {
        match rng.below(6) {
            0 => Self::Reset { overtakes: true },
            1 => Self::Reset { overtakes: false },
            2 => Self::HalfClose,
            3 => Self::BlackHole { both: true },
            4 => Self::BlackHole { both: false },
            _ => Self::WriteError,
        }
    }
}

fn moment(rng: &mut Rng) -> Duration {
    Duration::from_millis(u64::try_from(rng.size(20_000)).unwrap())
}
