//! Who may touch an interpreter, and whether its run is to end: one atomic word, changed by
//! compare-and-swap, so that a run, another run, a destroy and an interrupt that race have exactly one
//! winner, and the others know at once.
//!
//! The word is a kind and the number of the run: an interrupt is for one run, and comes too late for
//! the next one.
//!
//! Threads may wait for their turn ([`Turns`]). While some do, who gives a claim back hands it over to the first of them,
//! and nobody else gets one. Who gives it back has stored the word when it looks whether somebody waits. Who waits has said
//! so, and had a [`barrier`] for all threads, when it looks at the word. So one of the two sees the other, and a claim
//! still is one compare-and-swap, and giving it back one store, while nobody waits.

#[cfg(all(test, loom))]
mod model;

use std::ffi::CStr;

#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU64, Ordering};

use crate::data::error::Status;
use crate::local::runtime_phase;
use crate::util::barrier;
use crate::util::turns::{Ended, Given, Limit, Turns};

const IDLE: u64 = 0;
const RUNNING: u64 = 1;
/// Running, and asked to end.
const INTERRUPTED: u64 = 2;
/// Running, and out of time.
const TIMED_OUT: u64 = 3;
/// The program has ended. Its exception may be being read, which only a limit of its own can end.
const FINISHING: u64 = 4;
const ENDING: u64 = 5;
const GONE: u64 = 6;
const ACCESSED: u64 = 7;
/// Ending, and what its scripts have left to be run at its end runs.
const ENDING_RUNS: u64 = 8;
/// Ending, and what runs is to stop.
const ENDING_TOLD: u64 = 9;
/// Running, and a handler of the script's was told that it is to end.
const HANDLED: u64 = 10;

/// Running, and has used all of its CPU time.
const CPU_USED: u64 = 11;
/// Running, and has written all that it may.
const OUTPUT_USED: u64 = 12;
/// Accessed, and what objects do at their end runs.
const DROPPING: u64 = 13;
/// The same, and it is to stop.
const DROPPING_TOLD: u64 = 14;

/// The bits of a kind.
const KIND: u64 = 15;
const ONE_RUN: u64 = KIND + 1;
/// The number of a run inside of another one of the same interpreter. Those of others never come so far.
const INNER: u64 = 1 << 63;
/// An inner run has so many numbers: one more each time that it has ended for those who ask it to.
const NUMBERS: u64 = 1 << 10;

/// The state of an interpreter.
pub(crate) struct State {
    word: AtomicU64,
    /// Threads that wait for a claim to run.
    turns: Turns,
}

/// What a claim is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Run,
    End,
    /// To give something back, without being noticed: who wants to run or to end it waits for that.
    Access,
}

/// Why a claim was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Running,
    Ending,
    /// For a moment: to be tried again.
    Accessed,
    Gone,
}

/// Why a run, or what runs at the end, is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Interrupt = INTERRUPTED as isize,
    Timeout = TIMED_OUT as isize,
    Cpu = CPU_USED as isize,
    Output = OUTPUT_USED as isize,
    End = ENDING_TOLD as isize,
    Drop = DROPPING_TOLD as isize,
}

impl Request {
    /// What the run is told, and the host, in words.
    pub(crate) fn message(self) -> &'static CStr {
        match self {
            Self::Interrupt => c"the run was interrupted by the host",
            Self::Timeout => c"the run has taken longer than it was given",
            Self::Cpu => c"the run has used more CPU time than its cpu_limit_ms",
            Self::Output => c"the run has written more than its output_limit",
            Self::End => c"the interpreter ends, and this takes too long",
            Self::Drop => c"the host has released the object, and this takes too long",
        }
    }

    /// Whether the run has no time left for its `finally`.
    pub(crate) fn is_urgent(self) -> bool {
        matches!(self, Self::Cpu | Self::Output)
    }

    /// What the host is told of the run.
    pub(crate) fn status(self) -> Status {
        match self {
            Self::Interrupt => Status::Interrupted,
            Self::Timeout => Status::Timeout,
            Self::Cpu | Self::Output => Status::Limit,
            Self::End | Self::Drop => Status::Exception,
        }
    }
}

/// The number of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run(u64);

impl Run {
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// As [`number`](Self::number) has it.
    pub(crate) fn of(number: u64) -> Self {
        Self(number)
    }

    /// Whether it is inside of another one of the same interpreter.
    pub(crate) fn is_inner(self) -> bool {
        self.0 & INNER != 0
    }
}

