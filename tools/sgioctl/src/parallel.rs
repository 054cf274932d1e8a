// SPDX-License-Identifier: GPL-2.0

//! The same for many, on all processors.

use std::thread;

/// Fewer than that are not worth a thread.
const WORTH_IT: usize = 256;
/// More threads than that wait for each other in the kernel.
const MAX_THREADS: usize = 8;

/// What `of` makes of each, in their order.
pub fn map<T: Sync, U: Send>(all: &[T], of: impl Fn(&T) -> U + Sync) -> Vec<U> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(MAX_THREADS).min(all.len() / WORTH_IT).max(1);
    if threads == 1 {
        return all.iter().map(of).collect();
    }
    let share = all.len().div_ceil(threads);
    thread::scope(|scope| {
        let of = &of;
        let parts: Vec<_> = all
            .chunks(share)
            .map(|part| scope.spawn(move || part.iter().map(of).collect::<Vec<U>>()))
            .collect();
        let join = |part: thread::ScopedJoinHandle<'_, Vec<U>>| match part.join() {
            Ok(part) => part,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        parts.into_iter().flat_map(join).collect()
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_order_stays() {
        for count in [0, 1, 255, 256, 1000, 5000] {
            let all: Vec<usize> = (0..count).collect();
            let twice: Vec<usize> = all.iter().map(|n| 2 * n).collect();
            assert_eq!(super::map(&all, |n| 2 * n), twice);
        }
    }
}
