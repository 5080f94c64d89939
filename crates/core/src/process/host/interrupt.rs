//! How what is under way is asked to end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Remote;
use crate::data::config::RunOptions;
use crate::data::error::Result;
use crate::data::id::Id;
use crate::local::interpreter::claim::Request;
use crate::local::interpreter::deadline::Deadline;
use crate::local::interpreter::end_options::EndOptions;
use crate::local::interpreter::nested::far::FarRun;
use crate::local::interpreter::nested::inner::{Inner, InnerRun};
use crate::process::channel::{End, Why};
use crate::util::thread::this_thread;
use crate::util::timer;
use crate::util::turns::Ended;

/// What a thread of this host has asked for, inside of a run of another interpreter.
struct FarInner {
    remote: Arc<Remote>,
    number: u32,
    /// It is killed so long after it was to end, for a limit of the outer one's.
    kill_after: Option<Duration>,
}

impl InnerRun for FarInner {
    fn end(&self, why: Request) {
        self.remote.end(self.number, Why::Request(why));
        if why != Request::Interrupt {
            let now = Instant::now();
            self.remote
                .kill_if_ignored(self.number, now, self.kill_after);
        }
    }
}

impl FarRun for Remote {
    fn inner_begins(&self, inner: Inner) {
        let mut under_way = self.under_way();
        // One that a thread of its scripts calls is in none of these.
        let this = this_thread();
        let mine = under_way.iter_mut().rfind(|asked| asked.thread == this);
        let Some(asked) = mine else {
            return;
        };
        let ends = asked.ends;
        asked.inner.push((inner.clone(), ends.is_some()));
        drop(under_way);
        // The outer one was asked before this one has begun.
        if let Some(why) = ends {
            inner.end(why);
        }
    }

    fn inner_ended(&self, of: Id) {
        let mut under_way = self.under_way();
        let last = under_way.iter().enumerate().rev().find_map(|(at, asked)| {
            let inner = asked.inner.iter().rposition(|(inner, _)| inner.is_of(of))?;
            Some((at, inner))
        });
        let Some((at, inner)) = last else {
            return;
        };
        let (ended, is_late) = under_way[at].inner.remove(inner);
        // All that have waited for it go on.
        for asked in &mut under_way[..=at] {
            if asked.ends.is_some() && !is_late {
                asked.went_on = Some(Instant::now());
            }
        }
        drop(under_way);
        drop(ended);
    }

    fn waits_for_this_thread(&self) -> bool {
        self.runs_here() || self.gil_keepers().contains(&this_thread())
    }

    fn asked(&self) -> Option<Request> {
        let this = this_thread();
        let under_way = self.under_way();
        let mut mine = under_way.iter().filter(|asked| asked.thread == this);
        mine.find_map(|asked| asked.ends)
    }

    fn end_with_creator(self: Arc<Self>, ending: &EndOptions<'_>) -> Result<()> {
        self.destroy(ending, false)
    }
}

impl Remote {
    /// What it is asked for by this number, for a run of another interpreter's that it is inside of.
    pub(super) fn as_inner(
        self: &Arc<Self>,
        number: u32,
        kill_after: Option<Duration>,
    ) -> Arc<dyn InnerRun> {
        Arc::new(FarInner {
            remote: self.clone(),
            number,
            kill_after,
        })
    }

    /// Limits what is under way by this number.
    pub(super) fn limit(
        self: &Arc<Self>,
        number: u32,
        time: Duration,
        options: &RunOptions<'_>,
    ) -> Result<Deadline> {
        let me = self.clone();
        let kill_after = options.kill_after;
        let is_over = move || {
            me.end(number, Why::Request(Request::Timeout));
            me.kill_if_ignored(number, Instant::now(), kill_after);
        };
        Deadline::of(time, options.on_deadline.clone(), Box::new(is_over))
    }

    /// Kills it, if what has this number is still under way after a time, and not just waits for a run inside of it: that has as
    /// long, and then this one has.
    fn kill_if_ignored(self: &Arc<Self>, number: u32, since: Instant, after: Option<Duration>) {
        let ignored = Arc::downgrade(self);
        if let Some(end) = after.and_then(|time| since.checked_add(time)) {
            // In the timer's thread, which is there.
            let _ = timer::at(end, move || {
                let Some(remote) = ignored.upgrade() else {
                    return;
                };
                let under_way = remote.under_way();
                let Some(at) = under_way.iter().position(|asked| asked.number == number) else {
                    return;
                };
                let mut inner = under_way[at..].iter().flat_map(|asked| &asked.inner);
                let waits = inner.any(|(_, is_late)| !is_late);
                let runs_since = match waits {
                    true => Instant::now(),
                    false => under_way[at].went_on.unwrap_or(since),
                };
                if runs_since > since {
                    drop(under_way);
                    return remote.kill_if_ignored(number, runs_since, after);
                }
                // As long as it is under way: what it returns has to say so.
                remote.end_now("it has ignored its time limit, and was killed");
            });
        }
    }

    /// Whether the calling thread has asked for something that is under way.
    pub(super) fn runs_here(&self) -> bool {
        let this = this_thread();
        self.under_way().iter().any(|asked| asked.thread == this)
    }

    /// Asks what has this number to end, with what is inside of it.
    fn end(&self, number: u32, why: Why) {
        let request = match why {
            Why::Interrupt => Request::Interrupt,
            Why::Request(why) => why,
        };
        let mut under_way = self.under_way();
        let Some(at) = under_way.iter().position(|asked| asked.number == number) else {
            return;
        };
        let mut inner = Vec::new();
        for asked in &mut under_way[at..] {
            asked.ends = asked.ends.or(Some(request));
            inner.extend(asked.inner.iter().map(|(inner, _)| inner.clone()));
        }
        drop(under_way);
        self.control.end(End { number, why });
        inner.iter().for_each(|inner| inner.end(request));
    }

    /// Asks all that is under way to end, and those that wait for their turn. Nothing happens if there is nothing.
    pub(crate) fn interrupt(&self) {
        // First: the end of what is under way would give one of them its turn.
        self.lines.turns().end_all(Ended::Interrupted);
        let outermost = self.under_way().first().map(|asked| asked.number);
        if let Some(number) = outermost {
            self.end(number, Why::Interrupt);
        }
    }

    /// As [`interrupt`](Self::interrupt), soon, by the timer's thread. Allowed in a signal handler. False: there is no such
    /// thread.
    pub(crate) fn interrupt_soon(&self) -> bool {
        let has_waiters = self.lines.turns().interrupt_soon();
        let outermost = self.outermost.load(Ordering::SeqCst);
        if outermost != 0 {
            self.interrupted_by_handler
                .store(outermost, Ordering::SeqCst);
        }
        outermost == 0 && !has_waiters || timer::call()
    }

    /// Does what signal handlers have asked for.
    pub(in crate::process) fn serve_handler(&self) {
        self.lines.turns().serve_handler();
        match self.interrupted_by_handler.swap(0, Ordering::SeqCst) {
            0 => {}
            number => self.end(number, Why::Interrupt),
        }
    }
}
