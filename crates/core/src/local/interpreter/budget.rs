//! What a run may use: CPU time, and how much it writes. It counts from the start of the run to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::data::config::{Budget, Decision};
use crate::data::error::{Error, Result, Status};
use crate::local::interpreter::claim::Request;
use crate::local::interpreter::deadline::Deadline;
use crate::local::interpreter::output::OutputMeter;
use crate::local::interpreter::shared::Shared;
use crate::local::interpreter::stats::time_of;

/// The budget of a run that is under way, until this is dropped.
pub(super) struct Spending<'a> {
    output: Option<OutputLimit<'a>>,
    cpu: Option<CpuLimit>,
}

impl<'a> Spending<'a> {
    /// To be called by the holder of the claim. Fails if the system has no thread left to watch CPU time.
    pub(super) fn new(shared: &'a Arc<Shared>, budget: Budget) -> Result<Self> {
        let output = budget
            .output
            .map(|limit| OutputLimit::new(&shared.output, limit));
        let cpu = budget.cpu.map(|limit| CpuLimit::new(shared, limit));
        Ok(Self {
            output,
            cpu: cpu.transpose()?,
        })
    }

    /// The error of the run, which says what it has used, if it was too much.
    pub(super) fn error(&self, error: Error) -> Error {
        // Nobody has said it yet: a run may have limits of its own, in an interpreter that has some.
        let is = |why: Request| {
            error.status() == Status::Limit
                && error.message().as_bytes() == why.message().to_bytes()
        };
        let used = match (&self.cpu, &self.output) {
            (Some(cpu), _) if is(Request::Cpu) && cpu.is_used() => format!(
                ": it has used {} ms, and may use {} ms",
                cpu.used.load(Ordering::Relaxed),
                cpu.limit.as_millis()
            ),
            (_, Some(output)) if is(Request::Output) => format!(
                ": it was about to have written {} bytes, and may write {}",
                output.meter.written() - output.start,
                output.meter.end().saturating_sub(output.start)
            ),
            _ => return error,
        };
        error.with_more(&used)
    }
}

struct OutputLimit<'a> {
    meter: &'a OutputMeter,
    start: u64,
    /// Where that of a run further out is.
    outer: u64,
}

impl<'a> OutputLimit<'a> {
    fn new(meter: &'a OutputMeter, limit: u64) -> Self {
        let (start, outer) = (meter.written(), meter.end());
        meter.set_end(start.saturating_add(limit).min(outer));
        Self {
            meter,
            start,
            outer,
        }
    }
}

impl Drop for OutputLimit<'_> {
    fn drop(&mut self) {
        self.meter.set_end(self.outer);
    }
}

struct CpuLimit {
    _deadline: Deadline,
    limit: Duration,
    /// In milliseconds, when it was looked at last.
    used: Arc<AtomicU64>,
}

impl CpuLimit {
    fn is_used(&self) -> bool {
        u128::from(self.used.load(Ordering::Relaxed)) >= self.limit.as_millis()
    }

    fn new(shared: &Arc<Shared>, limit: Duration) -> Result<Self> {
        /// It is looked at no more often than that.
        const SHORTEST: Duration = Duration::from_millis(1);
        let mut clock = libc::CLOCK_THREAD_CPUTIME_ID;
        // SAFETY: the calling thread, which lives as long as the limit; a place for the result.
        unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &mut clock) };
        let threads = shared.threads.clone();
        let spent = move || (time_of(clock) + threads.cpu_time(), threads.count());
        let (start, _) = spent();
        let used = Arc::new(AtomicU64::new(0));
        let seen = used.clone();
        let ask = move |_| {
            let (now, threads) = spent();
            let used = now.saturating_sub(start);
            seen.store(used.as_millis() as u64, Ordering::Relaxed);
            match limit.checked_sub(used) {
                Some(left) if !left.is_zero() => {
                    // All of them may use CPU time at once.
                    Decision::Extend((left / (1 + threads as u32)).max(SHORTEST))
                }
                _ => Decision::Interrupt,
            }
        };
        let deadline = Deadline::with(shared, Request::Cpu, limit, Some(Arc::new(ask)))?;
        Ok(Self {
            _deadline: deadline,
            limit,
            used,
        })
    }
}
