//! Objects of its interpreter that the host has handles of.

use super::Remote;
use super::asking::UnderWay;
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
        // What the ends of objects call of the host's may call the interpreter again.
        let _under_way = UnderWay::begin(self, number);
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
        self.releasing.during(|| {
            if let Ok(mut line) = self.line() {
                let _ = self.say_released(&mut line);
            }
        });
    }

    /// A line for the calling thread, which was refused one, unless it was for that alone.
    #[cold]
    pub(super) fn line_after_release(&self, refused: Error) -> Result<Line<'_>> {
        if refused.status() != Status::Busy {
            return Err(refused);
        }
        enter::detached(|| self.releasing.wait(|| self.lines.is_lent()));
        self.line()
    }

    /// Its handles stand for nothing from now on.
    pub(super) fn end_objects(&self) {
        drop(ObjectHandle::end_all(&self.home));
    }
}
