//! Where a thread stands at a jump backwards, and what its code has for a table.

use std::ffi::CStr;
use std::ptr;

use pyo3_ffi as ffi;
use pyo3_ffi::PyThreadState;

use super::table;
use crate::local::attach::Attached;
use crate::local::python::interpreter_dict::{keep, kept};
use crate::local::python::object::{Object, clear_exception};

const TABLE: &CStr = c"co_exceptiontable";

/// Instructions, by their numbers.
struct Numbers {
    extended_arg: u8,
    /// Jumps backwards where CPython looks for exceptions.
    backward: &'static [u8],
    conditional: &'static [u8],
    /// What stands between a conditional jump and the next instruction, from the end.
    fillers: &'static [u8],
}

#[cfg(not(Py_3_12))]
const NUMBERS: Numbers = Numbers {
    extended_arg: 144,
    backward: &[140, 173, 174, 175, 176],
    conditional: &[],
    fillers: &[],
};
#[cfg(all(Py_3_12, not(Py_3_13)))]
const NUMBERS: Numbers = Numbers {
    extended_arg: 144,
    backward: &[140],
    conditional: &[114, 115, 128, 129],
    fillers: &[],
};
#[cfg(all(Py_3_13, not(Py_3_14)))]
const NUMBERS: Numbers = Numbers {
    extended_arg: 71,
    backward: &[77],
    conditional: &[97, 98, 99, 100],
    fillers: &[0],
};
#[cfg(Py_3_14)]
const NUMBERS: Numbers = Numbers {
    extended_arg: 69,
    backward: &[75],
    conditional: &[100, 101, 102, 103],
    fillers: &[28, 0],
};

/// The reference counts of objects that are never freed are at least this.
const IMMORTAL: isize = 1 << 29;

/// To be called before an exception is raised where a thread state of the attached interpreter stands, or left there.
pub(crate) fn cover(py: Attached<'_>, thread_state: *mut PyThreadState) {
    let _ = cover_jump(py, thread_state);
    clear_exception(py);
}

fn cover_jump(py: Attached<'_>, thread_state: *mut PyThreadState) -> Option<()> {
    // SAFETY: attached to its interpreter; new references.
    let (code, at) = unsafe {
        let frame = Object::owned(py, ffi::PyThreadState_GetFrame(thread_state).cast())?;
        let frame = frame.as_ptr().cast();
        let code = Object::owned(py, ffi::PyFrame_GetCode(frame).cast())?;
        if ffi::Py_REFCNT(code.as_ptr()) >= IMMORTAL {
            return None; // to 3.12 it may be in other interpreters, too
        }
        (code, usize::try_from(ffi::PyFrame_GetLasti(frame)).ok()?)
    };
    let instructions = code.attribute(py, c"co_code")?;
    let jump = Jump::at(instructions.bytes(py)?, at / 2)?;
    let table = code.attribute(py, TABLE)?;
    let mut ranges = table::read(table.bytes(py)?)?;
    let handler = table::handler(&ranges, jump.belongs_to);
    if table::handler(&ranges, jump.looked_up) != handler {
        table::put(&mut ranges, jump.looked_up, handler);
        remember(py, &code, &table)?;
        give(py, &code, &bytes_of(py, &table::write(&ranges))?)?;
    }
    Some(())
}

fn bytes_of(py: Attached<'_>, bytes: &[u8]) -> Option<Object> {
    let (data, length) = (bytes.as_ptr().cast(), bytes.len() as ffi::Py_ssize_t);
    // SAFETY: attached; so many bytes; a new reference.
    unsafe { Object::owned(py, ffi::PyBytes_FromStringAndSize(data, length)) }
}

/// What has another table now, as pairs of code and the table that it had.
const COVERED: &CStr = c"subpy.covered";

fn remember(py: Attached<'_>, code: &Object, table: &Object) -> Option<()> {
    let covered = kept(py, COVERED).or_else(|| {
        let new = Object::list(py)?;
        keep(py, COVERED, &new)?;
        Some(new)
    })?;
    covered.append(py, &Object::tuple(py, &[code, table])?)
}

/// Gives all code the table that it had: code is compared by it, too. To be called when a run of the attached interpreter
/// has ended.
pub(crate) fn uncover(py: Attached<'_>) {
    let uncover_all = || {
        let covered = kept(py, COVERED)?;
        let mut pairs: Vec<Object> = covered.items(py).collect();
        keep(py, COVERED, &Object::list(py)?)?;
        while let Some(pair) = pairs.pop() {
            give(py, &pair.at(py, 0)?, &pair.at(py, 1)?)?;
        }
        Some(())
    };
    let _ = uncover_all();
    clear_exception(py);
}

/// A jump backwards. Places are counted in units of two bytes.
struct Jump {
    /// What has the handler that it should have: itself, or its condition.
    belongs_to: usize,
    /// What CPython takes the handler of.
    looked_up: usize,
}

impl Jump {
    /// `instructions`: as the compiler made them, with what follows some of them set to 0.
    fn at(instructions: &[u8], at: usize) -> Option<Self> {
        let instruction = |place: usize| instructions.get(2 * place).copied();
        if !NUMBERS.backward.contains(&instruction(at)?) {
            return None;
        }
        // Steps back over what is such an instruction.
        let before = |place: usize, number: u8| {
            place
                .checked_sub(1)
                .filter(|place| instruction(*place) == Some(number))
        };
        let first_of = |mut place: usize| {
            while let Some(extended) = before(place, NUMBERS.extended_arg) {
                place = extended;
            }
            place
        };
        let begin = first_of(at);
        let condition = || {
            let fillers = NUMBERS.fillers.iter();
            let next = fillers.fold(begin, |place, filler| {
                before(place, *filler).unwrap_or(place)
            });
            let jump = NUMBERS
                .conditional
                .iter()
                .find_map(|number| before(next, *number))?;
            first_of(jump).checked_sub(1)
        };
        // From 3.13 on a unit follows it that is no instruction, and CPython has not jumped yet.
        let looked_up = if cfg!(Py_3_13) {
            at + 1
        } else {
            let units = instructions.get(2 * begin..=2 * at + 1)?.chunks_exact(2);
            let distance = units.fold(0, |sum, unit| sum << 8 | usize::from(unit[1]));
            (at + 1).checked_sub(distance)?.checked_sub(1)?
        };
        Some(Self {
            belongs_to: condition().unwrap_or(at),
            looked_up,
        })
    }
}

/// Gives code another table.
fn give(py: Attached<'_>, code: &Object, table: &Object) -> Option<()> {
    // SAFETY: attached, with the GIL that the code is used under. The member, of the type's own list, is where the code has
    // a reference to its table: it is exchanged for one to the new table.
    unsafe {
        let mut member = (*ptr::addr_of!(ffi::PyCode_Type)).tp_members;
        while !(*member).name.is_null() && CStr::from_ptr((*member).name) != TABLE {
            member = member.add(1);
        }
        if (*member).name.is_null() {
            return None;
        }
        let place = code.as_ptr().byte_offset((*member).offset);
        let place = place.cast::<*mut ffi::PyObject>();
        drop(Object::owned(py, place.replace(table.clone().into_ptr())));
    }
    Some(())
}
