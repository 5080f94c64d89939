//! How it ends.

use std::sync::Arc;
use std::time::Duration;

use super::asking::UnderWay;
use super::{Life, Remote};
use crate::data::error::Result;
use crate::local::enter;
use crate::local::interpreter::deadline::Deadline;
use crate::local::interpreter::end_options::EndOptions;
use crate::local::interpreter::nested::far;
use crate::local::interpreter::waiting::KeptHere;
use crate::process::channel::Control;
use crate::process::options;
use crate::process::protocol::asks;
use crate::process::socket;

impl Remote {
    /// Ends it: its exit functions run, its threads have so long to end. `Busy`: something is under way.
    pub(crate) fn destroy(self: &Arc<Self>, ending: &EndOptions<'_>, kill: bool) -> Result<()> {
        self.not_inside()?;
        if kill {
            self.end_now("the host has destroyed it");
        }
        enter::for_host(|| {
            let mut line = match self.line() {
                Ok(line) => Some(line),
                Err(_) if kill => None,
                Err(busy) => return Err(busy),
            };
            let before = std::mem::replace(&mut *self.life(), Life::Ending);
            if before == Life::Ending {
                return Err(self.is_being_destroyed());
            }
            let _ends = KeptHere::new(self.id);
            if let Some(line) = line
                .as_mut()
                .filter(|_| before == Life::There && self.lost.get().is_none())
            {
                let _overdue =
                    self.kill_after(ending.timeout.saturating_add(EndOptions::OF_PROCESS));
                let _ = self.say_released(line);
                let number = self.next_number();
                let _under_way = UnderWay::begin(self, number);
                let waits = || self.is_alive() && (ending.keeps_waiting)();
                let _ = self.until_answered(line, &waits, |writer| {
                    writer.byte(asks::END);
                    writer.u64(number.into());
                    options::write_end(writer, ending);
                    true
                });
            }
            socket::kill(&self.pidfd, libc::SIGKILL);
            // One that had to be killed has had its time, and so has what it has created.
            let ended = self.lost.get().is_none();
            self.end_created(ended.then_some(ending));
            self.let_go();
            self.streams.close();
            let functions = std::mem::take(&mut *self.functions());
            enter::for_far_call(self.id, || {
                drop(functions);
                self.queues.clear();
            });
            self.end_objects();
            far::remove(self.id);
            *self.life() = Life::Destroyed;
            (self.destroyed)(self.id);
            self.lines.end_turns();
            if let Some(line) = line {
                line.retire();
            }
            Ok(())
        })
    }

    /// Nobody waits for it any more, or looks at what it does.
    pub(super) fn let_go(&self) {
        let watched = std::mem::take(&mut *self.watched());
        watched
            .into_iter()
            .for_each(|number| self.family.watcher().forget(number));
        self.control.close();
        self.others().iter().for_each(Control::close);
        self.family.forget(self.number);
    }

    /// It is killed after this time, unless the answer is dropped.
    fn kill_after(self: &Arc<Self>, time: Duration) -> Option<Deadline> {
        let me = self.clone();
        let kill = Box::new(move || me.end_now("its end took too long"));
        Deadline::of(time, None, kill).ok()
    }
}
