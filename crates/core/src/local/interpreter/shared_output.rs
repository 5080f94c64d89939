//! A function of the host's for output, which an interpreter shares with those that its scripts create. It is never called
//! twice at once. What a thread writes while it is in that function comes afterwards.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::data::config::Output;
use crate::util::thread::this_thread;

#[derive(Clone)]
pub(super) struct SharedOutput(Arc<Inner>);

struct Inner {
    /// Locked by the writer alone, for the whole call.
    output: Mutex<Output>,
    turn: Mutex<Turn>,
    is_over: Condvar,
}

#[derive(Default)]
struct Turn {
    /// The thread that writes.
    writer: Option<u64>,
    /// What it has written meanwhile.
    left: VecDeque<Vec<u8>>,
    /// The host's function is not called any more.
    closed: bool,
}

/// The calling thread is the writer until this is dropped.
struct Writer<'a>(&'a Inner);

impl SharedOutput {
    pub(super) fn new(output: Output) -> Self {
        Self(Arc::new(Inner {
            output: Mutex::new(output),
            turn: Mutex::default(),
            is_over: Condvar::new(),
        }))
    }

    /// As an interpreter has it.
    pub(super) fn output(&self) -> Output {
        let shared = self.0.clone();
        Box::new(move |bytes| shared.write(bytes))
    }

    /// What is written from now on is thrown away. Waits until no other thread is in the host's function.
    pub(super) fn close(&self) {
        let mut turn = self.0.turn();
        turn.closed = true;
        turn.left.clear();
        drop(self.0.wait(turn));
    }
}

impl Inner {
    /// Waits until no other thread writes. To be called without a GIL.
    fn write(&self, bytes: &[u8]) {
        let mut turn = self.wait(self.turn());
        if turn.closed {
            return;
        }
        if turn.writer.is_some() {
            return turn.left.push_back(bytes.to_vec());
        }
        turn.writer = Some(this_thread());
        drop(turn);
        let writer = Writer(self);
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        output(bytes);
        while let Some(left) = writer.next() {
            output(&left);
        }
    }

    /// Until no other thread writes.
    fn wait<'a>(&self, turn: MutexGuard<'a, Turn>) -> MutexGuard<'a, Turn> {
        let others = |turn: &mut Turn| turn.writer.is_some_and(|writer| writer != this_thread());
        let turn = self.is_over.wait_while(turn, others);
        turn.unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer<'_> {
    fn next(&self) -> Option<Vec<u8>> {
        self.0.turn().left.pop_front()
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.0.turn().writer = None;
        self.0.is_over.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_nothing_lost() {
        let (inside, sum) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(0)));
        let (busy, total) = (inside.clone(), sum.clone());
        let shared = SharedOutput::new(Box::new(move |bytes| {
            let _alone = busy.try_lock().expect("called twice at once");
            *total.lock().unwrap() += bytes.len();
        }));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let mut output = shared.output();
                scope.spawn(move || (0..1000).for_each(|_| output(b"ab")));
            }
        });
        assert_eq!(*sum.lock().unwrap(), 8000);
    }

    #[test]
    fn what_is_written_inside_comes_afterwards() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let again: Arc<Mutex<Option<SharedOutput>>> = Arc::default();
        let (seen, inner) = (written.clone(), again.clone());
        let shared = SharedOutput::new(Box::new(move |bytes| {
            if bytes == b"a" {
                let inner = inner.lock().unwrap().clone();
                inner.unwrap().output()(b"b");
            }
            seen.lock().unwrap().extend_from_slice(bytes);
        }));
        *again.lock().unwrap() = Some(shared.clone());
        shared.output()(b"a");
        assert_eq!(*written.lock().unwrap(), b"ab");
        shared.close();
        shared.output()(b"c");
        assert_eq!(*written.lock().unwrap(), b"ab");
        *again.lock().unwrap() = None;
    }
}
