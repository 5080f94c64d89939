//! Threads that wait for a thing that one of them has at a time: first come, first served.
//!
//! Who gives the thing back hands it over to the first one that waits. It is free for nobody in between, so neither one
//! that comes later nor the thread that gives it back can overtake. While nobody waits, all that this costs is a look at a
//! flag: [`Turns::are_awaited`].
//!
//! Who holds what: the lock is held to come, to go, and while the thing is taken for the first one, which waits for nothing.
//! Who waits holds no lock, and no GIL: its caller sees to that.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

#[cfg(loom)]
use loom::sync::{
    Arc, Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
};
#[cfg(not(loom))]
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
};

/// How long a thread sleeps before it looks by itself whether it is to go on, where nobody would tell it.
const SLICE: Duration = Duration::from_millis(10);

/// How a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Ended {
    /// It is this thread's turn: it has the thing.
    Turn = 1,
    TimeOver,
    /// The host has interrupted those that waited.
    Interrupted,
    /// There will be no turn any more.
    Gone,
    /// The thread is to do something else.
    Stopped,
}

/// Whether the thing was taken for the first one that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Yes,
    /// Somebody has it, and hands it over.
    NotYet,
    /// It is gone.
    Never,
}

/// How long a thread waits.
pub(crate) struct Limit<'a> {
    /// `None`: for ever.
    pub(crate) until: Option<Instant>,
    /// Asked now and then, without a lock: whether it is to wait on. `None`: nobody else wants it to do something.
    pub(crate) keeps_waiting: Option<&'a dyn Fn() -> bool>,
}

/// A thread that waits.
struct Place {
    ticket: u64,
    /// 0: it waits on. Changed while the lock is held.
    ended: AtomicU8,
    woken: Condvar,
}

impl Place {
    fn ended(&self) -> Option<Ended> {
        let all = [
            Ended::Turn,
            Ended::TimeOver,
            Ended::Interrupted,
            Ended::Gone,
            Ended::Stopped,
        ];
        let ended = self.ended.load(Ordering::Relaxed);
        all.into_iter().find(|one| *one as u8 == ended)
    }

    /// To be called while the lock is held.
    fn end(&self, ended: Ended) {
        self.ended.store(ended as u8, Ordering::Relaxed);
    }
}

type Line = VecDeque<Arc<Place>>;

/// Those that wait.
pub(crate) struct Turns {
    /// Whether there are any. Changed while the lock is held.
    are_awaited: AtomicBool,
    /// How many have come so far. Changed while the lock is held.
    tickets: AtomicU64,
    /// Those with a ticket up to this are to end: a signal handler of the host's has said so.
    interrupted: AtomicU64,
    /// Who gives the thing back always sees that one waits for it.
    are_seen: AtomicBool,
    /// The first one has come first.
    line: Mutex<Line>,
}

