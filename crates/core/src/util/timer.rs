//! One thread that does small things at their time, for all interpreters. It holds no GIL, and its lock
//! only to look at what is next. It runs as long as Python. A signal handler can wake it up, to do [one thing](on_call).

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::io;
use std::ptr::null;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::util::thread::Thread;

/// Something that is to be done.
type Job = Box<dyn FnOnce() + Send>;

/// When it is to be done; the number tells two of the same time apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerId(Instant, u64);

struct Timer {
    jobs: BTreeMap<TimerId, Job>,
    next_number: u64,
    thread: Option<Thread>,
    /// When the thread looks again by itself; `None`: never. Most jobs are cancelled, and one after the other has the same
    /// time to wait: so few are earlier, and the thread sleeps on.
    looks_at: Option<Instant>,
    /// How many have ended, or are to end.
    ended: u64,
    /// The job that is being done.
    doing: Option<TimerId>,
}

static TIMER: Mutex<Timer> = Mutex::new(Timer {
    jobs: BTreeMap::new(),
    next_number: 0,
    thread: None,
    looks_at: None,
    ended: 0,
    doing: None,
});
/// How often the thread was woken up: it waits for a change.
static WAKE_UPS: AtomicU32 = AtomicU32::new(0);
/// What the thread does when it is called.
static ON_CALL: Mutex<Vec<fn()>> = Mutex::new(Vec::new());
/// It was called.
static CALLED: AtomicBool = AtomicBool::new(false);
/// It runs.
static RUNS: AtomicBool = AtomicBool::new(false);
/// No thread is started yet: the process is to have one thread.
static WAITS: AtomicBool = AtomicBool::new(false);
/// A job is done.
static DONE: Condvar = Condvar::new();

fn timer() -> MutexGuard<'static, Timer> {
    TIMER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Timer {
    fn start(&mut self) -> io::Result<()> {
        if self.thread.is_none() && !WAITS.load(Ordering::Relaxed) {
            let number = self.ended;
            self.thread = Some(Thread::start(c"subpy timer", move || serve(number))?);
            RUNS.store(true, Ordering::Release);
        }
        Ok(())
    }
}

/// What there is to do waits until the process may have threads.
pub(crate) fn wait_for_start(waits: bool) {
    WAITS.store(waits, Ordering::Relaxed);
}

/// Starts the thread, if it can be: else the next [`at`] does. It does `work` when it is [called](call).
pub(crate) fn start(work: fn()) {
    on_call(work);
    let _ = timer().start();
}

/// It does this, too, when it is [called](call).
pub(crate) fn on_call(work: fn()) {
    let mut all = ON_CALL.lock().unwrap_or_else(PoisonError::into_inner);
    if !all.iter().any(|known| std::ptr::fn_addr_eq(*known, work)) {
        all.push(work);
    }
}

/// Has the thread do the work of [`start`], once for all calls that come before it begins. Allowed in a signal handler.
/// False: it does not run.
pub(crate) fn call() -> bool {
    if !RUNS.load(Ordering::Acquire) {
        return false;
    }
    CALLED.store(true, Ordering::SeqCst);
    wake_up();
    true
}

/// The thread looks what there is to do. Allowed in a signal handler.
fn wake_up() {
    WAKE_UPS.fetch_add(1, Ordering::SeqCst);
    futex(libc::FUTEX_WAKE, 1, null());
}

/// Waits until the thread is woken up once more than so often, or for this time.
fn wait(seen: u32, time: Option<Duration>) {
    // Without an end: somebody is always free to look again.
    let time = time.unwrap_or(Duration::from_secs(3600));
    let time = libc::timespec {
        tv_sec: time.as_secs().min(3600) as _,
        tv_nsec: time.subsec_nanos().into(),
    };
    futex(libc::FUTEX_WAIT, seen, &time);
}

fn futex(operation: c_int, value: u32, time: *const libc::timespec) {
    // SAFETY: a word that stays; NULL, or a time.
    unsafe {
        let operation = operation | libc::FUTEX_PRIVATE_FLAG;
        libc::syscall(libc::SYS_futex, WAKE_UPS.as_ptr(), operation, value, time)
    };
}

