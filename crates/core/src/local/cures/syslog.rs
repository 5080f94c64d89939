//! Defect: the process has one name and one mask for its messages to syslog. From 3.12 on, a script may write none until the
//! main interpreter has, which runs nothing by default. Before, a script changes the host's name and mask.
//!
//! Has it: all versions.
//!
//! Cure: the functions of `syslog` are ours, and send a message as the C library does. An interpreter has its own name,
//! facility, options and mask. LOG_PERROR writes to its `sys.stderr`. No descriptor is kept.

use super::stdlib_functions::Functions;

pub(super) static FUNCTIONS: Functions = Functions::in_python(
    &[c"syslog"],
    c"
def replacers(call, put, at_end):
    import sys
    from _operator import index
    PRIORITIES, FACILITIES = 0x7, 0x3f8
    MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()

    def is_text(what, text):
        if not isinstance(text, str):
            raise TypeError(f'{what} must be str, not {type(text).__name__}')
        text = text.encode()
        if b'\\0' in text:
            raise ValueError('embedded null character')
        return text

    def name_of_script():
        argv = getattr(sys, 'argv', None)
        if isinstance(argv, list) and argv and isinstance(argv[0], str):
            name = argv[0].rpartition('/')[2]
            if name:
                return name.encode(errors='replace')

    def name_of_host():
        try:
            with open('/proc/self/cmdline', 'rb') as line:
                return line.read().split(b'\\0')[0].rpartition(b'/')[2]
        except OSError:
            return b'python'

    def deliver(packet):
        import _socket
        for kind in _socket.SOCK_DGRAM, _socket.SOCK_STREAM:
            with_end = packet if kind == _socket.SOCK_DGRAM else packet + b'\\0'
            connection = None
            try:
                connection = _socket.socket(_socket.AF_UNIX, kind | _socket.SOCK_CLOEXEC)
                connection.connect('/dev/log')
                connection.sendall(with_end)
                return True
            except OSError:
                continue
            finally:
                if connection is not None:
                    connection.close()
        return False

    def replace_syslog(module):
        from posix import getpid
        from time import localtime
        closed = None, 0, module.LOG_USER
        name, options, facility = closed
        mask = 0xff

        def openlog(ident=None, logoption=0, facility=module.LOG_USER):
            chosen = name_of_script() if ident is None else is_text('ident', ident)
            sys.audit('syslog.openlog', ident, logoption, facility)
            take(chosen, index(logoption), index(facility))

        def take(*settings):
            nonlocal name, options, facility
            name, options, facility = settings

        def syslog(priority, message=None, /, *more):
            if more or message is None and not isinstance(priority, str):
                raise TypeError('syslog.syslog requires 1 to 2 arguments: [priority,] message')
            if message is None:
                priority, message = module.LOG_INFO, priority
            message, priority = is_text('message', message), index(priority)
            sys.audit('syslog.syslog', priority, message.decode())
            if not mask & 1 << (priority & PRIORITIES):
                return
            if not priority & FACILITIES:
                priority |= facility
            who = name_of_script() if name is None else name
            who = name_of_host() if who is None else who
            if options & module.LOG_PID:
                who += b'[%d]' % getpid()
            line = who + b': ' + message
            if options & getattr(module, 'LOG_PERROR', 0) and sys.stderr is not None:
                sys.stderr.write(line.decode(errors='replace').removesuffix('\\n') + '\\n')
            t = localtime()
            when = '%s %2d %02d:%02d:%02d' % (MONTHS[t.tm_mon - 1], t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec)
            if not deliver(b'<%d>%s %s' % (priority & (PRIORITIES | FACILITIES), when.encode(), line)):
                if options & module.LOG_CONS:
                    try:
                        with open('/dev/console', 'wb', buffering=0) as console:
                            console.write(line + b'\\r\\n')
                    except OSError:
                        pass

        def closelog():
            sys.audit('syslog.closelog')
            take(*closed)

        def setlogmask(maskpri, /):
            nonlocal mask
            maskpri = index(maskpri)
            sys.audit('syslog.setlogmask', maskpri)
            before = mask
            mask = maskpri or mask
            return before

        put(module, openlog, syslog, closelog, setlogmask)

    return {'syslog': replace_syslog}
",
);
