//! Which channel a thread speaks on. A call that is made inside of another one, in the same thread, goes by the same
//! channel: the other side waits there.

use std::sync::{Mutex, MutexGuard, PoisonError};

use subpy_wire::Malformed;

use super::channel::{Broken, Channel};
use crate::local::runtime_phase;
use crate::util::thread::this_thread;
use crate::util::turns::{Ended, Given, Limit, Turns};

/// The channels of one side.
pub(super) struct Lines {
    all: Mutex<All>,
    /// Threads that wait for one that is free. Their lock is taken before that of `all`.
    turns: Turns,
}

#[derive(Default)]
struct All {
    free: Vec<Channel>,
    /// Those of threads whose turn it is, and that have not taken them yet.
    kept: Vec<Channel>,
    /// Nobody is given one in turn any more.
    is_over: bool,
    /// Those of threads that do something for the other side, which waits, and that of one that stays. The innermost is the
    /// last.
    lent: Vec<Lent>,
}

/// What a thread speaks on next.
struct Lent {
    thread: u64,
    channel: Channel,
    /// The thread stays, and the other side does nothing.
    stays: bool,
}

impl All {
    fn lend(&mut self, channel: Channel, stays: bool) {
        self.lent.push(Lent {
            thread: this_thread(),
            channel,
            stays,
        });
    }

    /// Which of those that are lent is the innermost of this thread.
    fn lent_to(&self, this: u64) -> Option<usize> {
        self.lent.iter().rposition(|lent| lent.thread == this)
    }
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            all: Mutex::default(),
            turns: Turns::new(),
        }
    }
}

impl Lines {
    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more is free.
    pub(super) fn add(&self, channel: Channel) {
        self.all().free.push(channel);
    }

    /// Whether the calling thread does something for the other side.
    pub(super) fn is_inside(&self) -> bool {
        let (this, all) = (this_thread(), self.all());
        let mut lent = all.lent.iter().filter(|lent| lent.thread == this);
        lent.any(|lent| !lent.stays)
    }

    /// Whether a thread does something for the other side.
    pub(super) fn is_lent(&self) -> bool {
        self.all().lent.iter().any(|lent| !lent.stays)
    }

    /// The calling thread does not stay any more. To be called outside of its calls.
    pub(super) fn end_stay(&self) {
        let mut all = self.all();
        if let Some(at) = all.lent_to(this_thread()) {
            let channel = all.lent.remove(at).channel;
            drop(all);
            drop(self.line(channel, Home::Free));
        }
    }

