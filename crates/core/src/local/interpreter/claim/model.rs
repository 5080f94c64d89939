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

/// Who asks the run that it has seen under way does not end what reads the exception of that run.
#[test]
fn an_interrupt_is_for_a_program_and_not_for_what_reads_its_exception() {
    loom::model(|| {
        let interpreter = Interpreter::new();
        let _claim = interpreter.state.claim(Purpose::Run).ok();
        let other = interpreter.clone();
        let host = thread::spawn(move || {
            let run = other.state.under_way();
            run.and_then(|run| other.state.request(Some(run), Request::Interrupt))
        });
        interpreter.state.finish();
        assert_eq!(interpreter.state.asked(), None);
        host.join().unwrap();
        assert_eq!(interpreter.state.asked(), None);
    });
}

/// A run has a limit that is over while a handler of its script is told of an interrupt.
#[test]
fn a_limit_is_not_lost_where_a_handler_is_told() {
    loom::model(|| {
        let interpreter = Interpreter::new();
        let _claim = interpreter.state.claim(Purpose::Run).ok();
        let run = interpreter.state.run();
        let other = interpreter.clone();
        let host = thread::spawn(move || other.state.tell(None));
        let asked = interpreter.state.request(Some(run), Request::Timeout);
        assert_eq!(asked, Some(run));
        host.join().unwrap();
        assert_eq!(interpreter.state.asked(), Some(Request::Timeout));
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

const FOR_EVER: Limit<'static> = Limit {
    until: None,
    keeps_waiting: None,
};

impl Interpreter {
    /// Runs when it is the thread's turn; else says why not.
    fn run_in_turn(&self) -> Result<(), Ended> {
        let _claim = match self.state.claim(Purpose::Run) {
            Ok(claim) => claim,
            Err(_) => self.state.claim_in_turn(&FOR_EVER)?,
        };
        // SAFETY: claimed.
        self.held.with_mut(|held| unsafe { *held += 1 });
        Ok(())
    }
}

/// Were a claim given back and not handed on, the thread that waits would wait for ever: loom says so.
#[test]
fn who_waits_gets_its_turn() {
    loom::model(|| {
        let interpreter = Interpreter::new();
        let other = interpreter.clone();
        let there = thread::spawn(move || other.run_in_turn());
        assert_eq!(interpreter.run_in_turn(), Ok(()));
        assert_eq!(there.join().unwrap(), Ok(()));
        assert!(interpreter.run(), "it is free again");
        assert!(!interpreter.state.turns.are_awaited());
    });
}

#[test]
fn each_of_those_that_wait_gets_its_turn() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let interpreter = Interpreter::new();
        let threads = [interpreter.clone(), interpreter.clone()]
            .map(|other| thread::spawn(move || other.run_in_turn()));
        assert_eq!(interpreter.run_in_turn(), Ok(()));
        for thread in threads {
            assert_eq!(thread.join().unwrap(), Ok(()));
        }
        assert!(interpreter.run(), "it is free again");
    });
}

#[test]
fn a_call_that_does_not_wait_holds_nobody_up() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let interpreter = Interpreter::new();
        let waits = interpreter.clone();
        let waits = thread::spawn(move || waits.run_in_turn());
        let accesses = interpreter.clone();
        let accesses = thread::spawn(move || drop(accesses.state.claim(Purpose::Access)));
        interpreter.run();
        assert_eq!(waits.join().unwrap(), Ok(()));
        accesses.join().unwrap();
        assert!(interpreter.run(), "it is free again");
    });
}

#[test]
fn the_end_wakes_those_that_wait() {
    loom::model(|| {
        let interpreter = Interpreter::new();
        let other = interpreter.clone();
        let there = thread::spawn(move || other.run_in_turn());
        let ended = interpreter.end();
        let there = there.join().unwrap();
        assert!(ended || there.is_ok(), "one of them had it");
        assert!(there.is_ok() || there == Err(Ended::Gone));
    });
}

#[test]
fn an_interrupt_ends_a_wait_or_comes_too_late() {
    loom::model(|| {
        let interpreter = Interpreter::new();
        let claim = interpreter.state.claim(Purpose::Run).ok();
        let other = interpreter.clone();
        let there = thread::spawn(move || other.run_in_turn());
        interpreter.state.end_waits(Ended::Interrupted);
        drop(claim);
        let there = there.join().unwrap();
        assert!(there.is_ok() || there == Err(Ended::Interrupted));
        assert!(interpreter.run(), "it is free again");
        assert!(!interpreter.state.turns.are_awaited());
    });
}
