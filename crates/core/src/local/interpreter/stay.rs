//! A thread that stays in an interpreter: what is known of it, and why a thread can't enter or leave.

use std::cell::Cell;

use crate::data::error::{Error, Result, Status};
use crate::data::id::Id;
use crate::local::attach;
use crate::local::enter::InHost;
use crate::local::thread::calling_thread;
use crate::local::thread::entry::Entry;

/// What the one inside has, where that is a thread that stays.
#[derive(Default)]
pub(super) struct Stay {
    /// How often it has entered, and not left again. 0: nobody stays.
    pub(super) depth: Cell<usize>,
    /// What it has in the host, if that is anything of its own; `None` also in a call.
    pub(super) in_host: Cell<Option<InHost>>,
    pub(super) has_own: Cell<bool>,
}

impl Stay {
    /// How often the calling thread has entered by this entry, the interpreter's, wherever it is now. `None`: it does not stay.
    pub(super) fn depth_here(&self, of: &Entry) -> Option<&Cell<usize>> {
        let mut entry = calling_thread::entry();
        // SAFETY: an entry lives until it is left.
        while let Some(one) = unsafe { entry.as_ref() } {
            if std::ptr::eq(one, of) {
                // The entry is this thread's, and what is for the one inside with it.
                return Some(&self.depth).filter(|depth| depth.get() > 0);
            }
            entry = one.outer();
        }
        None
    }
}

/// Fails for a thread that could not leave before it returns into Python.
pub(crate) fn may_enter(id: Id) -> Result<()> {
    // SAFETY: an entry lives until it is left.
    let why = match unsafe { calling_thread::entry().as_ref() } {
        Some(entry) if entry.stays.get() => return Ok(()),
        Some(_) => {
            "in a function that a script has called: calls of that script's interpreter are quick there anyway"
        }
        None if attach::is_attached() => "while the host has a GIL of its own: let go of it first",
        None => return Ok(()),
    };
    let message = format!("interpreter {id} can't be entered {why}");
    Err(Error::new(Status::NotPermitted, message))
}

/// Why an interpreter without a GIL of its own can't be entered.
pub(super) fn shares_gil(id: Id) -> Error {
    let message = format!(
        "interpreter {id} can't be entered: it shares its GIL, and others would wait as long; create it with \
         SUBPY_GIL_OWN, by Python 3.12 or later, or with SUBPY_BACKEND_PROCESS"
    );
    Error::new(Status::Unsupported, message)
}

/// Why something can't be done with an interpreter that a thread stays in.
pub(crate) fn entered(id: Id, here: bool) -> Error {
    let message = match here {
        true => format!("interpreter {id} is entered, by this thread: leave it first"),
        false => format!("interpreter {id} is entered, by another thread, which has not left it"),
    };
    Error::new(Status::Busy, message)
}

/// Why a thread can't leave that is in a call, or has entered another one meanwhile.
pub(crate) fn left_too_early(id: Id) -> Error {
    let message = format!(
        "interpreter {id} can't be left here: what this thread has entered later has to be left first, a call of the \
         interpreter has to return first, and a GIL that the host has let go of has to be taken back"
    );
    Error::new(Status::Busy, message)
}

/// Why a thread can't leave that has not entered.
pub(crate) fn not_entered(id: Id) -> Error {
    let message = format!("this thread has not entered interpreter {id}, or has left it");
    Error::new(Status::NotPermitted, message)
}
