//! The fuzz targets' bodies, and the committed corpus run through them as ordinary tests.
//!
//! `fuzz/` builds the same files for libFuzzer. A body panics where a promise is broken.

#[path = "../../../../fuzz/src/calls.rs"]
#[expect(unreachable_pub, reason = "public in `fuzz/`")]
mod calls;
#[expect(dead_code, reason = "shared with the other tests, which use all of it")]
#[path = "../it/check.rs"]
mod check;
#[cfg(feature = "deflate")]
#[path = "../../../../fuzz/src/deflate.rs"]
#[expect(unreachable_pub, reason = "public in `fuzz/`")]
mod deflate;
#[expect(dead_code, reason = "shared with the other tests, which use all of it")]
#[path = "../it/pair.rs"]
mod pair;

mod seeds;
#[path = "../../../../fuzz/src/targets.rs"]
#[expect(unreachable_pub, reason = "public in `fuzz/`")]
mod targets;
#[path = "../../../../fuzz/src/text.rs"]
#[expect(unreachable_pub, reason = "public in `fuzz/`")]
mod text;

use std::fs;
use std::path::{Path, PathBuf};

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

/// Runs a body over its target's corpus; gives how many inputs there were.
#[track_caller]
fn run_corpus(target: &str, body: fn(&[u8])) {
    let mut inputs = 0;
    // A packaged crate has no corpus beside it.
    for entry in fs::read_dir(corpus(target)).into_iter().flatten() {
        let path = entry.expect("the corpus can be listed").path();
        println!("{}", path.display());
        body(&fs::read(path).expect("an input can be read"));
        inputs += 1;
    }
    println!("{inputs} inputs");
}

fn write_seeds(target: &str) {
    let folder = corpus(target);
    fs::create_dir_all(&folder).expect("the corpus can be written");
    for (name, input) in seeds::of(target) {
        fs::write(folder.join(name), input).expect("the corpus can be written");
    }
}

/// Every seed is an input whether or not it has been written out.
#[track_caller]
fn run_seeds(target: &str, body: fn(&[u8])) {
    for (name, input) in seeds::of(target) {
        println!("{name}");
        body(&input);
    }
}

macro_rules! tests {
    ($($target:ident: $body:path;)*) => {
        $(
            mod $target {
                #[test]
                fn the_corpus_keeps_every_promise() {
                    crate::run_corpus(stringify!($target), $body);
                }

                #[test]
                fn the_seeds_keep_every_promise() {
                    crate::run_seeds(stringify!($target), $body);
                }
            }
        )*

        const TARGETS: &[(&str, fn(&[u8]))] = &[$((stringify!($target), $body)),*];
    };
}

mod run {
    tests! {
        address: crate::targets::address;
        calls: crate::calls::run;
        connection: crate::targets::connection;
        frame: crate::targets::frame;
        operations: crate::targets::operations;
        request: crate::targets::request;
        response: crate::targets::response;
        text: crate::text::run;
    }

    #[cfg(feature = "deflate")]
    mod deflate {
        #[test]
        fn the_corpus_keeps_every_promise() {
            crate::run_corpus("deflate", crate::deflate::run);
        }

        #[test]
        fn the_seeds_keep_every_promise() {
            crate::run_seeds("deflate", crate::deflate::run);
        }

        #[test]
        fn noise_keeps_every_promise() {
            let mut random = crate::check::Random(12);
            for _ in 0..600 {
                let len = random.next() % 300;
                let mut input: Vec<u8> = (0..len).map(|_| random.next().to_le_bytes()[0]).collect();
                crate::deflate::run(&input);
                // As one compressed frame: that gets further.
                let payload = input.split_off(input.len().min(1));
                input.extend([0, 0xc2, 126, 0]);
                input.push(u8::try_from(payload.len().min(255)).expect("below 256"));
                input.extend(payload);
                crate::deflate::run(&input);
            }
        }

        /// See `write_the_seeds`.
        #[test]
        #[ignore = "writes files"]
        fn write_the_seeds() {
            crate::write_seeds("deflate");
        }
    }

    /// Writes the seeds into the corpus:
    /// `cargo test -p towline-proto --test fuzz -- --ignored`.
    #[test]
    #[ignore = "writes files"]
    fn write_the_seeds() {
        for (target, _) in TARGETS {
            super::write_seeds(target);
        }
    }

    /// Where no fuzzer runs, this much does.
    #[test]
    fn noise_keeps_every_promise() {
        let mut random = super::check::Random(11);
        for _ in 0..300 {
            let len = random.next() % 200;
            let input: Vec<u8> = (0..len).map(|_| random.next().to_le_bytes()[0]).collect();
            for (_, body) in TARGETS {
                body(&input);
            }
        }
    }
}
