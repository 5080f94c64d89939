//! What the host lends: given back exactly once.

use std::cell::RefCell;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use crate::data::value::ReleaseFn;
use crate::local::enter;

/// Calls the host back when it is dropped, without any GIL that the thread holds.
pub struct Release {
    user: *mut c_void,
    call: ReleaseFn,
}

// SAFETY: whoever makes one promises that any thread may make the call.
unsafe impl Send for Release {}
// SAFETY: there is nothing to do with it but to drop it, and to hand on `user`.
unsafe impl Sync for Release {}

impl Release {
    /// ```
    /// use std::ffi::c_void;
    /// use std::ptr::null_mut;
    ///
    /// unsafe extern "C" fn given_back(_: *mut c_void) {}
    /// // SAFETY: it does nothing, in any thread.
    /// drop(unsafe { subpy_core::Release::new(null_mut(), Some(given_back)) });
    /// ```
    ///
    /// # Safety
    /// `call` may be called with `user` once, in any thread.
    pub unsafe fn new(user: *mut c_void, call: ReleaseFn) -> Self {
        Self { user, call }
    }

    /// The call itself.
    pub(crate) fn call(&self) -> ReleaseFn {
        self.call
    }

    /// What the call gets.
    ///
    /// ```
    /// use std::ptr::null_mut;
    ///
    /// // SAFETY: nothing is called.
    /// let release = unsafe { subpy_core::Release::new(null_mut(), None) };
    /// assert!(release.user().is_null());
    /// ```
    pub fn user(&self) -> *mut c_void {
        self.user
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            // SAFETY: by the promise of `new`; nobody calls twice.
            enter::for_host(|| unsafe { call(self.user) });
        }
    }
}

/// What a Python object keeps of the host's, until the object goes or its interpreter has ended: a
/// Python object may be leaked, the host's may not.
pub(crate) struct Lent<T> {
    value: ManuallyDrop<T>,
    given_back: AtomicBool,
}

impl<T> Lent<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: ManuallyDrop::new(value),
            given_back: AtomicBool::new(false),
        }
    }

    /// Drops the value, unless that was done.
    ///
    /// # Safety
    /// Nobody uses the value any more.
    pub(crate) unsafe fn give_back(&self) {
        if !self.given_back.swap(true, Ordering::AcqRel) {
            // SAFETY: once, and nobody uses it, by the caller's promise.
            drop(unsafe { std::ptr::read(&*self.value) });
        }
    }
}

impl<T> Deref for Lent<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        debug_assert!(!self.given_back.load(Ordering::Relaxed));
        &self.value
    }
}

impl<T> Drop for Lent<T> {
    fn drop(&mut self) {
        // SAFETY: nobody has it but us.
        unsafe { self.give_back() }
    }
}

trait GiveBack {
    /// # Safety
    /// As [`Lent::give_back`].
    unsafe fn give_back(&self);
}

impl<T> GiveBack for Lent<T> {
    unsafe fn give_back(&self) {
        // SAFETY: the caller's promise.
        unsafe { Lent::give_back(self) }
    }
}

/// All that an interpreter has borrowed.
#[derive(Clone, Default)]
pub(crate) struct Loans(Rc<RefCell<Vec<Weak<dyn GiveBack>>>>);

impl Loans {
    pub(crate) fn add<T: 'static>(&self, lent: &Arc<Lent<T>>) {
        let mut all = self.0.borrow_mut();
        if all.len() == all.capacity() {
            all.retain(|lent| lent.strong_count() > 0);
        }
        let lent: Weak<Lent<T>> = Arc::downgrade(lent);
        all.push(lent);
    }

    /// Gives back what is left.
    ///
    /// # Safety
    /// The interpreter has ended.
    pub(crate) unsafe fn close(self) {
        let all = self.0.take();
        for lent in all.iter().filter_map(Weak::upgrade) {
            // SAFETY: what uses it are Python objects, and their interpreter has ended.
            unsafe { lent.give_back() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    unsafe extern "C" fn count(user: *mut c_void) {
        // SAFETY: the tests hand over a counter.
        unsafe { &*user.cast::<AtomicUsize>() }.fetch_add(1, Ordering::Relaxed);
    }

    fn lend(counter: &AtomicUsize) -> Arc<Lent<Release>> {
        let user = std::ptr::from_ref(counter).cast_mut().cast();
        // SAFETY: the counter outlives it.
        Arc::new(Lent::new(unsafe { Release::new(user, Some(count)) }))
    }

    #[test]
    fn given_back_once_when_dropped() {
        let counter = AtomicUsize::new(0);
        let loans = Loans::default();
        let lent = lend(&counter);
        loans.add(&lent);
        drop(lent);
        assert_eq!(counter.load(Ordering::Relaxed), 1);
        // SAFETY: there is no interpreter.
        unsafe { loans.close() };
        assert_eq!(counter.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn given_back_once_when_leaked() {
        let counter = AtomicUsize::new(0);
        let loans = Loans::default();
        let lent = lend(&counter);
        loans.add(&lent);
        // SAFETY: there is no interpreter.
        unsafe { loans.clone().close() };
        assert_eq!(counter.load(Ordering::Relaxed), 1);
        drop(lent);
        assert_eq!(counter.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_is_gone_does_not_pile_up() {
        let counter = AtomicUsize::new(0);
        let loans = Loans::default();
        for _ in 0..1000 {
            loans.add(&lend(&counter));
        }
        assert!(loans.0.borrow().len() < 10);
        assert_eq!(counter.load(Ordering::Relaxed), 1000);
    }
}
