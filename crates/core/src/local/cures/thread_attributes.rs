//! Defect: a script runs in a thread of the host's, and what it sets there stays: the signals that the thread takes, the
//! processors that it may use, its nice value, its name.
//!
//! Has it: all versions; the name from 3.14 on.
//!
//! Cure: what can be put back is put back when the run is over, and while the host is called: see
//! [`attributes`](crate::local::thread::attributes). What can't, without privilege, is refused. So is what would change another thread of
//! the host's. In a thread of the script's own all of it works. [The signal that ends waits](wait_signal) can't be blocked.

use super::stdlib_functions::Functions;
use crate::local::python::method::method;
use crate::local::thread::attributes;
use crate::local::thread::attributes::Attribute;
use crate::local::thread::calling_thread;
use crate::local::thread::wait_signal;

pub(super) static FUNCTIONS: Functions = Functions::new(
    &[],
    c"
def replacers(call, put, at_end):
    from _operator import index
    from _thread import get_native_id
    SIGNAL_MASK, PROCESSORS, NAME, IS_OF_HOST, IS_THREAD = range(5)

    def replace_signal(module):
        change = module.pthread_sigmask

        def pthread_sigmask(how, mask, /):
            signal = call(SIGNAL_MASK)
            if how != module.SIG_UNBLOCK:
                mask = {number for number in mask if number != signal}
            return change(how, mask)

        put(module, pthread_sigmask)

    def replace_thread(module):
        if hasattr(module, 'set_name'):
            change = module.set_name

            def set_name(name):
                call(NAME)
                change(name)

            put(module, set_name)

    def refuse(name, whose='this thread'):
        raise PermissionError(
            1, f'{name}: {whose} is the host\\'s, which could not undo that; in a thread that the script starts it works'
        )

    def only_own(name, pid=0):
        pid = index(pid)
        if pid in (0, get_native_id()):
            if call(IS_OF_HOST):
                refuse(name)
        elif call(IS_THREAD, pid):
            refuse(name, f'thread {pid}')

    def replace_posix(posix):
        change_processors, change_nice, change_priority = posix.sched_setaffinity, posix.nice, posix.setpriority
        change_scheduler, change_parameters = posix.sched_setscheduler, posix.sched_setparam

        def sched_setaffinity(pid, mask, /):
            if index(pid) in (0, get_native_id()):
                call(PROCESSORS)
            else:
                only_own('sched_setaffinity', pid)
            return change_processors(pid, mask)

        def nice(increment, /):
            if index(increment):
                only_own('nice')
            return change_nice(increment)

        def setpriority(which, who, priority):
            if which == posix.PRIO_PROCESS:
                only_own('setpriority', who)
            elif which == posix.PRIO_PGRP and who in (0, posix.getpgrp()):
                refuse('setpriority', 'the process group')
            elif which == posix.PRIO_USER and who in (0, posix.getuid()):
                refuse('setpriority', 'the user')
            return change_priority(which, who, priority)

        def sched_setscheduler(pid, policy, param, /):
            only_own('sched_setscheduler', pid)
            return change_scheduler(pid, policy, param)

        def sched_setparam(pid, param, /):
            only_own('sched_setparam', pid)
            return change_parameters(pid, param)

        put(posix, sched_setaffinity, nice, setpriority, sched_setscheduler, sched_setparam)
        if hasattr(posix, 'unshare'):
            change_spaces, enter_space = posix.unshare, posix.setns

            def unshare(flags):
                only_own('unshare')
                return change_spaces(flags)

            def setns(fd, nstype=0):
                only_own('setns')
                return enter_space(fd, nstype)

            put(posix, unshare, setns)

    return {'_signal': replace_signal, '_thread': replace_thread, 'posix': replace_posix}
",
    call,
)
.at_first_call(&[
    (c"_signal", &[c"pthread_sigmask"]),
    (c"_thread", &[c"set_name"]),
    (
        c"posix",
        &[
            c"sched_setaffinity",
            c"nice",
            c"setpriority",
            c"sched_setscheduler",
            c"sched_setparam",
            c"unshare",
            c"setns",
        ],
    ),
]);

// `call(attribute)`: the calling thread is about to set it. For the signal mask, the answer is the signal that stays
// unblocked: the one that ends waits. `call(3)`: whether the thread is the host's. `call(4, number)`:
// whether a thread of the process has this number.
method!(call, |py, _, Some(arguments)| {
    let number = |index| Some(arguments.at(py, index)?.number(py));
    let answer = match number(0)? {
        0 => {
            keep(Attribute::SignalMask);
            return Object::int(py, wait_signal::get().unwrap_or(0).into());
        }
        1 => keep(Attribute::Processors),
        2 => keep(Attribute::Name),
        3 => !calling_thread::entry().is_null(),
        _ => {
            let number = number(1)?;
            // SAFETY: a signal that is none is not sent.
            unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), number, 0) == 0 }
        }
    };
    Object::bool(py, answer)
});

fn keep(attribute: Attribute) -> bool {
    // SAFETY: an entry lives until it is left.
    if let Some(entry) = unsafe { calling_thread::entry().as_ref() } {
        attributes::keep(attribute, &entry.attributes);
    }
    true
}