    /// The channel that the calling thread speaks on, if it does something for the other side; else one that is free, for
    /// which nobody waits, and that is free again afterwards. `has_turn`: whether what it does there is what the other side
    /// runs. Else (a script has started a thread there, which this one serves) it takes one that is free besides, so that
    /// nobody else has the other side run something meanwhile.
    pub(super) fn take(&self, has_turn: impl FnOnce() -> bool) -> Option<Line<'_>> {
        let mut all = self.all();
        let lent = all.lent_to(this_thread());
        if let Some(at) = lent.filter(|at| all.lent[*at].stays || has_turn()) {
            return Some(self.line_of_lent(all.lent.remove(at)));
        }
        if self.turns.are_awaited() {
            return None;
        }
        let free = all.free.pop()?;
        Some(self.line_of_turn(&mut all, free))
    }

    /// As [`take`](Self::take), when it is the calling thread's turn; else how its wait has ended. To be called without a
    /// GIL.
    pub(super) fn take_in_turn(&self, limit: &Limit<'_>) -> Result<Line<'_>, Ended> {
        // A channel that is given back is free before its thread looks whether somebody waits, and both take a lock.
        let ended = self.turns.wait(limit, || true, &|| self.give());
        if ended != Ended::Turn {
            return Err(ended);
        }
        let mut all = self.all();
        let kept = all.kept.pop().ok_or(Ended::Gone)?;
        Ok(self.line_of_turn(&mut all, kept))
    }

    /// For the calling thread, which has been given `free`.
    fn line_of_turn(&self, all: &mut All, free: Channel) -> Line<'_> {
        match all.lent_to(this_thread()) {
            None => self.line(free, Home::Free),
            Some(at) => {
                let mut line = self.line_of_lent(all.lent.remove(at));
                line.besides = Some(free);
                line
            }
        }
    }

    fn line_of_lent(&self, lent: Lent) -> Line<'_> {
        let home = if lent.stays { Home::Stay } else { Home::Lent };
        self.line(lent.channel, home)
    }

    /// Keeps a channel for the thread whose turn it is.
    fn give(&self) -> Given {
        let mut all = self.all();
        if all.is_over {
            return Given::Never;
        }
        match all.free.pop() {
            None => Given::NotYet,
            Some(channel) => {
                all.kept.push(channel);
                Given::Yes
            }
        }
    }

    /// Wakes the threads that wait, and those that will: they are given none any more.
    pub(super) fn end_turns(&self) {
        self.all().is_over = true;
        self.turns.end_all(Ended::Gone);
    }

    /// The threads that wait.
    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// A new channel, which the calling thread serves.
    pub(super) fn served(&self, channel: Channel) -> Line<'_> {
        self.line(channel, Home::None)
    }

    /// A new channel, which is free afterwards.
    pub(super) fn taken(&self, channel: Channel) -> Line<'_> {
        self.line(channel, Home::Free)
    }

    fn line(&self, channel: Channel, home: Home) -> Line<'_> {
        Line {
            lines: self,
            channel: Some(channel),
            home,
            besides: None,
        }
    }
}

/// Where a channel goes afterwards.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Home {
    Free,
    /// The thread does something for the other side, further out.
    Lent,
    /// The thread stays.
    Stay,
    None,
}

/// A channel that is the calling thread's until this is dropped.
pub(super) struct Line<'a> {
    lines: &'a Lines,
    /// `None`: another one has it, and does not give it back.
    channel: Option<Channel>,
    home: Home,
    /// Another one, which nobody else is to have meanwhile.
    besides: Option<Channel>,
}

/// What is said of a side that goes on while one that it has called has not returned.
const CHANGED_STACKS: Malformed = Malformed(
    "a function has returned before a call that it has made: its thread has changed stacks",
);

impl Line<'_> {
    /// Does `work` for the other side, which waits.
    pub(super) fn lend<T>(&mut self, work: impl FnOnce() -> T) -> Result<T, Broken> {
        let channel = self.channel.take().ok_or(CHANGED_STACKS)?;
        self.lines.all().lend(channel, false);
        let done = work();
        let mut all = self.lines.all();
        let at = all.lent_to(this_thread());
        self.channel = at.map(|at| all.lent.remove(at).channel);
        match self.channel {
            Some(_) => Ok(done),
            None => Err(CHANGED_STACKS.into()),
        }
    }

    /// Whether it is a thread's of the other side, which the calling thread serves.
    pub(super) fn is_served(&self) -> bool {
        self.home == Home::None
    }

    /// The calling thread stays, and has the channel for each of its calls until [`Lines::end_stay`].
    pub(super) fn stay(mut self) {
        self.home = Home::Stay;
    }

    /// Nobody is to have the channel any more.
    pub(super) fn retire(mut self) {
        self.home = Home::None;
    }

    /// The channel.
    pub(super) fn channel(&mut self) -> Result<&mut Channel, Broken> {
        self.channel.as_mut().ok_or(CHANGED_STACKS.into())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let mut all = self.lines.all();
        all.free.extend(self.besides.take());
        if let Some(channel) = self.channel.take() {
            match self.home {
                Home::Lent => all.lend(channel, false),
                Home::Stay => all.lend(channel, true),
                Home::Free => all.free.push(channel),
                Home::None => {}
            }
        }
        drop(all);
        // (In a child that was forked, those who wait are not there.)
        if self.lines.turns.are_awaited() && !runtime_phase::is_forked() {
            self.lines.turns.pass_on(&|| self.lines.give());
        }
    }
}
