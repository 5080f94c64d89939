//! Defect: `pwd.getpwall()`, `grp.getgrall()` and `spwd.getspall()` walk through C's one list of users, of groups, of
//! passwords, which keep their position in the process. Two interpreters that walk at once get a part each, or
//! nothing, or the process dies. `spwd.getspnam()` reads C's one place for the answer.
//!
//! Has it: 3.12 and later, in interpreters with a GIL of their own; one GIL guarded the walk before. (`spwd` is in 3.12
//! and before.)
//!
//! Cure: functions that walk under one lock of ours, without a GIL, and make objects afterwards.

use std::ffi::{CStr, c_char};
use std::sync::{Mutex, PoisonError};

use super::stdlib_functions::{Functions, ask};
use crate::local::attach::Attached;
use crate::local::python::exception::set_os_error;
use crate::local::python::gil::allow_threads;
use crate::local::python::method::method;
use crate::local::python::object::{Object, clear_exception};
use crate::local::python::str_arguments::{argument_bytes, bytes};

pub(super) static USERS: Functions = Functions::new(
    &[c"pwd"],
    c"
def replacers(call, put, at_end):
    import sys

    def replace(pwd):
        def getpwall():
            text = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
            fields = [field.decode(*text) for field in call().split(b'\\0')]
            return [
                pwd.struct_passwd((name, password, int(uid), int(gid), gecos, home, shell))
                for name, password, uid, gid, gecos, home, shell in zip(*[iter(fields)] * 7)
            ]

        put(pwd, getpwall)

    return {'pwd': replace}
",
    users,
);

pub(super) static GROUPS: Functions = Functions::new(
    &[c"grp"],
    c"
def replacers(call, put, at_end):
    import sys

    def replace(grp):
        def getgrall():
            text = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
            fields = iter([field.decode(*text) for field in call().split(b'\\0')[:-1]])
            return [
                grp.struct_group((
                    name,
                    next(fields),
                    int(next(fields)),
                    [next(fields) for _ in range(int(next(fields)))],
                ))
                for name in fields
            ]

        put(grp, getgrall)

    return {'grp': replace}
",
    groups,
);

pub(super) static PASSWORDS: Functions = Functions::new(
    &[c"spwd"],
    c"
def replacers(call, put, at_end):
    import sys

    def entries(fields):
        text = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()
        fields = [field.decode(*text) for field in fields.split(b'\\0')]
        for name, password, *numbers in zip(*[iter(fields)] * 9):
            yield name, password, *map(int, numbers), name, password

    def replace(spwd):
        def getspall():
            return [spwd.struct_spwd(entry) for entry in entries(call())]

        def getspnam(arg, /):
            if not isinstance(arg, str):
                raise TypeError(f'getspnam() argument must be str, not {type(arg).__name__}')
            name = arg.encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())
            if b'\\0' in name:
                raise ValueError('embedded null byte')
            for entry in entries(call(name)):
                return spwd.struct_spwd(entry)
            raise KeyError('getspnam(): name not found')

        put(spwd, getspall, getspnam)

    return {'spwd': replace}
",
    passwords,
);

unsafe extern "C" {
    fn setpwent();
    fn getpwent() -> *mut libc::passwd;
    fn endpwent();
    fn setgrent();
    fn getgrent() -> *mut libc::group;
    fn endgrent();
    fn setspent();
    fn endspent();
}

/// Who walks.
static WALK: Mutex<()> = Mutex::new(());

/// Fields, each with a NUL behind it.
struct Fields(Vec<u8>);

impl Fields {
    /// # Safety
    /// NULL or a C string.
    unsafe fn text(&mut self, text: *const c_char) {
        if !text.is_null() {
            // SAFETY: the caller's promise.
            self.0.extend(unsafe { CStr::from_ptr(text) }.to_bytes());
        }
        self.0.push(0);
    }

