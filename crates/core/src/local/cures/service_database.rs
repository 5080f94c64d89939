//! Defect: `socket.getservbyname`, `getservbyport` and `getprotobyname` take C's answer from the one static place
//! where C puts it, without a lock. Two threads that ask at once get each other's: 'https' is port 80 now and then.
//!
//! Has it: all versions; interpreters with a GIL of their own, and threads of one interpreter, too, since CPython
//! lets go of the GIL meanwhile.
//!
//! Cure: functions that ask with a place of their own (`getservbyname_r` and so on).

use std::ffi::{CStr, c_char, c_int};

use super::stdlib_functions::{Functions, ask};
use crate::local::python::gil::allow_threads;
use crate::local::python::method::method;
use crate::local::python::object::clear_exception;
use crate::local::python::str_arguments::{argument, bytes};

pub(super) static FUNCTIONS: Functions = Functions::new(
    &[c"_socket"],
    c"
def replacers(call, put, at_end):
    import sys
    from _operator import index

    def ask(kind, text, protocol, what):
        for argument in (text,) if protocol is None else (text, protocol):
            if not isinstance(argument, str):
                raise TypeError(f'argument must be str, not {type(argument).__name__}')
            if '\\0' in argument:
                raise ValueError('embedded null character')
        answer = call(kind, text, protocol)
        if answer is None:
            raise OSError(what + ' not found')
        return answer

    def getservbyname(servicename, protocolname=None, /):
        sys.audit('socket.getservbyname', servicename, protocolname)
        return int(ask('name', servicename, protocolname, 'service/proto'))

    def getservbyport(port, protocolname=None, /):
        port = index(port)
        if not 0 <= port <= 0xffff:
            raise OverflowError('getservbyport: port must be 0-65535.')
        sys.audit('socket.getservbyport', port, protocolname)
        return ask('port', str(port), protocolname, 'port/proto').decode()

    def getprotobyname(name, /):
        return int(ask('protocol', name, None, 'protocol'))

    return {'_socket': lambda module: put(module, getservbyname, getservbyport, getprotobyname)}
",
    call,
);

unsafe extern "C" {
    fn getservbyname_r(
        name: *const c_char,
        protocol: *const c_char,
        place: *mut libc::servent,
        buffer: *mut c_char,
        length: usize,
        found: *mut *mut libc::servent,
    ) -> c_int;
    fn getservbyport_r(
        port: c_int,
        protocol: *const c_char,
        place: *mut libc::servent,
        buffer: *mut c_char,
        length: usize,
        found: *mut *mut libc::servent,
    ) -> c_int;
    fn getprotobyname_r(
        name: *const c_char,
        place: *mut libc::protoent,
        buffer: *mut c_char,
        length: usize,
        found: *mut *mut libc::protoent,
    ) -> c_int;
}

// `call(kind, text, protocol)`: the answer in bytes, or None.
method!(call, |py, _, Some(arguments)| {
    let [kind, text, protocol] = [0, 1, 2].map(|i| argument(py, arguments, i));
    let answer = || -> Option<Vec<u8>> {
        let (kind, text) = (kind?, text?);
        let protocol = protocol
            .as_ref()
            .map_or(std::ptr::null(), |text| text.as_ptr());
        let number = |n: i32| n.to_string().into_bytes();
        // SAFETY: C strings, and places as `ask` makes them; what is found has C strings.
        let (_, answer) = allow_threads(py, || unsafe {
            Some(match kind.to_bytes() {
                b"name" => ask(
                    |place, buffer, length, found| {
                        getservbyname_r(text.as_ptr(), protocol, place, buffer, length, found)
                    },
                    |found: &libc::servent| number(u16::from_be(found.s_port as u16).into()),
                ),
                b"port" => {
                    let port: u16 = text.to_str().ok()?.parse().ok()?;
                    ask(
                        |place, buffer, length, found| {
                            getservbyport_r(
                                port.to_be().into(),
                                protocol,
                                place,
                                buffer,
                                length,
                                found,
                            )
                        },
                        |found: &libc::servent| CStr::from_ptr(found.s_name).to_bytes().to_vec(),
                    )
                }
                _ => ask(
                    |place, buffer, length, found| {
                        getprotobyname_r(text.as_ptr(), place, buffer, length, found)
                    },
                    |found: &libc::protoent| number(found.p_proto),
                ),
            })
        })?;
        answer
    };
    let answer = answer();
    clear_exception(py);
    match answer {
        Some(answer) => bytes(py, &answer),
        None => Object::none(py),
    }
});
