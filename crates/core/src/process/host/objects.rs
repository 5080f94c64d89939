//! Objects of its interpreter that the host has handles of.

use std::sync::{MutexGuard, PoisonError};

use super::Remote;
use crate::data::error::{Error, Result, Status};
use crate::data::object_handle::ObjectHandle;
use crate::local::enter;
use crate::process::lines::Line;
use crate::process::protocol::asks;

impl Remote {
    /// Says which objects were released, if any were.
    #[inline]
    pub(super) fn say_released(&self, line: &mut Line<'_>) -> Result<()> {
        match self.home.has_released() {
            true => self.say_released_now(line),
            false => Ok(()),
        }
    }

    #[cold]
    fn say_released_now(&self, line: &mut Line<'_>) -> Result<()> {
        let released = self.home.take_released();
        let number = self.next_number();
        let said = enter::for_host(|| {
            self.converse(line, asks::RELEASE, number, |writer| {
                writer.size(released.len());
                released.iter().for_each(|object| writer.u64(*object));
            })
        });
        said.map(drop)
    }

    /// Says it, if nobody has it do anything: what is asked for next does otherwise. Who asks for something meanwhile waits
    /// for that.
    pub(crate) fn say_released_if_idle(&self) {
        let _releasing = self.releasing();
        if let Ok(mut line) = self.line() {
            let _ = self.say_released(&mut line);
        }
    }

    fn releasing(&self) -> MutexGuard<'_, ()> {
        self.releasing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A line for the calling thread, which was refused one, unless it was for that alone.
    #[cold]
    pub(super) fn line_after_release(&self, refused: Error) -> Result<Line<'_>> {
        if refused.status() != Status::Busy {
            return Err(refused);
        }
        enter::detached(|| drop(self.releasing()));
        self.line()
    }

    /// Its handles stand for nothing from now on.
    pub(super) fn end_objects(&self) {
        drop(ObjectHandle::end_all(&self.home));
    }
}