    /// # Safety
    /// An entry as the C library fills it.
    unsafe fn password(&mut self, entry: &libc::spwd) {
        // SAFETY: the caller's promise.
        unsafe {
            self.text(entry.sp_namp);
            self.text(entry.sp_pwdp);
        }
        let (change, flag) = (entry.sp_lstchg, entry.sp_flag as std::ffi::c_long);
        let (min, max, warn) = (entry.sp_min, entry.sp_max, entry.sp_warn);
        for number in [
            change,
            min,
            max,
            warn,
            entry.sp_inact,
            entry.sp_expire,
            flag,
        ] {
            self.0.extend(format!("{number}\0").into_bytes());
        }
    }

    /// The number of a user or a group, as Python has it: the last one is -1.
    fn id(&mut self, id: u32) {
        let id = if id == u32::MAX { -1 } else { i64::from(id) };
        self.0.extend(format!("{id}\0").into_bytes());
    }
}

/// Walks, without a GIL, and hands the fields to Python.
fn walk(py: Attached<'_>, walk: impl FnOnce(&mut Fields)) -> Option<Object> {
    let fields = allow_threads(py, || {
        let _alone = WALK.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fields = Fields(Vec::new());
        walk(&mut fields);
        fields
    });
    bytes(py, &fields.0)
}

// `call()`: of each user seven fields.
method!(users, |py, _, _| {
    // SAFETY: nobody else of ours walks; what C hands out is valid until the next step.
    walk(py, |fields| unsafe {
        setpwent();
        while let Some(user) = getpwent().as_ref() {
            fields.text(user.pw_name);
            fields.text(user.pw_passwd);
            fields.id(user.pw_uid);
            fields.id(user.pw_gid);
            fields.text(user.pw_gecos);
            fields.text(user.pw_dir);
            fields.text(user.pw_shell);
        }
        endpwent();
    })
});

// `call()`: of each group its name, its password, its number, how many members it has, and these.
method!(groups, |py, _, _| {
    // SAFETY: as above; the members end in a NULL.
    walk(py, |fields| unsafe {
        setgrent();
        while let Some(group) = getgrent().as_ref() {
            fields.text(group.gr_name);
            fields.text(group.gr_passwd);
            fields.id(group.gr_gid);
            let mut members = Vec::new();
            while !group.gr_mem.is_null() && !(*group.gr_mem.add(members.len())).is_null() {
                members.push(*group.gr_mem.add(members.len()));
            }
            fields.0.extend(format!("{}\0", members.len()).into_bytes());
            members.into_iter().for_each(|member| fields.text(member));
        }
        endgrent();
    })
});

// `call()`: of each entry nine fields. `call(name)`: of that one, or nothing.
method!(passwords, |py, _, Some(arguments)| {
    if let Some(name) = argument_bytes(py, arguments, 0) {
        return password_of(py, &name);
    }
    clear_exception(py); // of the argument that was not there
    // SAFETY: as for `users`.
    walk(py, |fields| unsafe {
        setspent();
        while let Some(entry) = libc::getspent().as_ref() {
            fields.password(entry);
        }
        endspent();
    })
});

fn password_of(py: Attached<'_>, name: &CStr) -> Option<Object> {
    // SAFETY: a C string; an entry that the C library has filled.
    let (result, fields) = allow_threads(py, || unsafe {
        ask(
            |place, buffer, length, found| {
                libc::getspnam_r(name.as_ptr(), place, buffer, length, found)
            },
            |entry| {
                let mut fields = Fields(Vec::new());
                fields.password(entry);
                fields
            },
        )
    });
    let asked = match (result, fields) {
        (0 | libc::ENOENT, None) => Ok(Fields(Vec::new())),
        (_, Some(fields)) => Ok(fields),
        (number, None) => Err(number),
    };
    match asked {
        Ok(fields) => bytes(py, &fields.0),
        Err(number) => set_os_error(py, number),
    }
}
