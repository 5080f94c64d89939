# Actions of the sweep: see sweep.c. What a script has set is what it reads, and no other script sees it; what
# is of the process has one answer for all. The process starts with LANG=C.UTF-8, with a TZ of its own, and with
# the locales de_DE.UTF-8 and fr_FR.UTF-8 at hand.

#: common
# An answer that is not right says what it is. `own` is another text in each interpreter.
import os

def same(value, right):
    if value != right:
        raise AssertionError(f'{value!a:.200}, not {right!a:.200}')

def outcome(call, *arguments):
    try:
        return call(*arguments)
    except (OSError, LookupError) as error:
        return type(error)

own = hex(id(same))
SHARED = 'SUBPY_SHARED_GROUND'

#: environ
# Enough variables, and some with a value that is new, for C's table to move in memory.
import itertools
rounds = itertools.count()

def act():
    os.environ[SHARED] = own
    value = own + f'_{next(rounds)}'
    for i in range(200):
        os.environ[f'{SHARED}_{i}'] = own if i % 10 else value * (i // 10)
    for i in range(200):
        same(os.environ.pop(f'{SHARED}_{i}'), own if i % 10 else value * (i // 10))
    same(os.environ[SHARED], own)
    same(os.getenv(SHARED), own)

#: environ_others
# Nobody has set it here.
before = dict(os.environ)

def act():
    same(os.getenv(SHARED), None)
    same(dict(os.environ), before)

#: putenv
# So many that C's table has pages of its own, and whoever looks for TZ is on its way for long: where the table has
# moved meanwhile, nothing is left.
zone = os.environ['TZ']
os.unsetenv('TZ')
for i in range(17_000):
    os.putenv(f'{i}_SUBPY', '')
os.putenv('TZ', zone)

def act():
    for i in range(600):
        os.putenv(f'{i}_SUBPY_{own}', own)
    for i in range(600):
        os.unsetenv(f'{i}_SUBPY_{own}')

#: environ_child exec
import subprocess
os.environ[SHARED] = own

def act():
    found = subprocess.run(['sh', '-c', f'echo "${SHARED}"'], stdout=subprocess.PIPE, check=True).stdout
    same(found.decode().strip(), own)

#: environ_child_others exec
import subprocess

def act():
    found = subprocess.run(['sh', '-c', f'echo "${SHARED}"'], stdout=subprocess.PIPE, check=True).stdout
    same(found, b'\n')

#: posix_spawn exec
def act():
    pid = os.posix_spawn('/bin/sh', ['sh', '-c', 'exit 5'], os.environ)
    same(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 5)

#: system exec
def act():
    same(os.waitstatus_to_exitcode(os.system('exit 3')), 3)

#: popen exec
def act():
    with os.popen(f'echo {own}') as stream:
        same(stream.read(), own + '\n')

#: tzset
import time

def act():
    time.tzset()
    same((time.timezone, time.altzone, time.daylight, time.tzname), (-3600, -7200, 1, ('CET', 'CEST')))

#: tzset_other
# Another zone is refused, or it is this script's own.
import time

def act():
    try:
        os.environ['TZ'] = 'EST5EDT,M3.2.0,M11.1.0'
        time.tzset()
        right = 19
    except Exception:
        right = 1
    same(time.localtime(0).tm_hour, right)
    os.environ['TZ'] = 'CET-1CEST,M3.5.0,M10.5.0/3'
    time.tzset()
    same(time.localtime(0).tm_hour, 1)

#: localtime
import time

def act():
    winter, summer = time.localtime(0), time.localtime(15_000_000_0)
    same((winter.tm_hour, winter.tm_zone, winter.tm_gmtoff), (1, 'CET', 3600))
    same((summer.tm_mon, summer.tm_hour), (10, 4))

#: mktime
import time

def act():
    same(time.mktime((2000, 1, 1, 0, 0, 0, 0, 0, -1)), 946681200.0)
    same(time.mktime((2000, 7, 1, 0, 0, 0, 0, 0, -1)), 962402400.0)

#: strftime
import time
moment = time.gmtime(0)

def act():
    same(time.strftime('%A %d %B %Y %p', moment), 'Thursday 01 January 1970 AM')
    same(time.strftime('%Z', time.localtime(0)), 'CET')

#: datetime_local
import datetime

def act():
    summer = datetime.datetime.fromtimestamp(962402400)
    same(summer.isoformat(), '2000-07-01T00:00:00')
    same(summer.timestamp(), 962402400.0)
    same(summer.astimezone().strftime('%Z %z %a'), 'CEST +0200 Sat')

#: zoneinfo
import datetime, zoneinfo

def act():
    zoneinfo.ZoneInfo.clear_cache()
    try:
        zone = zoneinfo.ZoneInfo('Europe/Berlin')
    except zoneinfo.ZoneInfoNotFoundError:
        return
    same(datetime.datetime(2000, 7, 1, tzinfo=zone).utcoffset(), datetime.timedelta(hours=2))

#: locale_de
import locale, time

def act():
    same(locale.setlocale(locale.LC_ALL, 'de_DE.UTF-8'), 'de_DE.UTF-8')
    same(f'{1234567:n}', '1.234.567')
    same(time.strftime('%A %B', time.gmtime(0)), 'Donnerstag Januar')
    same(locale.localeconv()['thousands_sep'], '.')
    same(locale.setlocale(locale.LC_TIME), 'de_DE.UTF-8')

#: locale_fr
# A separator that is not ASCII: Python changes LC_CTYPE for a moment.
import locale, time

def act():
    same(locale.setlocale(locale.LC_ALL, 'fr_FR.UTF-8'), 'fr_FR.UTF-8')
    same(f'{1234567:n}', '1\u202f234\u202f567')
    same(time.strftime('%A %B', time.gmtime(0)), 'jeudi janvier')
    same(locale.localeconv()['mon_thousands_sep'], '\u202f')
    same(locale.setlocale(locale.LC_TIME), 'fr_FR.UTF-8')

#: locale_back
import locale

def act():
    for name in 'de_DE.UTF-8', 'C', 'fr_FR.UTF-8', 'C.UTF-8':
        same(locale.setlocale(locale.LC_ALL, name), name)
        same(locale.setlocale(locale.LC_ALL), name)

#: locale_numeric
import locale
locale.setlocale(locale.LC_NUMERIC, 'fr_FR.UTF-8')

def act():
    same(locale.localeconv()['decimal_point'], ',')
    same(locale.format_string('%d', 1234567, True), '1\u202f234\u202f567')
    same(f'{1234567:n} {0.5:n}', '1\u202f234\u202f567 0,5')
    same(locale.setlocale(locale.LC_CTYPE), 'C.UTF-8')
    same(float('1.5'), 1.5)

#: locale_monetary
import locale
locale.setlocale(locale.LC_MONETARY, 'fr_FR.UTF-8')

def act():
    same(locale.currency(1234567.5, grouping=True), '1\u202f234\u202f567,50 €')
    same(locale.setlocale(locale.LC_CTYPE), 'C.UTF-8')

#: locale_ctype
import locale
locale.setlocale(locale.LC_CTYPE, 'C')

def act():
    same(locale.setlocale(locale.LC_CTYPE), 'C')
    same(locale.setlocale(locale.LC_NUMERIC), 'C')

#: locale_none
# This script sets no locale.
import locale

def act():
    same(locale.setlocale(locale.LC_ALL).split(';')[0], 'LC_CTYPE=C.UTF-8')
    same(locale.localeconv()['decimal_point'], '.')
    same(locale.localeconv()['mon_grouping'], [])
    same(locale.str(0.5), '0.5')
    same(f'{1234567:n} {0.5:n} {1j:n}', '1234567 0.5 0+1j')

#: strcoll
import locale

def act():
    same(locale.strcoll('a', 'B') > 0, True)
    same(sorted('aBc', key=locale.strxfrm), ['B', 'a', 'c'])

#: strcoll_de
import locale
locale.setlocale(locale.LC_COLLATE, 'de_DE.UTF-8')
right = locale.strxfrm('Öl und Äpfel')

def act():
    same(locale.strcoll('a', 'B') < 0, True)
    same(locale.strxfrm('Öl und Äpfel'), right)

#: nl_langinfo
import locale

def act():
    same(locale.nl_langinfo(locale.CODESET), 'UTF-8')
    same(locale.nl_langinfo(locale.DAY_2), 'Monday')
    same(locale.nl_langinfo(locale.RADIXCHAR), '.')

#: encodings
import io, locale, sys

def act():
    same(locale.getpreferredencoding(False).upper(), 'UTF-8')
    same(sys.getfilesystemencoding(), 'utf-8')
    with open(os.devnull, encoding='locale') as stream:
        same(stream.encoding.upper(), 'UTF-8')

#: textdomain
import locale

def act():
    same(locale.textdomain(own), own)
    same(locale.bindtextdomain(own, '/' + own), '/' + own)
    same(locale.dgettext(own, 'hello'), 'hello')
    same(locale.textdomain(None), own)
    same(locale.bindtextdomain(own, None), '/' + own)

#: gettext
import gettext, locale

def act():
    same(gettext.gettext('hello'), 'hello')
    same(locale.gettext('hello'), 'hello')

#: users
import pwd
everybody = pwd.getpwall()

def act():
    same(pwd.getpwall(), everybody)
    for user in everybody[:5]:
        same(pwd.getpwnam(user.pw_name), user)
        same(pwd.getpwuid(user.pw_uid).pw_uid, user.pw_uid)
    same(outcome(pwd.getpwnam, own), KeyError)

#: groups
import grp
all_groups = grp.getgrall()

def act():
    same(grp.getgrall(), all_groups)
    for group in all_groups[:5]:
        same(grp.getgrnam(group.gr_name), group)

#: shadow until=3.12
import warnings
warnings.simplefilter('ignore')
import spwd
everybody = outcome(spwd.getspall)

def act():
    same(outcome(spwd.getspall), everybody)
    if isinstance(everybody, list):
        for user in everybody[:5]:
            same(spwd.getspnam(user.sp_namp), user)

#: services
import socket

def act():
    for name, port in ('http', 80), ('https', 443), ('ftp', 21):
        same(outcome(socket.getservbyname, name, 'tcp') in (port, OSError), True)
        same(outcome(socket.getservbyport, port, 'tcp') in (name, OSError), True)

#: protocols
import socket

def act():
    for name, number in ('tcp', 6), ('udp', 17), ('icmp', 1):
        same(outcome(socket.getprotobyname, name) in (number, OSError), True)

#: hosts
import socket

def act():
    same(outcome(socket.gethostbyname, 'localhost') in ('127.0.0.1', socket.gaierror), True)
    same(socket.gethostbyname('127.0.0.2'), '127.0.0.2')
    found = socket.getaddrinfo('127.0.0.3', 80, type=socket.SOCK_STREAM)
    same(found[0][4], ('127.0.0.3', 80))
    same(socket.getnameinfo(('127.0.0.4', 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV), ('127.0.0.4', '80'))

#: host_by_address
import socket
right = outcome(socket.gethostbyaddr, '127.0.0.1')

def act():
    same(outcome(socket.gethostbyaddr, '127.0.0.1'), right)

#: inet
import socket

def act():
    for i in range(1, 200, 7):
        same(socket.inet_ntoa(bytes([10, i, i, 1])), f'10.{i}.{i}.1')
        same(socket.inet_ntop(socket.AF_INET6, bytes(15) + bytes([i])), f'::{i:x}')

#: interfaces
import socket
right = outcome(socket.if_nameindex)

def act():
    same(outcome(socket.if_nameindex), right)

#: sockets
import socket

def act():
    socket.setdefaulttimeout(id(same) % 1000 + 0.5)
    with socket.create_server(('127.0.0.1', 0)) as server, socket.create_connection(server.getsockname()) as client:
        same(client.gettimeout(), id(same) % 1000 + 0.5)
        accepted, _ = server.accept()
        with accepted:
            client.sendall(own.encode())
            same(accepted.recv(100).decode(), own)
    same(socket.getdefaulttimeout(), id(same) % 1000 + 0.5)

#: strerror
import errno

def act():
    same(os.strerror(errno.ENOENT), 'No such file or directory')
    same(os.strerror(9999), 'Unknown error 9999')
    try:
        open('/' + own)
    except OSError as error:
        same(str(error), f"[Errno 2] No such file or directory: '/{own}'")

#: signals
import signal

def act():
    same(signal.strsignal(signal.SIGHUP), 'Hangup')
    same(signal.SIGTERM in signal.valid_signals(), True)
    same(signal.getsignal(signal.SIGTERM), signal.SIG_DFL)
    same(signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.pthread_sigmask(signal.SIG_BLOCK, []))

#: asyncio
import asyncio

async def main():
    await asyncio.sleep(0)
    return await asyncio.gather(*[asyncio.to_thread(str, i) for i in range(3)])

def act():
    same(asyncio.run(main()), ['0', '1', '2'])

#: login
right = outcome(os.getlogin)

def act():
    same(outcome(os.getlogin), right)
    same(os.ctermid(), '/dev/tty')

#: terminals
def act():
    try:
        leader, follower = os.openpty()
    except OSError:
        return
    name = os.ttyname(follower)
    same(name.startswith('/dev/'), True)
    same(os.stat(name).st_rdev, os.fstat(follower).st_rdev)
    if hasattr(os, 'ptsname'):
        same(os.ptsname(leader), name)
    os.close(leader)
    os.close(follower)

#: crypt until=3.12
import warnings
warnings.simplefilter('ignore')
import crypt
right = crypt.crypt(own, '$1$saltsalt')

def act():
    same(crypt.crypt(own, '$1$saltsalt'), right)

#: temporary_files
import tempfile

def act():
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile('w+', dir=folder) as file:
        file.write(own)
        file.seek(0)
        same(file.read(), own)
        same(os.listdir(folder), [os.path.basename(file.name)])

#: folders
import glob, shutil, tempfile

def act():
    with tempfile.TemporaryDirectory() as folder:
        for i in range(3):
            os.makedirs(f'{folder}/a/{i}')
            with open(f'{folder}/a/{i}/{own}', 'w') as file:
                file.write(own)
        same(sorted(entry.name for entry in os.scandir(folder + '/a')), ['0', '1', '2'])
        same(sum(len(files) for _, _, files in os.walk(folder)), 3)
        same(len(glob.glob(folder + '/a/*/*')), 3)
        shutil.copytree(folder + '/a', folder + '/b')
        same(sorted(os.listdir(folder + '/b')), ['0', '1', '2'])

#: folder_of_process
# No action changes it.
right = os.getcwd()

def act():
    same(os.getcwd(), right)
    same(os.path.abspath('x'), os.path.join(right, 'x'))

#: umask
# It is of the process by nature: nothing is asked of it.
def act():
    os.umask(os.umask(0o022))

#: mathematics
import math

def act():
    same(round(math.lgamma(-0.5), 12), 1.265512123485)
    same(round(math.lgamma(10.0), 12), 12.801827480081)
    same(float('1e-5').hex(), '0x1.4f8b588e368f1p-17')
    same(repr(0.1 + 0.2), '0.30000000000000004')

#: random
import random

def act():
    random.seed(1)
    same([random.randrange(1000) for _ in range(3)], [137, 582, 867])
    same(len({random.SystemRandom().getrandbits(64) for _ in range(10)}), 10)

#: uuid
import uuid

def act():
    same(len({uuid.uuid1() for _ in range(10)} | {uuid.uuid4() for _ in range(10)}), 20)
    same(str(uuid.uuid5(uuid.NAMESPACE_DNS, 'subpy')), str(uuid.uuid5(uuid.NAMESPACE_DNS, 'subpy')))

#: hashlib
import hashlib, hmac

def act():
    same(hashlib.sha256(b'a').hexdigest()[:8], 'ca978112')
    same(hashlib.new('md5', b'a').hexdigest()[:8], '0cc175b9')
    same(hashlib.pbkdf2_hmac('sha256', b'a', b'b', 10).hex()[:8], hashlib.pbkdf2_hmac('sha256', b'a', b'b', 10).hex()[:8])
    same(hmac.new(b'k', b'a', 'sha1').hexdigest()[:8], hmac.new(b'k', b'a', 'sha1').hexdigest()[:8])
    same('sha256' in hashlib.algorithms_available, True)

#: ssl
import ssl
refused = None
try:
    ssl.create_default_context().set_ciphers(own)
except ssl.SSLError as error:
    refused = str(error).split(' (')[0]

def act():
    context = ssl.create_default_context()
    same(context.verify_mode, ssl.CERT_REQUIRED)
    try:
        context.load_cert_chain('/' + own)
    except FileNotFoundError:
        pass
    try:
        context.set_ciphers(own)
    except ssl.SSLError as error:
        same(str(error).split(' (')[0], refused)
    same(len(ssl.RAND_bytes(8)), 8)

#: sqlite
import sqlite3
sqlite3.register_adapter(complex, lambda value: own)

def act():
    connection = sqlite3.connect('')
    connection.create_function('own', 0, lambda: own)
    connection.execute('create temp table t (x)')
    connection.executemany('insert into t values (?)', [(1j,)] * 10)
    same(connection.execute('select distinct x, own() from t').fetchall(), [(own, own)])
    same(connection.execute("select datetime(0, 'unixepoch', 'localtime')").fetchone(), ('1970-01-01 01:00:00',))
    connection.close()

#: decimal
import decimal
decimal.getcontext().prec = id(same) % 20 + 5

def act():
    same(len(str(decimal.Decimal(1) / 3)), id(same) % 20 + 7)
    same(f'{decimal.Decimal("1234567.5"):n}', '1234567.5')

#: current_frames
import sys

def act():
    frame, = sys._current_frames().values()
    same(frame is sys._getframe(), True)
    same(len(sys._current_exceptions()), 1)

#: memory_counts
import sys

def act():
    same(sys.getallocatedblocks() >= 0, True)
    sys._clear_type_cache()

#: gc
import gc

class Mine:
    pass

def act():
    mine = Mine()
    mine.me = mine
    same(any(found is mine for found in gc.get_objects()), True)
    same(gc.get_referents(Mine())[-1] is Mine, True)
    gc.collect()
    same(sum(type(found) is Mine for found in gc.get_objects()), 1)

#: settings
# Each is an interpreter's own.
import csv, gc, sys, _thread
number = id(same) % 50 + 1

def act():
    sys.setrecursionlimit(number + 1000)
    sys.setdlopenflags(number % 2 + 1)
    gc.set_threshold(number * 100)
    csv.field_size_limit(number)
    _thread.stack_size((number + 100) << 12)
    if hasattr(sys, 'set_int_max_str_digits'):
        sys.set_int_max_str_digits(number + 1000)
        same(sys.get_int_max_str_digits(), number + 1000)
    same(sys.getrecursionlimit(), number + 1000)
    same(sys.getdlopenflags(), number % 2 + 1)
    same(gc.get_threshold()[0], number * 100)
    same(csv.field_size_limit(), number)
    same(_thread.stack_size(), (number + 100) << 12)

#: registries
import codecs, copyreg, sys, warnings

heard = []
codecs.register(lambda name: codecs.CodecInfo(lambda text, _=None: (own.encode(), len(text)), None)
                if name == 'subpy_own' else None)
codecs.register_error('subpy_own', lambda error: (own, error.end))
sys.addaudithook(lambda event, arguments: heard.append(arguments) if event == 'subpy.own' else None)

def act():
    same('x'.encode('subpy_own'), own.encode())
    same('é'.encode('ascii', 'subpy_own'), own.encode())
    heard.clear()
    sys.audit('subpy.own', own)
    same(heard, [(own,)])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        warnings.warn(own)
    same([str(warning.message) for warning in caught], [own])

#: types
import abc, collections.abc, weakref

def act():
    class Mine(int):
        pass
    collections.abc.Sized.register(Mine)
    same(issubclass(Mine, collections.abc.Sized), True)
    same([found for found in int.__subclasses__() if found.__name__ == 'Mine'][-1] is Mine, True)
    same(weakref.getweakrefcount(Mine) >= 0, True)
    keep = weakref.ref(int)
    same(keep() is int, True)

#: intern
import sys

def act():
    for i in range(200):
        same(sys.intern(f'{own}_{i}') is sys.intern(own + '_' + str(i)), True)

#: threads
import queue, threading

def act():
    found = queue.Queue()
    threads = [threading.Thread(target=found.put, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same(sorted(found.get() for _ in threads), [0, 1, 2, 3])
    same(any(thread.is_alive() for thread in threads), False)

#: syslog
import syslog

def act():
    same(syslog.LOG_UPTO(syslog.LOG_ERR), 15)
    same(syslog.setlogmask(0) > 0, True)

#: resources
import resource

def act():
    same(resource.getrlimit(resource.RLIMIT_CORE), (0, 0))
    same(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0, True)
    same(os.sysconf('SC_PAGE_SIZE'), resource.getpagesize())

#: mmap
import mmap

def act():
    with mmap.mmap(-1, 4096) as memory:
        memory.write(own.encode())
        same(memory[:len(own)], own.encode())

#: shared_memory needs=3.13
from multiprocessing import shared_memory

def act():
    memory = shared_memory.SharedMemory(create=True, size=100, track=False)
    memory.buf[0] = 7
    other = shared_memory.SharedMemory(memory.name, track=False)
    same(other.buf[0], 7)
    other.close()
    memory.close()
    memory.unlink()

#: select
import select

def act():
    ends = os.pipe()
    os.write(ends[1], b'x')
    same(select.select([ends[0]], [], [], 10)[0], [ends[0]])
    with select.epoll() as poll:
        poll.register(ends[0], select.EPOLLIN)
        same(poll.poll(10), [(ends[0], select.EPOLLIN)])
    os.close(ends[0])
    os.close(ends[1])

#: ctypes needs=3.13
import ctypes

library = ctypes.CDLL(None, use_errno=True)
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))

def act():
    numbers = (ctypes.c_int * 5)(5, 3, 1, 4, 2)
    library.qsort(numbers, 5, 4, compare(lambda a, b: a[0] - b[0]))
    same(list(numbers), [1, 2, 3, 4, 5])
    same(library.close(-1), -1)
    same(ctypes.get_errno(), 9)
    try:
        ctypes.CDLL(f'/{own}.so')
    except OSError as error:
        same(own in str(error), True)

#: faulthandler until=3.11
import faulthandler

def act():
    with open(os.devnull, 'w') as file:
        faulthandler.dump_traceback(file, all_threads=False)

#: tracemalloc until=3.11
import tracemalloc

def act():
    tracemalloc.start()
    x = [own] * 100
    tracemalloc.take_snapshot()
    tracemalloc.stop()

#: readline until=3.11
import readline

def complete(text, state):
    return None

def act():
    readline.set_completer(complete)
    same(readline.get_completer() is complete, True)

#: curses until=3.11
import curses

def act():
    curses.setupterm('xterm', 1)
    same(curses.tigetstr('cr'), b'\r')

#: profile needs=3.13
import cProfile

def act():
    profile = cProfile.Profile()
    profile.runcall(len, own)
    same(len(profile.getstats()) > 0, True)

#: trace
import sys
lines = []

def trace(frame, event, argument):
    lines.append(frame.f_code.co_name)
    return trace

def traced():
    return own

def act():
    lines.clear()
    sys.settrace(trace)
    traced()
    sys.settrace(None)
    same(set(lines), {'traced'})

#: compression
import bz2, lzma, zlib
data = own.encode() * 1000

def act():
    same(zlib.decompress(zlib.compress(data)), data)
    same(bz2.decompress(bz2.compress(data, 1)), data)
    same(lzma.decompress(lzma.compress(data, preset=0)), data)

#: text
import json, pickle, re

def act():
    data = {own: [1, 2.5, None, 'é']}
    same(json.loads(json.dumps(data)), data)
    same(pickle.loads(pickle.dumps(data)), data)
    re.purge()
    same(re.match('0x([0-9a-f]+)', own).group(1), own[2:])
    same('%s' % own.upper().lower(), own)

#: xml
import xml.etree.ElementTree

def act():
    try:
        element = xml.etree.ElementTree.fromstring(f'<a b="{own}">é</a>')
    except ImportError:
        return
    same((element.get('b'), element.text), (own, 'é'))

#: imports
import sys
before = set(sys.modules)

def act():
    import argparse, calendar, configparser, csv, email.message, html.parser, http.cookies, statistics, string
    same(calendar.monthrange(2000, 2)[1], 29)
    same(string.Template('$x').substitute(x=own), own)
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], '__file__', '').endswith('.py'):
            del sys.modules[name]

#: extensions
# The same modules in C, made anew.
import importlib, sys

def act():
    for name in '_struct', 'array', '_random', '_csv', 'binascii', '_bisect', 'unicodedata', 'time', 'math':
        sys.modules.pop(name, None)
        importlib.import_module(name)

#: logging
import io, logging
stream = io.StringIO()
logger = logging.getLogger('subpy')
logger.propagate = False
handler = logging.StreamHandler(stream)
handler.setFormatter(logging.Formatter('%(asctime)s %(message)s', '%Y'))
logger.addHandler(handler)

def act():
    stream.seek(0)
    stream.truncate()
    logger.warning(own)
    same(stream.getvalue()[4:], f' {own}\n')

#: interrupt
# It comes in the interpreter that asked for it, or nowhere.
import _thread, time

def act():
    try:
        _thread.interrupt_main()
        time.sleep(0)
    except (KeyboardInterrupt, RuntimeError, ValueError):
        pass

#: no_interrupt
def act():
    try:
        sum(range(1000))
    except KeyboardInterrupt:
        raise AssertionError('interrupted by another') from None
