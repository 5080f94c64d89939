//! Every order that the memory model allows of threads that race for one interpreter (`make model`).

use super::*;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// What the claim is for: loom fails on two who touch it at once, or without seeing the other's work.
struct Interpreter {
    state: State,
    held: UnsafeCell<u64>,
}

// SAFETY: that it is claimed first is what is tested.
unsafe impl Sync for Interpreter {}

impl Interpreter {
    fn new() -> Arc<Self> {
        let state = State::new();
        let held = UnsafeCell::new(0);
        Arc::new(Self { state, held })
    }

    /// Whether it was free.
    fn run(&self) -> bool {
        let Ok(_claim) = self.state.claim(Purpose::Run) else {
            return false;
        };
        // SAFETY: claimed.
        self.held.with_mut(|held| unsafe { *held += 1 });
        true
    }

    fn end(&self) -> bool {
        let Ok(claim) = self.state.claim(Purpose::End) else {
            return false;
        };
        // SAFETY: claimed.
        self.held.with_mut(|held| unsafe { *held = u64::MAX });
        claim.retire();
        true
    }
}

#[test]
fn runs_exclude_each_other() {
    loom::model(|| {
        let interpreter = Interpreter::new();
        let other = interpreter.clone();
        let there = thread::spawn(move || other.run());
        let here = interpreter.run();
        let there = there.join().unwrap();
        assert!(here || there);
        assert!(interpreter.run(), "it is free again");
        let runs = 1 + u64::from(here) + u64::from(there);
        // SAFETY: nobody else is left.
        assert_eq!(interpreter.held.with(|held| unsafe { *held }), runs);
    });
}

#[test]
fn a_run_and_an_end_exclude_each_other() {
    loom::model(|| {
        let interpreter = Interpreter::new();
        let other = interpreter.clone();
        let ended = thread::spawn(move || other.end());
        let ran = interpreter.run();
        let ended = ended.join().unwrap();
        assert!(ran || ended);
        assert_eq!(interpreter.state.is_gone(), ended);
        assert_eq!(interpreter.run(), !ended);
    });
}

#[test]
fn an_access_excludes_a_run() {
    loom::model(|| {
        let interpreter = Interpreter::new();
        let other = interpreter.clone();
        let other = thread::spawn(move || {
            if let Ok(_claim) = other.state.claim(Purpose::Access) {
                assert!(!other.state.is_running());
                // SAFETY: claimed.
                other.held.with_mut(|held| unsafe { *held += 1 });
            }
        });
        match interpreter.state.claim(Purpose::Run) {
            Ok(_claim) => interpreter.held.with_mut(|held| {
                // SAFETY: claimed.
                unsafe { *held += 1 }
            }),
            Err(why) => assert_eq!(why, Refused::Accessed),
        }
        other.join().unwrap();
    });
}

#[test]
fn a_limit_of_one_run_never_ends_the_next() {
    loom::model(|| {
        let interpreter = Interpreter::new();
        let first = interpreter.state.claim(Purpose::Run).ok();
        let run = interpreter.state.run();
        let other = interpreter.clone();
        let timer = thread::spawn(move || other.state.request(Some(run), Request::Timeout));
        let requested = interpreter.state.finish();
        drop(first);
        let second = interpreter.state.claim(Purpose::Run).ok();
        assert_eq!(interpreter.state.requested(), None);
        drop(second);
        let asked = timer.join().unwrap();
        assert!(requested.is_none() || asked == Some(run));
        let _next = interpreter.state.claim(Purpose::Run).ok();
        assert_eq!(interpreter.state.requested(), None);
    });
}

#[test]
fn an_interrupt_is_for_the_run_that_it_met() {
    loom::model(|| {
        let interpreter = Interpreter::new();
        let other = interpreter.clone();
        let host = thread::spawn(move || other.state.request(None, Request::Interrupt));
        let claim = interpreter.state.claim(Purpose::Run).ok();
        let run = interpreter.state.run();
        drop(claim);
        let asked = host.join().unwrap();
        assert!(asked.is_none() || asked == Some(run));
        let _next = interpreter.state.claim(Purpose::Run).ok();
        assert_eq!(interpreter.state.requested(), None);
    });
}

/// One who brings an exception has the GIL, sees that the run is to end, and leaves it: then the run takes
/// it back, whatever moment it ends at.
#[test]
fn what_is_left_with_a_run_never_reaches_the_next() {
    loom::model(|| {
        let interpreter = Interpreter::new();
        let gil = Arc::new(loom::sync::Mutex::new(false));
        let (other, others_gil) = (interpreter.clone(), gil.clone());
        let host = thread::spawn(move || {
            if other.state.request(None, Request::Interrupt).is_some() {
                let mut left = others_gil.lock().unwrap();
                *left |= other.state.requested().is_some();
            }
        });
        for _ in 0..2 {
            let claim = interpreter.state.claim(Purpose::Run).ok();
            let mut left = gil.lock().unwrap();
            let this_run_is_asked = interpreter.state.requested().is_some();
            assert!(!*left || this_run_is_asked, "left for an earlier run");
            if interpreter.state.finish().is_some() {
                *left = false;
            }
            drop(left);
            drop(claim);
        }
        host.join().unwrap();
    });
}
