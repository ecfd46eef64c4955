//! [`Pool`]: compressors, decompressors and scratch memory that nobody uses at the moment.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, TryLockError};

use super::compressor::{Compressor, Shape};
use super::decompressor::Decompressor;
use super::scratch::Scratch;

/// What connections borrow for the time of a message and give back.
///
/// Nobody ever waits for it: where another thread has its hand in a drawer, the next one is tried,
/// and where none is free there is always the allocator.
#[derive(Debug, Default)]
pub(super) struct Pool {
    drawers: [Mutex<Drawer>; DRAWERS],
    /// Where the next look begins, so that threads seldom meet.
    turn: AtomicUsize,
}

#[derive(Debug, Default)]
struct Drawer {
    compressors: Vec<Compressor>,
    decompressors: Vec<Decompressor>,
    scratches: Vec<Scratch>,
}

/// Drawers: about as many threads can look at once without meeting.
const DRAWERS: usize = 8;

/// Most of each kind in a drawer. More are in use only while that many messages are under way.
const KEPT: usize = 2;

/// Scratch memory of more bytes is not kept: it served an exceptional message.
const MAX_SCRATCH_BYTES: usize = 96 * 1024;

impl Pool {
    pub(super) fn take_compressor(&self, shape: Shape) -> Compressor {
        let found = self.look(|drawer| {
            let fitting =
                drawer.compressors.iter().position(|compressor| compressor.shape == shape);
            fitting.map(|at| drawer.compressors.swap_remove(at))
        });
        found.unwrap_or_else(|| Compressor::new(shape))
    }

    pub(super) fn take_decompressor(&self) -> Decompressor {
        self.look(|drawer| drawer.decompressors.pop()).unwrap_or_default()
    }

    pub(super) fn take_scratch(&self) -> Scratch {
        self.look(|drawer| drawer.scratches.pop()).unwrap_or_default()
    }

    /// Takes a compressor back. It will begin anew when it is used again.
    pub(super) fn give_compressor(&self, mut compressor: Compressor) {
        compressor.begin_anew();
        self.keep(compressor, |drawer| &mut drawer.compressors);
    }

    pub(super) fn give_decompressor(&self, mut decompressor: Decompressor) {
        decompressor.begin_anew();
        self.keep(decompressor, |drawer| &mut drawer.decompressors);
    }

    pub(super) fn give_scratch(&self, mut scratch: Scratch) {
        scratch.clear();
        if (1..=MAX_SCRATCH_BYTES).contains(&scratch.capacity()) {
            self.keep(scratch, |drawer| &mut drawer.scratches);
        }
    }

    /// The first that `find` finds in a drawer that nobody else is looking into.
    fn look<T>(&self, mut find: impl FnMut(&mut Drawer) -> Option<T>) -> Option<T> {
        let turn = self.turn.load(Ordering::Relaxed);
        (0..DRAWERS).find_map(|step| {
            let drawer = &self.drawers[turn.wrapping_add(step) % DRAWERS];
            match drawer.try_lock() {
                Ok(mut drawer) => find(&mut drawer),
                // A drawer holds nothing that a panic could have left half done.
                Err(TryLockError::Poisoned(drawer)) => find(&mut drawer.into_inner()),
                Err(TryLockError::WouldBlock) => {
                    self.turn.store(turn.wrapping_add(step + 1), Ordering::Relaxed);
                    None
                }
            }
        })
    }

    fn keep<T>(&self, item: T, place: impl Fn(&mut Drawer) -> &mut Vec<T>) {
        let mut item = Some(item);
        self.look(|drawer| {
            let place = place(drawer);
            if place.len() < KEPT {
                place.extend(item.take());
            }
            item.is_none().then_some(())
        });
    }
}
