//! Queues, as the host uses them: from any thread, also from a function that a script has called.

use std::time::{Duration, Instant};

use crate::data::error::{Error, Result, Status};
use crate::data::queue::{IfGone, Item, Queue, Refused, WaitLimit};
use crate::data::tree::OwnedValue;
use crate::local::convert::arguments::Arguments;
use crate::local::convert::copy::copy_of;
use crate::local::enter;
use crate::local::interpreter::Interpreter;

impl Queue {
    /// Puts a copy of a value. Where there is no room it waits so long; `None`: for ever. `Busy`: the time is over.
    ///
    /// ```
    /// use subpy_core::{Queue, Value};
    ///
    /// let queue = Queue::new(0);
    /// queue.put(&Value::int(7), None)?;
    /// assert_eq!(queue.length(), 1);
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn put<'a>(&self, value: impl Into<Arguments<'a>>, wait: Option<Duration>) -> Result<()> {
        let mut value: Arguments<'a> = value.into();
        let Some(value) = value.next() else {
            return Ok(());
        };
        let copied = copy_of(value, "value")?;
        if self.is_in(&copied) {
            let message = "value has this queue in it, which can't hold itself";
            return Err(Error::new(Status::InvalidArgument, message));
        }
        let item = Item {
            value: copied,
            is_pickled: false,
            from: None,
            if_gone: IfGone::Keep,
            is_gone: false,
            charge: None,
        };
        let put = match self.try_put(item) {
            Err((Refused::TimeOver, item)) if wait != Some(Duration::ZERO) => {
                waiting(wait, |limit| self.put_item(item, limit))
            }
            put => put,
        };
        put.map_err(|(why, item)| {
            drop(item);
            refused(why, "full")
        })
    }

    /// Takes the next item out. Where there is none it waits so long; `None`: for ever. `Busy`: the time is over.
    ///
    /// ```
    /// use std::time::Duration;
    /// use subpy_core::{Queue, Status, Value, View};
    ///
    /// let queue = Queue::new(0);
    /// queue.put(&Value::int(7), None)?;
    /// assert_eq!(queue.get(None)?.get().view(), View::Int(7));
    /// assert_eq!(queue.get(Some(Duration::ZERO)).unwrap_err().status(), Status::Busy);
    /// # Ok::<(), subpy_core::Error>(())
    /// ```
    pub fn get(&self, wait: Option<Duration>) -> Result<OwnedValue> {
        let got = match self.try_get() {
            Err(Refused::TimeOver) if wait != Some(Duration::ZERO) => {
                waiting(wait, |limit| self.get_item(limit))
            }
            got => got,
        };
        let item = got.map_err(|why| refused(why, "empty"))?;
        if item.is_gone {
            let message = "the interpreter has ended that had put this item";
            return Err(Error::new(Status::NotFound, message));
        }
        if item.is_pickled {
            self.put_back(item);
            let message =
                "the next item is no plain data: a script has pickled it, and a script can get it";
            return Err(Error::new(Status::NotShareable, message));
        }
        Ok(item.value)
    }
}

/// Does `work` without any GIL. A run that has called the host and is asked to end waits no longer.
fn waiting<T>(wait: Option<Duration>, work: impl FnOnce(&WaitLimit<'_>) -> T) -> T {
    let until = wait.and_then(|wait| Instant::now().checked_add(wait));
    let limit = WaitLimit {
        until,
        keeps_waiting: &Interpreter::keeps_waiting(),
    };
    enter::detached(|| work(&limit))
}

fn refused(why: Refused, what: &str) -> Error {
    let (status, message) = match why {
        Refused::TimeOver => (
            Status::Busy,
            format!("the queue is {what}, and the time is over"),
        ),
        Refused::Closed => (Status::NotFound, "the queue is closed".to_owned()),
        Refused::NoMemory => {
            let message = "there is no memory for one more item";
            (Status::NoMemory, message.to_owned())
        }
        Refused::Stopped => {
            let message = "the run that waits for the queue is to end";
            (Status::Interrupted, message.to_owned())
        }
    };
    Error::new(status, message)
}
