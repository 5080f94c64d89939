//! Functions of subpy's own in the target, which need no package there: what they get and give is plain data.

use std::ffi::CStr;

use crate::Result;
use crate::crossing;
use crate::interpreter::contents::Contents;
use crate::values::tree::OwnedValue;
use crate::values::value::Value;

/// Calls a function of `crossing.py`.
pub(super) fn call(
    contents: &Contents,
    name: &CStr,
    arguments: &[Value<'_>],
) -> Result<OwnedValue> {
    let find = || crossing::function(contents.local(), name);
    contents.call_own(find, arguments)
}
