//! The table, for people or as JSON.

use serde_json::json;

use super::attack::Attack;
use super::verdict::{Row, Verdict};
use crate::exit::{Code, Failure, Outcome};
use crate::json;
use crate::print::{count, size, time};

/// Rows as they come, and the sum of them.
#[derive(Debug)]
pub(super) struct Report {
    json: bool,
    max_memory: Option<u64>,
    good: u64,
    skipped: u64,
    bad: Vec<&'static str>,
    begun: bool,
}

const MIB: u64 = 1024 * 1024;

impl Report {
    pub(super) fn new(json: bool, max_memory: Option<u64>) -> Self {
        Self { json, max_memory, good: 0, skipped: 0, bad: Vec::new(), begun: false }
    }

    /// Something to know before the first row.
    pub(super) fn say(&self, text: &str) {
        if !self.json {
            println!("{text}");
        }
    }

    /// Most memory that an attack may cost, in bytes.
    pub(super) fn bound(&self, attack: &Attack) -> u64 {
        self.max_memory.unwrap_or(attack.memory).saturating_mul(MIB)
    }

    pub(super) fn add(&mut self, row: &Row) {
        match (row.is_good, row.verdict) {
            (_, Verdict::Skipped) => self.skipped += 1,
            (true, _) => self.good += 1,
            (false, _) => self.bad.push(row.attack.name),
        }
        if self.json {
            return json::event(&json!({
                "v": 1, "type": "attack", "name": row.attack.name, "source": row.attack.source,
                "verdict": row.verdict.to_string(), "good": row.is_good, "note": row.note,
                "memory": row.growth, "seconds": row.time.as_secs_f64(),
            }));
        }
        if !self.begun {
            self.begun = true;
            println!(
                "     {:24} {:14} {:>12} {:>10}  source",
                "attack", "verdict", "memory", "time"
            );
        }
        let mark = match (row.is_good, row.verdict) {
            (_, Verdict::Skipped) => "-- ",
            (true, _) => "ok ",
            (false, _) => "BAD",
        };
        let memory = row
            .growth
            .map_or_else(|| "not measured".to_owned(), |growth| format!("+{}", size(growth)));
        let verdict = row.verdict.to_string();
        println!(
            "{mark}  {:24} {verdict:14} {memory:>12} {:>10}  {}",
            row.attack.name,
            time(row.time),
            row.attack.source,
        );
        if !row.note.is_empty() {
            if !row.is_good {
                println!("       it was sent: {}", row.attack.does);
            }
            println!("       {}", row.note);
        }
    }

    /// The sum, and whether all is good.
    pub(super) fn end(self, not_played: usize) -> Outcome {
        let (good, bad) = (self.good, self.bad.len());
        if self.json {
            json::event(&json!({
                "v": 1, "type": "summary", "good": good, "bad": bad, "skipped": self.skipped,
                "not_played": not_played,
            }));
        } else {
            let left =
                if not_played > 0 { format!(", {not_played} not played") } else { String::new() };
            println!("{good} good, {bad} bad, {} skipped{left}", self.skipped);
        }
        if bad > 0 {
            let text = format!(
                "{} not withstood: {}",
                count(u64::try_from(bad).unwrap_or(u64::MAX), "attack"),
                self.bad.join(", ")
            );
            return Err(Failure::new(Code::Other, text));
        }
        if not_played > 0 {
            return Err(Failure::new(Code::Partial, "not all attacks were played"));
        }
        if good == 0 {
            return Err(Failure::new(Code::Partial, "no attack was played"));
        }
        Ok(())
    }
}

/// What there is, and what is good to see of it.
pub(super) fn list(attacks: &[&'static Attack], json: bool) {
    for attack in attacks {
        let good: Vec<String> = attack.due.good.iter().map(|good| good.words()).collect();
        match json {
            true => json::event(&json!({
                "v": 1, "type": "attack", "name": attack.name, "source": attack.source,
                "does": attack.does, "good": good, "because": attack.due.because,
                "max_memory": attack.memory * MIB, "slow": attack.slow,
                "deflate": attack.is_on_deflate(), "tls": attack.is_on_tls(),
            })),
            false => println!("{:24} {} ({})", attack.name, attack.does, attack.source),
        }
    }
}
