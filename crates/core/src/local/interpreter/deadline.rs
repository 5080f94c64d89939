//! A limit on the time of a run.

use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::data::config::{Decision, OnDeadline};
use crate::data::error::{Error, Result, Status};
use crate::local::enter;
use crate::local::interpreter::claim::Request;
use crate::local::interpreter::shared::Shared;
use crate::local::interpreter::stats::time_of;
use crate::util::timer;
use crate::util::timer::TimerId;

/// A limit that is set; lifted when this is dropped, which waits for a question that is being asked.
pub(crate) struct Deadline(Arc<Watch>);

struct Watch {
    end: EndRun,
    start: Instant,
    on_deadline: Option<OnDeadline>,
    ticket: Mutex<Option<TimerId>>,
    /// When the run was asked to end.
    over: OnceLock<Instant>,
}

/// Asks a run to end.
type EndRun = Box<dyn Fn() + Send + Sync>;

/// So much later than its limit a run may come back without a word.
const LATE: Duration = Duration::from_millis(100);

impl Deadline {
    /// Limits the run that is under way. To be called by the holder of the claim. Fails if the system has no thread
    /// left to watch it.
    pub(crate) fn new(
        shared: &Arc<Shared>,
        timeout: Duration,
        on_deadline: Option<OnDeadline>,
    ) -> Result<Self> {
        Self::with(shared, Request::Timeout, timeout, on_deadline)
    }

    /// As [`new`](Self::new), where `why` is what the run is to end for.
    pub(super) fn with(
        shared: &Arc<Shared>,
        why: Request,
        timeout: Duration,
        on_deadline: Option<OnDeadline>,
    ) -> Result<Self> {
        let (run, shared) = (shared.state.run(), shared.clone());
        let end = Box::new(move || shared.request(Some(run), why));
        Self::of(timeout, on_deadline, end)
    }

    /// Limits what `end` asks to end.
    pub(crate) fn of(
        timeout: Duration,
        on_deadline: Option<OnDeadline>,
        end: EndRun,
    ) -> Result<Self> {
        let watch = Arc::new(Watch {
            end,
            start: Instant::now(),
            on_deadline,
            ticket: Mutex::new(None),
            over: OnceLock::new(),
        });
        watch.wait(timeout).map_err(|error| {
            let message = format!("no thread can be started to watch a time limit: {error}");
            Error::new(Status::NoMemory, message)
        })?;
        Ok(Self(watch))
    }

    /// The error of the run, which says how late it came back, if it did.
    pub(crate) fn error(&self, error: Error) -> Error {
        let late = self.0.over.get().map(Instant::elapsed);
        match late.filter(|late| error.status() == Status::Timeout && *late >= LATE) {
            Some(late) => error.with_more(&format!(
                ": it came back {} ms after that, since what it did could not be ended",
                late.as_millis()
            )),
            None => error,
        }
    }

    /// Limits it to so much work of the calling thread, by its CPU time, so that a busy machine does not count;
    /// and to ten times that in all.
    pub(crate) fn of_work(shared: &Arc<Shared>, work: Duration) -> Result<Self> {
        let mut clock = libc::CLOCK_THREAD_CPUTIME_ID;
        // SAFETY: the calling thread, which lives as long as the limit; a place for the result.
        unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &mut clock) };
        let start = time_of(clock);
        let ask = move |elapsed| {
            let left = work.saturating_sub(time_of(clock).saturating_sub(start));
            if left.is_zero() || elapsed >= work * 10 {
                return Decision::Interrupt;
            }
            Decision::Extend(left)
        };
        Self::new(shared, work, Some(Arc::new(ask)))
    }
}

impl Watch {
    /// Asks after `time` from now. Further off than the clock goes is never.
    fn wait(self: &Arc<Self>, time: Duration) -> io::Result<()> {
        if let Some(end) = Instant::now().checked_add(time) {
            let watch = self.clone();
            // Held over `at`, so that the job finds its own ticket there when it sets another.
            let mut ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
            *ticket = Some(timer::at(end, move || watch.is_over())?);
        }
        Ok(())
    }

    fn is_over(self: &Arc<Self>) {
        let ask = self.on_deadline.as_ref();
        match ask.map_or(Decision::Interrupt, |ask| ask(self.start.elapsed())) {
            Decision::Interrupt => {
                let _ = self.over.set(Instant::now());
                (self.end)();
            }
            // In the timer's thread, which is there.
            Decision::Extend(time) => drop(self.wait(time)),
            Decision::GoOn => {}
        }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        // A question that is being asked may set another ticket: until none is new.
        let mut cancelled = None;
        loop {
            let ticket = *self.0.ticket.lock().unwrap_or_else(PoisonError::into_inner);
            if ticket == cancelled {
                return;
            }
            if let Some(ticket) = ticket
                && !timer::cancel(ticket)
            {
                enter::detached(|| timer::wait_for(ticket));
            }
            cancelled = ticket;
        }
    }
}
