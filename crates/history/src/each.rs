//! Many at once: as many threads as are good for whoever answers, and the first error ends them all.

use super::HistoryError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

/// One answer for each item, in their order, `at_once` at a time; `done` is told how many are finished. The first error calls
/// `stop`, which is to end what is under way.
pub fn each<I: Sync, T: Send>(
    items: &[I],
    at_once: usize,
    of: impl Fn(&I) -> Result<T, HistoryError> + Sync,
    done: &(dyn Fn(usize) + Sync),
    stop: &(dyn Fn() + Sync),
) -> Result<Vec<T>, HistoryError> {
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let answers: Vec<Mutex<Option<T>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let failed: OnceLock<HistoryError> = OnceLock::new();
    let work = || {
        while let Some((index, item)) = taken(&next, items) {
            match of(item) {
                Ok(answer) => *held(&answers[index]) = Some(answer),
                Err(error) => {
                    // What the others see of the end is none of its causes.
                    let _ = failed.set(error);
                    next.store(items.len(), Ordering::Relaxed);
                    return stop();
                }
            }
            // What the end of the others cut off may look whole.
            if failed.get().is_some() {
                return;
            }
            done(finished.fetch_add(1, Ordering::Relaxed) + 1);
        }
    };
    std::thread::scope(|scope| {
        (0..at_once.clamp(1, items.len().max(1))).for_each(|_| drop(scope.spawn(work)))
    });
    match failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(answers.iter().filter_map(|answer| held(answer).take()).collect()),
    }
}

fn taken<'a, I>(next: &AtomicUsize, items: &'a [I]) -> Option<(usize, &'a I)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, items.get(index)?))
}

/// A thread that panics is passed on when its scope ends, so what it leaves behind does not matter.
fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_order_and_no_more_than_allowed() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let items: Vec<u64> = (0..50).collect();
        let doubled = each(
            &items,
            3,
            |item| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(item % 3));
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(item * 2)
            },
            &|_| (),
            &|| (),
        );
        assert_eq!(doubled.unwrap(), (0..50).map(|item| item * 2).collect::<Vec<_>>());
        assert!(most.into_inner() <= 3);
    }

    #[test]
    fn the_first_error_ends_it() {
        let (asked, stopped) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let error = each(
            &(0..1000).collect::<Vec<u32>>(),
            2,
            |item| {
                asked.fetch_add(1, Ordering::SeqCst);
                if *item == 3 { Err(HistoryError::UnknownSource("three".into())) } else { Ok(()) }
            },
            &|_| (),
            &|| {
                stopped.fetch_add(1, Ordering::SeqCst);
            },
        );
        assert_eq!(stopped.into_inner(), 1);
        assert!(error.unwrap_err().to_string().contains("three"));
        assert!(asked.into_inner() < 1000);
    }
}
