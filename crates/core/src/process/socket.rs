//! The socket between a host and its zygote: messages that are whole, each with descriptors.

use std::io;
use std::mem::{MaybeUninit, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr::null_mut;

/// How long a message may be, in bytes.
const LONGEST: usize = 128 << 10;
/// With how many descriptors.
const DESCRIPTORS: usize = 6;

/// Room for descriptors beside a message.
#[repr(C, align(8))]
struct Control([u8; 64]);

const SIZE: u32 = (DESCRIPTORS * size_of::<RawFd>()) as u32;

/// Two ends.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: room for two descriptors, which are ours.
    unsafe {
        if libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}

/// Sends a message, with up to [`DESCRIPTORS`] descriptors.
pub(super) fn send(socket: &OwnedFd, message: &[u8], descriptors: &[RawFd]) -> io::Result<()> {
    send_with(socket, message, descriptors, 0)
}

/// As [`send`]. Fails where it would wait, since the other side takes nothing.
pub(super) fn send_now(socket: &OwnedFd, message: &[u8], descriptors: &[RawFd]) -> io::Result<()> {
    send_with(socket, message, descriptors, libc::MSG_DONTWAIT)
}

fn send_with(
    socket: &OwnedFd,
    message: &[u8],
    descriptors: &[RawFd],
    flags: i32,
) -> io::Result<()> {
    let mut piece = libc::iovec {
        iov_base: message.as_ptr().cast_mut().cast(),
        iov_len: message.len(),
    };
    let mut control = Control([0; 64]);
    let size = size_of_val(descriptors) as u32;
    // SAFETY: all that is pointed to is there until the call returns; there is room for so many descriptors.
    unsafe {
        let mut whole: libc::msghdr = zeroed();
        whole.msg_iov = &mut piece;
        whole.msg_iovlen = 1;
        if size > 0 {
            assert!(size <= SIZE && libc::CMSG_SPACE(size) as usize <= size_of::<Control>());
            whole.msg_control = (&raw mut control).cast();
            whole.msg_controllen = libc::CMSG_SPACE(size) as _;
            let head = libc::CMSG_FIRSTHDR(&whole);
            (*head).cmsg_level = libc::SOL_SOCKET;
            (*head).cmsg_type = libc::SCM_RIGHTS;
            (*head).cmsg_len = libc::CMSG_LEN(size) as _;
            let place = libc::CMSG_DATA(head).cast::<RawFd>();
            for (i, descriptor) in descriptors.iter().enumerate() {
                place.add(i).write_unaligned(*descriptor);
            }
        }
        loop {
            if libc::sendmsg(socket.as_raw_fd(), &whole, libc::MSG_NOSIGNAL | flags) >= 0 {
                return Ok(());
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}

/// Waits for a message. An empty one: the other end is closed.
pub(super) fn receive(socket: &OwnedFd) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let mut message = Vec::<u8>::with_capacity(LONGEST);
    let mut piece = libc::iovec {
        iov_base: message.as_mut_ptr().cast(),
        iov_len: LONGEST,
    };
    let mut control = MaybeUninit::<Control>::zeroed();
    let mut descriptors = Vec::new();
    // SAFETY: as above; the descriptors that come are ours.
    unsafe {
        let mut whole: libc::msghdr = zeroed();
        whole.msg_iov = &mut piece;
        whole.msg_iovlen = 1;
        whole.msg_control = control.as_mut_ptr().cast();
        whole.msg_controllen = libc::CMSG_SPACE(SIZE) as _;
        let length = loop {
            let length = libc::recvmsg(socket.as_raw_fd(), &mut whole, libc::MSG_CMSG_CLOEXEC);
            if length >= 0 {
                break length as usize;
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        };
        let mut head = libc::CMSG_FIRSTHDR(&whole);
        while let Some(one) = head.as_ref() {
            if (one.cmsg_level, one.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
                #[expect(clippy::unnecessary_cast, reason = "its type is the C library's")]
                let size = one.cmsg_len as usize - libc::CMSG_LEN(0) as usize;
                let place = libc::CMSG_DATA(head).cast::<RawFd>();
                for i in 0..size / size_of::<RawFd>() {
                    descriptors.push(OwnedFd::from_raw_fd(place.add(i).read_unaligned()));
                }
            }
            head = libc::CMSG_NXTHDR(&whole, head);
        }
        if whole.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0 {
            return Err(io::Error::other(
                "a message between host and zygote is too long",
            ));
        }
        message.set_len(length);
    }
    Ok((message, descriptors))
}

/// Waits until one of these can be read, or has come to its end. The answer is which.
pub(super) fn wait_for_any(descriptors: &[RawFd], time_ms: i32) -> io::Result<Vec<bool>> {
    let entry = |fd: &RawFd| libc::pollfd {
        fd: *fd,
        events: libc::POLLIN,
        revents: 0,
    };
    let mut entries: Vec<libc::pollfd> = descriptors.iter().map(entry).collect();
    // SAFETY: so many entries.
    while unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as _, time_ms) } < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(entries.iter().map(|entry| entry.revents != 0).collect())
}

/// A descriptor that stands for a process.
pub(super) fn pidfd_of(process: libc::pid_t) -> io::Result<OwnedFd> {
    // SAFETY: a number; the descriptor is ours.
    unsafe {
        match libc::syscall(libc::SYS_pidfd_open, process, 0) {
            ..0 => Err(io::Error::last_os_error()),
            descriptor => Ok(OwnedFd::from_raw_fd(descriptor as RawFd)),
        }
    }
}

/// Whether a descriptor stands for a process.
pub(super) fn is_pidfd(descriptor: &OwnedFd) -> bool {
    let asked = signal(descriptor, 0);
    asked.map_err(|error| error.raw_os_error()) != Err(Some(libc::EBADF))
}

/// Sends a signal to the process that a descriptor stands for, if it is there.
pub(super) fn kill(pidfd: &OwnedFd, number: i32) {
    let _ = signal(pidfd, number);
}

fn signal(pidfd: &OwnedFd, number: i32) -> io::Result<()> {
    let no_details = null_mut::<u8>();
    // SAFETY: a descriptor of ours, and numbers.
    let sent = unsafe {
        let send = libc::SYS_pidfd_send_signal;
        libc::syscall(send, pidfd.as_raw_fd(), number, no_details, 0)
    };
    match sent {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