impl Turns {
    pub(crate) fn new() -> Self {
        Self {
            are_awaited: AtomicBool::new(false),
            tickets: AtomicU64::new(0),
            interrupted: AtomicU64::new(0),
            are_seen: AtomicBool::new(true),
            line: Mutex::new(Line::new()),
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody waits: who comes now has to, too.
    #[inline(always)]
    pub(crate) fn are_awaited(&self) -> bool {
        self.are_awaited.load(Ordering::Relaxed)
    }

    /// Waits. `come`: done when one waits, and none did before: has those that give the thing back see that from now on.
    /// False: they may miss it. `give` takes the thing for the first one.
    pub(crate) fn wait(
        &self,
        limit: &Limit<'_>,
        come: impl FnOnce() -> bool,
        give: &dyn Fn() -> Given,
    ) -> Ended {
        let mut line = self.line();
        let ticket = self.tickets.load(Ordering::Relaxed) + 1;
        self.tickets.store(ticket, Ordering::SeqCst);
        let place = Arc::new(Place {
            ticket,
            ended: AtomicU8::new(0),
            woken: Condvar::new(),
        });
        line.push_back(place.clone());
        if !self.are_awaited() {
            self.are_awaited.store(true, Ordering::SeqCst);
            self.are_seen.store(come(), Ordering::Relaxed);
        }
        loop {
            // Nobody may have seen this one come.
            if let Some(first) = self.serve(&mut line, give) {
                first.woken.notify_one();
            }
            line = self.sleep(line, &place, limit);
            if let Some(ended) = place.ended() {
                return ended;
            }
            if limit.until.is_some_and(|until| Instant::now() >= until) {
                self.leave(&mut line, &place);
                return Ended::TimeOver;
            }
            if let Some(keeps_waiting) = limit.keeps_waiting {
                drop(line);
                let goes_on = keeps_waiting();
                line = self.line();
                if let Some(ended) = place.ended() {
                    return ended;
                }
                if !goes_on {
                    self.leave(&mut line, &place);
                    return Ended::Stopped;
                }
            }
        }
    }

    /// Until the thread is told how its wait has ended, or has to look by itself.
    fn sleep<'a>(
        &self,
        line: MutexGuard<'a, Line>,
        place: &Place,
        limit: &Limit<'_>,
    ) -> MutexGuard<'a, Line> {
        if place.ended().is_some() {
            return line;
        }
        let looks = limit.keeps_waiting.is_some() || !self.are_seen.load(Ordering::Relaxed);
        let left = limit
            .until
            .map(|until| until.saturating_duration_since(Instant::now()));
        let time = match (left, looks.then_some(SLICE)) {
            (Some(left), Some(slice)) => Some(left.min(slice)),
            (left, slice) => left.or(slice),
        };
        match time {
            None => place
                .woken
                .wait(line)
                .unwrap_or_else(PoisonError::into_inner),
            Some(time) => {
                let woken = place.woken.wait_timeout(line, time);
                woken.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    /// Takes the thing for the first one, if it can be taken: that is the answer, and is to be woken.
    fn serve(&self, line: &mut Line, give: &dyn Fn() -> Given) -> Option<Arc<Place>> {
        line.front()?;
        match give() {
            Given::NotYet => None,
            Given::Yes => {
                let first = line.pop_front()?;
                self.look(line);
                first.end(Ended::Turn);
                Some(first)
            }
            Given::Never => {
                self.end(line, u64::MAX, Ended::Gone);
                None
            }
        }
    }

    /// The thing was given back: the first one gets it. To be called by who has given it back, and sees that
    /// [somebody waits](Self::are_awaited).
    #[cold]
    pub(crate) fn pass_on(&self, give: &dyn Fn() -> Given) {
        let first = self.serve(&mut self.line(), give);
        // Without the lock, which it takes next.
        if let Some(first) = first {
            first.woken.notify_one();
        }
    }

    fn leave(&self, line: &mut Line, place: &Arc<Place>) {
        line.retain(|one| !Arc::ptr_eq(one, place));
        self.look(line);
    }

    /// Says whether somebody waits.
    fn look(&self, line: &Line) {
        if line.is_empty() {
            self.are_awaited.store(false, Ordering::Relaxed);
        }
    }

    fn end(&self, line: &mut Line, up_to: u64, how: Ended) {
        line.retain(|place| {
            let stays = place.ticket > up_to;
            if !stays {
                place.end(how);
                place.woken.notify_one();
            }
            stays
        });
        self.look(line);
    }

    /// Wakes all that wait.
    #[cold]
    pub(crate) fn end_all(&self, how: Ended) {
        self.end(&mut self.line(), u64::MAX, how);
    }

    /// Has those that wait end, once [`serve_handler`](Self::serve_handler) is called. Allowed in a signal handler. False:
    /// nobody waits.
    pub(crate) fn interrupt_soon(&self) -> bool {
        let awaited = self.are_awaited();
        if awaited {
            let so_far = self.tickets.load(Ordering::SeqCst);
            self.interrupted.fetch_max(so_far, Ordering::SeqCst);
        }
        awaited
    }

    /// Wakes those that a signal handler has interrupted.
    pub(crate) fn serve_handler(&self) {
        if self.are_awaited() {
            let up_to = self.interrupted.load(Ordering::SeqCst);
            self.end(&mut self.line(), up_to, Ended::Interrupted);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// What is waited for.
    struct Thing {
        turns: Turns,
        is_free: Mutex<bool>,
    }

    const FOR_EVER: Limit<'static> = Limit {
        until: None,
        keeps_waiting: None,
    };

    impl Thing {
        fn taken() -> Arc<Self> {
            Arc::new(Self {
                turns: Turns::new(),
                is_free: Mutex::new(false),
            })
        }

        fn take(&self) -> Given {
            match std::mem::take(&mut *self.is_free.lock().unwrap()) {
                true => Given::Yes,
                false => Given::NotYet,
            }
        }

        fn give_back(&self) {
            *self.is_free.lock().unwrap() = true;
            if self.turns.are_awaited() {
                self.turns.pass_on(&|| self.take());
            }
        }

        fn wait(&self, limit: &Limit<'_>) -> Ended {
            self.turns.wait(limit, || true, &|| self.take())
        }

        /// Starts a thread that waits, and has it come.
        fn wait_there(self: &Arc<Self>) -> std::thread::JoinHandle<Ended> {
            let before = self.turns.line().len();
            let thing = self.clone();
            let thread = std::thread::spawn(move || thing.wait(&FOR_EVER));
            while self.turns.line().len() == before {
                std::thread::yield_now();
            }
            thread
        }
    }

    #[test]
    fn the_first_one_is_served_first() {
        let thing = Thing::taken();
        let served = Arc::new(Mutex::new(Vec::new()));
        let threads: Vec<_> = (0..32)
            .map(|number| {
                let (other, served) = (thing.clone(), served.clone());
                let thread = std::thread::spawn(move || {
                    assert_eq!(other.wait(&FOR_EVER), Ended::Turn);
                    served.lock().unwrap().push(number);
                    other.give_back();
                });
                while thing.turns.line().len() <= number {
                    std::thread::yield_now();
                }
                thread
            })
            .collect();
        thing.give_back();
        for thread in threads {
            thread.join().unwrap();
        }
        let in_order: Vec<usize> = (0..32).collect();
        assert_eq!(*served.lock().unwrap(), in_order);
        assert!(!thing.turns.are_awaited());
        assert_eq!(thing.take(), Given::Yes, "it is free again");
    }

    #[test]
    fn a_wait_has_an_end_of_its_own() {
        let thing = Thing::taken();
        let start = Instant::now();
        let time = Duration::from_millis(20);
        let limit = Limit {
            until: Some(start + time),
            keeps_waiting: None,
        };
        assert_eq!(thing.wait(&limit), Ended::TimeOver);
        assert!(start.elapsed() >= time);
        let limit = Limit {
            until: None,
            keeps_waiting: Some(&|| false),
        };
        assert_eq!(thing.wait(&limit), Ended::Stopped);
        assert!(!thing.turns.are_awaited());
        thing.give_back();
        assert_eq!(thing.wait(&FOR_EVER), Ended::Turn, "it was free");
    }

    #[test]
    fn who_leaves_the_line_holds_nobody_up() {
        let thing = Thing::taken();
        let other = thing.clone();
        let first = std::thread::spawn(move || {
            other.wait(&Limit {
                until: Some(Instant::now() + Duration::from_millis(20)),
                keeps_waiting: None,
            })
        });
        let second = thing.wait_there();
        assert_eq!(first.join().unwrap(), Ended::TimeOver);
        assert!(thing.turns.are_awaited());
        thing.give_back();
        assert_eq!(second.join().unwrap(), Ended::Turn);
    }

    #[test]
    fn a_signal_handler_ends_those_that_had_come() {
        let thing = Thing::taken();
        assert!(!thing.turns.interrupt_soon(), "nobody waits");
        let before = thing.wait_there();
        assert!(thing.turns.interrupt_soon());
        let after = thing.wait_there();
        thing.turns.serve_handler();
        assert_eq!(before.join().unwrap(), Ended::Interrupted);
        thing.turns.serve_handler();
        assert_eq!(thing.turns.line().len(), 1);
        thing.turns.end_all(Ended::Gone);
        assert_eq!(after.join().unwrap(), Ended::Gone);
    }
}