/// The right to touch an interpreter, until this is dropped.
pub(crate) struct Claim<'a>(&'a State);

/// A run that waits for one inside of it, of the same interpreter: what the word was, or is to be.
pub(crate) struct Outer(u64);

impl Outer {
    pub(crate) fn run(&self) -> Run {
        Run(self.0 & !KIND)
    }

    pub(crate) fn is_requested(&self) -> bool {
        is_asked(self.0 & KIND)
    }

    /// As [`State::request`]. Says whether it is asked now, and was not before.
    pub(crate) fn request(&mut self, run: Option<Run>, why: Request) -> bool {
        let asked = asked(self.0, run, why);
        self.0 = asked.unwrap_or(self.0);
        asked.is_some()
    }
}

/// Whether a run of this kind is to end.
#[inline]
fn is_asked(kind: u64) -> bool {
    matches!(kind, INTERRUPTED | TIMED_OUT | CPU_USED | OUTPUT_USED)
}

/// The word of a run, or of what runs at the end, that is asked to end. `None`: it can't be asked, or is not `run`,
/// where that is given.
fn asked(word: u64, run: Option<Run>, why: Request) -> Option<u64> {
    let this = word & !KIND;
    let (may_ask, why) = match (word & KIND, run) {
        (RUNNING | HANDLED, None) => (true, why),
        (RUNNING | FINISHING | HANDLED, Some(run)) => (run.0 == this, why),
        (DROPPING, Some(run)) => (run.0 == this, Request::Drop),
        (ENDING_RUNS, _) => (run.is_none_or(|run| run.0 == this), Request::End),
        _ => (false, why),
    };
    may_ask.then_some(this | why as u64)
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            word: AtomicU64::new(IDLE),
            turns: Turns::new(),
        }
    }

    /// Claims the interpreter, or says at once who has it: that, or those who wait for it.
    #[inline]
    pub(crate) fn claim(&self, purpose: Purpose) -> Result<Claim<'_>, Refused> {
        if purpose != Purpose::Access && self.turns.are_awaited() {
            return Err(self.awaited());
        }
        let word = self.word.load(Ordering::Relaxed);
        let kind = match purpose {
            Purpose::Run => RUNNING,
            Purpose::End => ENDING,
            Purpose::Access => ACCESSED,
        };
        if word & KIND != IDLE {
            return Err(Self::refused(word));
        }
        // Acquire: what the last holder wrote is seen. Release is in `Claim::drop`.
        let claimed = self.word.compare_exchange(
            word,
            (word + ONE_RUN) | kind,
            Ordering::Acquire,
            Ordering::Relaxed,
        );
        claimed.map(|_| Claim(self)).map_err(Self::refused)
    }

    fn refused(word: u64) -> Refused {
        match word & KIND {
            ENDING | ENDING_RUNS | ENDING_TOLD => Refused::Ending,
            // Idle again: another holder has come and gone since we looked.
            ACCESSED | DROPPING | DROPPING_TOLD | IDLE => Refused::Accessed,
            GONE => Refused::Gone,
            _ => Refused::Running,
        }
    }

    /// Why a claim is refused while threads wait for theirs: one of them has it now, or gets it before anybody else.
    #[cold]
    fn awaited(&self) -> Refused {
        match self.kind() {
            ENDING | ENDING_RUNS | ENDING_TOLD => Refused::Ending,
            GONE => Refused::Gone,
            _ => Refused::Running,
        }
    }

    /// Claims the interpreter to run, when it is the calling thread's turn; else says how its wait has ended. To be called
    /// without a GIL.
    #[cold]
    pub(crate) fn claim_in_turn(&self, limit: &Limit<'_>) -> Result<Claim<'_>, Ended> {
        let ended = self
            .turns
            .wait(limit, barrier::barrier_prepared, &|| self.give());
        match ended {
            Ended::Turn => Ok(Claim(self)),
            ended => Err(ended),
        }
    }

    /// Claims it for the thread whose turn it is.
    fn give(&self) -> Given {
        let word = self.word.load(Ordering::Relaxed);
        match word & KIND {
            GONE => Given::Never,
            IDLE => {
                let claimed = (word + ONE_RUN) | RUNNING;
                // Acquire, on behalf of that thread, which takes the lock of `turns` next.
                let result =
                    self.word
                        .compare_exchange(word, claimed, Ordering::Acquire, Ordering::Relaxed);
                // Else one has come that had not seen yet that somebody waits.
                result.map_or(Given::NotYet, |_| Given::Yes)
            }
            _ => Given::NotYet,
        }
    }

    /// A claim was given back. (In a child that was forked, those who wait are not there, and one of them may have had the
    /// lock.)
    #[cold]
    fn pass_on(&self) {
        if !runtime_phase::is_forked() {
            self.turns.pass_on(&|| self.give());
        }
    }

    /// Wakes the threads that wait for their turn.
    pub(crate) fn end_waits(&self, how: Ended) {
        if self.turns.are_awaited() && !runtime_phase::is_forked() {
            self.turns.end_all(how);
        }
    }

    /// The threads that wait for their turn.
    pub(crate) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// The claim that is held already.
    ///
    /// # Safety
    /// It was forgotten by its holder, who is the caller.
    pub(crate) unsafe fn claimed(&self) -> Claim<'_> {
        Claim(self)
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.kind(), RUNNING | FINISHING | HANDLED) || is_asked(self.kind())
    }

    /// The run that an interrupt would be for.
    pub(crate) fn interruptible(&self) -> Option<Run> {
        let word = self.word.load(Ordering::Relaxed);
        asked(word, None, Request::Interrupt).map(|_| Run(word & !KIND))
    }

    /// The run that is under way, if its program has not ended.
    pub(crate) fn under_way(&self) -> Option<Run> {
        let word = self.word.load(Ordering::Relaxed);
        let kind = word & KIND;
        (matches!(kind, RUNNING | HANDLED) || is_asked(kind)).then_some(Run(word & !KIND))
    }

    pub(crate) fn is_accessed(&self) -> bool {
        matches!(self.kind(), ACCESSED | DROPPING | DROPPING_TOLD)
    }

    /// Whether it ends, or has ended.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.kind(), ENDING | ENDING_RUNS | ENDING_TOLD | GONE)
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.kind() == GONE
    }

    /// Asks the run that is under way to end, or what runs at the end, if it is `run`, where that is given.
    /// The answer is the run that has been asked; `None`: there is nothing to ask.
    pub(crate) fn request(&self, run: Option<Run>, why: Request) -> Option<Run> {
        let mut word = self.word.load(Ordering::Relaxed);
        let mut ask = asked(word, run, why)?;
        let met = Run(word & !KIND);
        // A handler may be told meanwhile: the run goes on.
        while let Err(now) =
            (self.word).compare_exchange(word, ask, Ordering::Relaxed, Ordering::Relaxed)
        {
            word = now;
            ask = asked(word, Some(met), why)?;
        }
        Some(met)
    }

    /// Another run of its holder's begins, whose claim it is still. To be called by that, after [`finish`](Self::finish).
    #[inline]
    pub(crate) fn begin_again(&self) {
        self.set((self.run().0 + ONE_RUN) | RUNNING, Ordering::Relaxed);
    }

    /// A run begins inside of the one that is under way, or of an access. If that was asked to end, this one is. To be called by the
    /// holder of the claim.
    pub(crate) fn begin_inner(&self) -> Outer {
        use std::sync::atomic;
        static NEXT: atomic::AtomicU64 = atomic::AtomicU64::new(0);
        let number = INNER | (NEXT.fetch_add(NUMBERS, atomic::Ordering::Relaxed) * ONE_RUN);
        let outer = self.word.swap(number | RUNNING, Ordering::Relaxed);
        if is_asked(outer & KIND) {
            self.set(number | outer & KIND, Ordering::Relaxed);
        }
        Outer(outer)
    }

    /// The run inside of `outer` has ended. To be called by the holder of the claim.
    pub(crate) fn end_inner(&self, outer: Outer) {
        self.set(outer.0, Ordering::Relaxed);
    }

    /// A handler of the script's is told that the run that is under way is to end, if it is `run`, where that is
    /// given: it may go on. The answer is that run, if there is one that was not asked otherwise.
    pub(crate) fn tell(&self, run: Option<Run>) -> Option<Run> {
        let word = self.word.load(Ordering::Relaxed);
        let is_it = run.is_none_or(|run| run.0 == word & !KIND);
        if !is_it || !matches!(word & KIND, RUNNING | HANDLED) {
            return None;
        }
        let told = word & !KIND | HANDLED;
        let result = self
            .word
            .compare_exchange(word, told, Ordering::Relaxed, Ordering::Relaxed);
        result.ok().map(|_| Run(word & !KIND))
    }

    /// Why the run that is under way is to get an exception, if it is.
    #[inline]
    pub(crate) fn asked(&self) -> Option<Request> {
        match self.kind() {
            INTERRUPTED => Some(Request::Interrupt),
            TIMED_OUT => Some(Request::Timeout),
            CPU_USED => Some(Request::Cpu),
            OUTPUT_USED => Some(Request::Output),
            ENDING_TOLD => Some(Request::End),
            DROPPING_TOLD => Some(Request::Drop),
            _ => None,
        }
    }

    /// Why the run that is under way is to end, if it is: by an exception, or as a handler of the script's sees fit.
    #[inline]
    pub(crate) fn requested(&self) -> Option<Request> {
        // In this order: what a handler was told may become a request, and no request is taken back.
        let is_told = self.kind() == HANDLED;
        self.asked().or(is_told.then_some(Request::Interrupt))
    }

    /// Whether `run` is under way and is to end.
    pub(crate) fn is_requested(&self, run: Run) -> bool {
        let word = self.word.load(Ordering::Relaxed);
        let kind = word & KIND;
        word & !KIND == run.0 && (is_asked(kind) || matches!(kind, ENDING_TOLD | DROPPING_TOLD))
    }

    /// The run that is under way. To be called by the holder of the claim, or while the interpreter is attached.
    #[inline]
    pub(crate) fn run(&self) -> Run {
        Run(self.word.load(Ordering::Relaxed) & !KIND)
    }

    /// The run has ended, but its claim goes on, under another number: whoever asks by the old one comes
    /// too late, a limit of the run's own included. Says whether it was asked to end before. To be called
    /// by the holder of the claim, before it detaches: those who bring the exception look at this word
    /// while they hold the GIL.
    #[inline]
    pub(crate) fn finish(&self) -> Option<Request> {
        let requested = self.requested();
        self.set((self.run().0 + ONE_RUN) | FINISHING, Ordering::Relaxed);
        requested
    }

    /// What scripts have left to be run at the end runs from now on, under a number of its own, or doesn't
    /// any more; then nobody can ask it to stop. To be called by the holder of the claim.
    pub(crate) fn set_runs_at_end(&self, runs: bool) {
        let kind = if runs { ENDING_RUNS } else { ENDING };
        self.set((self.run().0 + ONE_RUN) | kind, Ordering::Relaxed);
    }

    /// What objects do at their end runs from now on, in an access, under a number of its own, or doesn't any more. To be called
    /// by the holder of the claim.
    pub(crate) fn set_drops(&self, drops: bool) {
        let kind = if drops { DROPPING } else { ACCESSED };
        self.set((self.run().0 + ONE_RUN) | kind, Ordering::Relaxed);
    }

    /// A store. In the model it is an exchange: loom puts a store and an exchange that race in no order.
    #[inline]
    fn set(&self, word: u64, order: Ordering) {
        if cfg!(loom) {
            self.word.swap(word, order);
        } else {
            self.word.store(word, order);
        }
    }

    #[inline]
    fn kind(&self) -> u64 {
        self.word.load(Ordering::Relaxed) & KIND
    }
}