/// Does `job` at `time`, or soon after. Fails if no thread can be started for it.
pub(crate) fn at(time: Instant, job: impl FnOnce() + Send + 'static) -> io::Result<TimerId> {
    let mut timer = timer();
    timer.start()?;
    let ticket = TimerId(time, timer.next_number);
    timer.next_number += 1;
    timer.jobs.insert(ticket, Box::new(job));
    if timer.looks_at.is_none_or(|then| time < then) {
        wake_up();
    }
    Ok(ticket)
}

/// Ends the thread, and forgets what is left to do. To be called without a GIL, when nobody needs it any more.
pub(crate) fn stop() {
    let mut timer = timer();
    timer.ended += 1;
    let jobs = std::mem::take(&mut timer.jobs);
    let thread = timer.thread.take();
    RUNS.store(false, Ordering::Release);
    wake_up();
    drop(timer);
    drop(jobs);
    if let Some(thread) = thread {
        thread.join();
    }
}

/// Sees to it that a job is not begun any more. False: it is being done now.
pub(crate) fn cancel(ticket: TimerId) -> bool {
    let mut timer = timer();
    let job = timer.jobs.remove(&ticket);
    let idle = timer.doing != Some(ticket);
    drop(timer);
    drop(job);
    idle
}

/// Waits for a job that is being done. To be called without a GIL: the job may wait for one.
pub(crate) fn wait_for(ticket: TimerId) {
    let mut timer = timer();
    while timer.doing == Some(ticket) {
        timer = DONE.wait(timer).unwrap_or_else(PoisonError::into_inner);
    }
}

/// What the thread does that is started when so many have ended.
fn serve(number: u64) {
    loop {
        let seen = WAKE_UPS.load(Ordering::SeqCst);
        if CALLED.swap(false, Ordering::SeqCst) {
            let all = ON_CALL
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            all.iter().for_each(|work| work());
        }
        let mut timer = timer();
        if timer.ended != number {
            return;
        }
        let first = timer.jobs.keys().next().copied();
        timer.looks_at = first.map(|TimerId(time, _)| time);
        let left = first.map(|TimerId(time, _)| time.saturating_duration_since(Instant::now()));
        match first {
            Some(ticket) if left == Some(Duration::ZERO) => {
                let job = timer.jobs.remove(&ticket);
                timer.doing = Some(ticket);
                drop(timer);
                if let Some(job) = job {
                    job();
                }
                self::timer().doing = None;
                DONE.notify_all();
            }
            _ => {
                drop(timer);
                wait(seen, left);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn jobs_are_done_in_the_order_of_their_time() {
        let (send, receive) = channel();
        let start = Instant::now();
        for n in [3u64, 1, 2] {
            let send = send.clone();
            let later = start + Duration::from_millis(20 * n);
            at(later, move || send.send(n).unwrap()).unwrap();
        }
        let order: Vec<u64> = receive.iter().take(3).collect();
        assert_eq!(order, [1, 2, 3]);
        assert!(start.elapsed() >= Duration::from_millis(60));
    }

    #[test]
    fn ten_thousand_can_be_cancelled() {
        let later = Instant::now() + Duration::from_secs(3600);
        let tickets: Vec<TimerId> = (0..10_000)
            .map(|_| at(later, || panic!("too early")).unwrap())
            .collect();
        assert!(tickets.into_iter().all(cancel));
        let (send, receive) = channel();
        at(Instant::now(), move || send.send(()).unwrap()).unwrap();
        receive.recv().unwrap();
    }

    #[test]
    fn a_job_after_one_that_was_cancelled_is_done() {
        let (send, receive) = channel();
        for n in 1..=3 {
            let after = |ms| Instant::now() + Duration::from_millis(ms);
            assert!(cancel(at(after(20), || panic!("cancelled")).unwrap()));
            let send = send.clone();
            at(after(10 + 20 * n), move || send.send(n).unwrap()).unwrap();
            assert_eq!(receive.recv(), Ok(n));
        }
    }

    #[test]
    fn a_job_that_is_being_done_can_be_waited_for() {
        let (begun_send, begun) = channel();
        let (end, end_receive) = channel();
        let (ended_send, ended) = channel();
        let ticket = at(Instant::now(), move || {
            begun_send.send(()).unwrap();
            end_receive.recv().unwrap();
            ended_send.send(()).unwrap();
        })
        .unwrap();
        begun.recv().unwrap();
        assert!(!cancel(ticket));
        end.send(()).unwrap();
        wait_for(ticket);
        assert!(ended.try_recv().is_ok());
    }
}