impl Claim<'_> {
    /// The interpreter is gone for ever.
    pub(crate) fn retire(self) {
        self.0.set(GONE, Ordering::Release);
        barrier::light();
        self.0.end_waits(Ended::Gone);
        std::mem::forget(self);
    }
}

impl Drop for Claim<'_> {
    #[inline]
    fn drop(&mut self) {
        // A request that comes between the two is lost, as it should be: the run is over.
        let run = self.0.run();
        self.0.set(run.0 | IDLE, Ordering::Release);
        barrier::light();
        if self.0.turns.are_awaited() {
            self.0.pass_on();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let state = State::new();
        let run = state.claim(Purpose::Run).ok();
        assert!(run.is_some() && state.is_running());
        assert_eq!(state.claim(Purpose::Run).err(), Some(Refused::Running));
        assert_eq!(state.claim(Purpose::End).err(), Some(Refused::Running));
        drop(run);
        let end = state.claim(Purpose::End).ok();
        assert_eq!(state.claim(Purpose::Run).err(), Some(Refused::Ending));
        end.unwrap().retire();
        assert_eq!(state.claim(Purpose::Run).err(), Some(Refused::Gone));
        assert!(state.is_gone());
    }

    #[test]
    fn an_interrupt_is_for_one_run() {
        let state = State::new();
        assert_eq!(
            state.request(None, Request::Interrupt),
            None,
            "nothing runs"
        );
        let first = state.claim(Purpose::Run).ok();
        let run = state.run();
        drop(first);
        let _second = state.claim(Purpose::Run).ok();
        assert_eq!(state.request(Some(run), Request::Timeout), None, "too late");
        let run = state.run();
        assert_eq!(state.request(Some(run), Request::Timeout), Some(run));
        assert!(state.is_running() && state.is_requested(run));
        assert_eq!(
            state.request(None, Request::Interrupt),
            None,
            "asked already"
        );
        assert_eq!(state.finish(), Some(Request::Timeout));
        for late in [None, Some(run)] {
            assert_eq!(state.request(late, Request::Timeout), None, "it has ended");
        }
        assert!(state.is_running() && !state.is_requested(run));
        assert_eq!(state.under_way(), None, "its exception is read");
        let reading = state.run();
        assert_eq!(
            state.request(Some(reading), Request::Timeout),
            Some(reading),
            "reading has a limit of its own"
        );
    }

    #[test]
    fn an_inner_run_is_another_one_and_ends_with_the_outer_one() {
        let state = State::new();
        let _claim = state.claim(Purpose::Run).ok();
        let run = state.run();
        let mut outer = state.begin_inner();
        assert!(outer.run() == run && state.run() != run && state.asked().is_none());
        assert_eq!(state.request(Some(run), Request::Timeout), None, "it waits");
        assert!(outer.request(Some(run), Request::Timeout) && outer.is_requested());
        assert!(!outer.request(None, Request::Interrupt), "asked already");
        state.end_inner(outer);
        assert!(state.is_requested(run));
        let outer = state.begin_inner();
        assert_eq!(state.asked(), Some(Request::Timeout));
        state.end_inner(outer);
    }

    #[test]
    fn a_handler_that_was_told_gets_no_exception() {
        let state = State::new();
        assert_eq!(state.tell(None), None, "nothing runs");
        let _run = state.claim(Purpose::Run).ok();
        let run = state.run();
        assert_eq!(state.tell(None), Some(run));
        assert_eq!(state.tell(None), Some(run), "each time");
        assert_eq!(
            (state.asked(), state.requested()),
            (None, Some(Request::Interrupt))
        );
        assert!(state.under_way() == Some(run) && !state.is_requested(run));
        assert_eq!(state.request(Some(run), Request::Timeout), Some(run));
        assert_eq!(state.tell(None), None, "its time is over");
        assert_eq!(state.asked(), Some(Request::Timeout));
        assert_eq!(state.finish(), Some(Request::Timeout));
    }

    #[test]
    fn what_runs_at_the_end_can_be_asked_to_stop() {
        let state = State::new();
        let _end = state.claim(Purpose::End).ok();
        assert_eq!(state.request(None, Request::Interrupt), None, "not yet");
        state.set_runs_at_end(true);
        let part = state.run();
        assert_eq!(state.request(Some(part), Request::Timeout), Some(part));
        assert_eq!(state.requested(), Some(Request::End));
        assert_eq!(state.claim(Purpose::Run).err(), Some(Refused::Ending));
        state.set_runs_at_end(false);
        assert_eq!(state.requested(), None);
        assert_eq!(state.request(None, Request::Interrupt), None, "over");
    }

    #[test]
    fn what_objects_do_at_their_end_can_be_asked_to_stop() {
        let state = State::new();
        let access = state.claim(Purpose::Access).ok();
        state.set_drops(true);
        let part = state.run();
        assert_eq!(state.request(None, Request::Interrupt), None, "no run");
        assert_eq!(state.request(Some(part), Request::Timeout), Some(part));
        assert_eq!(state.requested(), Some(Request::Drop));
        assert!(state.is_requested(part) && state.is_accessed() && !state.is_running());
        assert_eq!(state.claim(Purpose::Run).err(), Some(Refused::Accessed));
        state.set_drops(false);
        assert_eq!(state.requested(), None);
        drop(access);
        assert!(state.claim(Purpose::Run).is_ok());
    }

    #[test]
    fn a_race_has_one_winner() {
        let state = State::new();
        let inside = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        if let Ok(_claim) = state.claim(Purpose::Run) {
                            assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                            inside.fetch_sub(1, Ordering::Relaxed);
                        }
                        state.request(None, Request::Interrupt);
                    }
                });
            }
        });
    }
}
