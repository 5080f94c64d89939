#: abc
import abc, collections.abc
class A(abc.ABC):
    pass
A.register(int)
assert isinstance(1, A) and issubclass(list, collections.abc.Sequence)

#: argparse
import argparse
parser = argparse.ArgumentParser()
parser.add_argument('--n', type=int)
assert parser.parse_args(['--n', '3']).n == 3

#: array
import array
assert array.array('d', [1.5, 2.5]).tobytes()

#: ast
import ast
tree = ast.parse('def f(x: int) -> str:\n    return f"{x}"', mode='exec')
exec(compile(tree, '<ast>', 'exec'))
assert ast.literal_eval("{'a': [1, 2.5, None]}") and ast.unparse(tree) and ast.dump(tree)

#: asyncio
import asyncio

async def work():
    queue = asyncio.Queue()
    task = asyncio.create_task(queue.get())
    await queue.put(1)
    return await asyncio.wait_for(task, timeout=10)

assert asyncio.run(work()) == 1

#: binascii
import base64, binascii
assert base64.b64decode(base64.b64encode(b'x')) == b'x'
assert binascii.crc32(b'x', 1) and binascii.b2a_base64(b'x', newline=False)

#: bisect
import bisect, heapq
heap = []
heapq.heappush(heap, 2)
assert heapq.heappushpop(heap, 1) == 1 and bisect.bisect_left([1, 2], x=2, lo=0) == 1

#: bz2
import bz2
assert bz2.decompress(bz2.compress(b'x' * 1000, compresslevel=1)) == b'x' * 1000

#: codecs
for codec in 'shift_jis', 'euc_kr', 'gb18030', 'big5', 'iso2022_jp', 'idna', 'utf_7', 'cp1252':
    assert b'a'.decode(codec) == 'a'.encode(codec).decode(codec)

#: collections
import collections
assert collections.Counter('aab').most_common(1) and collections.OrderedDict(a=1)
assert collections.namedtuple('P', 'x y')(1, y=2).y == 2
assert collections.deque([1], maxlen=2) and collections.defaultdict(list)['x'] == []

#: configparser
import configparser
config = configparser.ConfigParser()
config.read_string('[a]\nb = 1')
assert config['a']['b'] == '1'

#: contextvars
import contextvars
variable = contextvars.ContextVar('variable', default=1)
assert contextvars.copy_context().run(variable.get) == 1

#: csv
import csv, io
assert list(csv.reader(io.StringIO('a;b'), delimiter=';')) == [['a', 'b']]

#: ctypes refused=3.12-3.12
import ctypes

class Point(ctypes.Structure):
    _fields_ = [('x', ctypes.c_int), ('y', ctypes.c_double)]

assert ctypes.pointer(Point(1, 2.5)).contents.y == 2.5 and (ctypes.c_char * 4)(b'a')
library = ctypes.CDLL(None)
library.abs.argtypes = [ctypes.c_int]
assert library.abs(-3) == 3

#: curses
try:
    import curses, curses.ascii
except ImportError:
    pass

#: dataclasses
import dataclasses, enum, typing

@dataclasses.dataclass(frozen=True, order=True)
class D:
    x: int = 0
    y: typing.Optional[str] = None

class E(enum.Flag):
    A = enum.auto()
    B = enum.auto()

assert dataclasses.replace(D(), x=1) > D() and E.A | E.B and typing.get_type_hints(D)

#: datetime
import datetime
now = datetime.datetime.now(datetime.timezone.utc)
assert now.replace(year=2000).isoformat(timespec='minutes') < now.isoformat()
assert datetime.datetime.strptime('2020', '%Y') + datetime.timedelta(days=1)
assert datetime.date.today().isocalendar() and now.strftime('%c') and now - now == datetime.timedelta()

#: dbm
import dbm, os, shelve, tempfile
with tempfile.TemporaryDirectory() as place:
    with shelve.open(os.path.join(place, 'shelf')) as shelf:
        shelf['a'] = [1]

#: decimal
import decimal
with decimal.localcontext() as context:
    context.prec = 50
    assert str(decimal.Decimal(1) / decimal.Decimal(3)) == '0.' + '3' * 50
assert decimal.Decimal('1.10').quantize(decimal.Decimal('0.1'))

#: decimal_shared shared
import decimal, fractions
for _ in range(300):
    decimal.Decimal(1) / 7
    decimal.getcontext().prec = 30

#: difflib
import difflib, textwrap
assert list(difflib.unified_diff(['a'], ['b'])) and textwrap.fill('a b', 1)

#: elementtree refused=3.12-3.12
import xml.etree.ElementTree as tree
root = tree.fromstring('<a x="1"><b>text</b></a>')
assert root.find('b').text == 'text' and tree.tostring(root) and list(root.iter(tag='b'))

#: email
import email.message, email.policy
message = email.message.EmailMessage(policy=email.policy.SMTP)
message['Subject'] = 'é'
message.set_content('é')
assert bytes(message)

#: fcntl
import errno, fcntl, grp, pwd, resource, syslog, termios
assert resource.getrlimit(resource.RLIMIT_CPU) and pwd.getpwuid(0) and errno.errorcode
fcntl.fcntl(0, fcntl.F_GETFD) if False else None

#: fractions
import fractions, numbers
assert fractions.Fraction(1, 3) + 1 == fractions.Fraction('4/3')
assert isinstance(fractions.Fraction(1), numbers.Rational)

#: functools
import functools, itertools, operator

@functools.lru_cache(maxsize=2)
def f(x):
    return x

@functools.singledispatch
def g(x):
    return 1

assert f(1) == g(1) and functools.reduce(operator.add, itertools.chain([1], [2])) == 3
assert list(itertools.groupby('aab')) and functools.partial(int, base=2)('11') == 3

#: futures
import concurrent.futures, time
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    assert pool.submit(pow, 2, 3).result() == 8

#: hashlib
import hashlib, hmac, secrets
for name in hashlib.algorithms_guaranteed:
    assert hashlib.new(name, b'x')
assert hashlib.pbkdf2_hmac('sha256', b'a', b'b', iterations=2) and secrets.token_hex(4)
assert hmac.new(b'k', b'x', 'sha256').digest() and hashlib.blake2b(b'x', digest_size=8)

#: html
import html, html.parser, urllib.parse
assert html.unescape('&lt;') == '<' and urllib.parse.urlsplit('http://a/b?c').path == '/b'
html.parser.HTMLParser().feed('<a>')

#: http
import http.client, http.server, http.cookies, urllib.request, threading
server = http.server.HTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler)
server.server_close()

#: importlib
import importlib.metadata, importlib.resources, importlib.util
assert importlib.util.find_spec('json') and list(importlib.metadata.distributions()) is not None

#: inspect
import inspect, tokenize, io, dis
assert inspect.signature(inspect.signature).parameters and inspect.getsource(inspect.signature)
assert list(tokenize.generate_tokens(io.StringIO('x = 1').readline))
dis.dis(inspect.signature, file=io.StringIO())

#: io
import io
text = io.TextIOWrapper(io.BytesIO(), encoding='utf-8', newline='\n')
text.write('é')
text.flush()
with open('/dev/null', 'rb', buffering=0) as file:
    assert file.read() == b''

#: json
import json
assert json.loads(json.dumps({'a': [1, 2.5, None, 'é']}, indent=1, sort_keys=True))['a'][1] == 2.5

#: locale
import gettext, locale
assert locale.localeconv() and gettext.gettext('x') == 'x'

#: logging
import io, logging, logging.handlers
stream = io.StringIO()
logger = logging.getLogger('subpy')
logger.addHandler(logging.StreamHandler(stream))
logger.warning('%s', 'text')
assert stream.getvalue() == 'text\n'

#: lsprof
try:
    import cProfile, pstats
except ImportError:
    pass
else:
    profile = cProfile.Profile()
    profile.runcall(sum, range(10))

#: lzma
import lzma
assert lzma.decompress(lzma.compress(b'x' * 1000, preset=1)) == b'x' * 1000

#: marshal
import marshal
assert marshal.loads(marshal.dumps([1, 'a', (2.5, None), compile('1', '', 'eval')]))

#: math
import cmath, math
assert math.isclose(math.prod([1, 2.5], start=2), 5, rel_tol=0.1) and math.comb(5, 2) == 10
assert cmath.sqrt(-1) == 1j

#: mmap
import mmap
with mmap.mmap(-1, 4096) as memory:
    memory[:1] = b'x'

#: multiprocessing
import multiprocessing.connection, multiprocessing.shared_memory
a, b = multiprocessing.connection.Pipe()
a.send([1])
assert b.recv() == [1]
a.close()
b.close()

#: opcode
import symtable, compileall, py_compile, keyword, token
assert symtable.symtable('x = 1', '', 'exec').get_symbols() and keyword.iskeyword('if')

#: os
import glob, os, pathlib, shutil, stat, tempfile
with tempfile.TemporaryDirectory() as place:
    path = pathlib.Path(place, 'file')
    path.write_text('x')
    assert stat.S_ISREG(os.stat(path).st_mode) and glob.glob(f'{place}/*')
    shutil.copy(path, f'{path}2')
    assert sorted(entry.name for entry in os.scandir(place)) == ['file', 'file2']

#: pickle
import copy, pickle, datetime, decimal
value = [1, 'a', {2.5: None}, datetime.date(2000, 1, 1), decimal.Decimal(1)]
for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    assert pickle.loads(pickle.dumps(value, protocol=protocol)) == value
assert copy.deepcopy(value) == value

#: platform
import platform, sysconfig
assert platform.platform() and sysconfig.get_paths()

#: pyexpat refused=3.12-3.12
import xml.dom.minidom, xml.sax, xml.parsers.expat
assert xml.dom.minidom.parseString('<a/>').documentElement.tagName == 'a'
xml.sax.parseString('<a/>', xml.sax.handler.ContentHandler())

#: queue
import queue
items = queue.SimpleQueue()
items.put(item=1, block=True)
assert items.get(block=True, timeout=1) == 1
queue.PriorityQueue().put(1)

#: random
import random
assert random.Random(1).random() == random.Random(1).random()
random.shuffle([1, 2])
assert random.choices('ab', k=3)

#: re
import re, string, fnmatch
assert re.sub(r'(?P<a>\w+)', r'<\g<a>>', 'a b') == '<a> <b>' and fnmatch.fnmatch('a.c', '*.c')
assert string.Template('$a').substitute(a=1) == '1'

#: select
import select, selectors, socket
a, b = socket.socketpair()
selector = selectors.DefaultSelector()
selector.register(a, selectors.EVENT_READ)
b.send(b'x')
assert selector.select(timeout=10)
selector.close()
a.close()
b.close()

#: signal
import signal
signal.getsignal(signal.SIGUSR1)
assert signal.valid_signals() and signal.Signals.SIGTERM == 15

#: socket
import socket, ipaddress
with socket.socket(family=socket.AF_INET, type=socket.SOCK_STREAM) as listener:
    listener.bind(('127.0.0.1', 0))
    assert ipaddress.ip_address(listener.getsockname()[0]).is_loopback
assert socket.getaddrinfo('127.0.0.1', 80)

#: sqlite3
import sqlite3
connection = sqlite3.connect(':memory:', timeout=1.0)
connection.create_function('double', 1, lambda x: 2 * x)
connection.execute('create table t(a)')
connection.execute('insert into t values (?)', (21,))
assert connection.execute('select double(a) from t').fetchall() == [(42,)]
connection.close()

#: ssl
import ssl
context = ssl.create_default_context()
context.set_alpn_protocols(['h2'])
assert context.get_ca_certs(binary_form=True) is not None and ssl.RAND_bytes(4)
a, b = ssl.MemoryBIO(), ssl.MemoryBIO()
side = context.wrap_bio(a, b, server_hostname='localhost')
try:
    side.do_handshake()
except ssl.SSLWantReadError:
    pass
assert b.read()

#: statistics
import statistics
assert statistics.mean([1, 2]) == 1.5 and statistics.NormalDist(mu=1).inv_cdf(0.5) == 1
assert statistics.quantiles([1, 2, 3], n=4)

#: struct
import struct
assert struct.Struct(format='<iq').unpack_from(struct.pack('<iq', 1, 2), offset=0) == (1, 2)

#: subprocess
import shlex, subprocess
assert subprocess.run(shlex.split('echo x'), capture_output=True, text=True).stdout == 'x\n'

#: tarfile
import gzip, io, tarfile, zipfile
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode='w:gz') as archive:
    archive.addfile(tarfile.TarInfo('a'))
with zipfile.ZipFile(io.BytesIO(), 'w', zipfile.ZIP_DEFLATED) as archive:
    archive.writestr('a', b'x')

#: threading
import threading
done = []
threads = [threading.Thread(target=done.append, args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert sorted(done) == [0, 1, 2, 3] and threading.local() and threading.RLock()

#: time
import calendar, sched, time, timeit
assert time.strptime('2020', '%Y') and calendar.month(2020, 1) and timeit.timeit('1', number=1) >= 0
time.sleep(0)
assert time.perf_counter() and time.localtime().tm_zone

#: tomllib needs=3.11
import tomllib
assert tomllib.loads('a = 1\nb = 2020-01-01T00:00:00Z')['a'] == 1

#: traceback
import traceback, warnings, linecache
try:
    1 / 0
except ZeroDivisionError:
    assert 'ZeroDivisionError' in traceback.format_exc()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    warnings.warn('x')
assert caught

#: unicodedata
import unicodedata, stringprep
assert unicodedata.normalize('NFD', 'é') == 'e\u0301' and unicodedata.name('a')

#: unittest
import unittest, unittest.mock, doctest
mock = unittest.mock.MagicMock(return_value=1)
assert mock(2) == 1 and unittest.TestCase().assertEqual(1, 1) is None

#: uuid
import uuid
assert uuid.uuid4() != uuid.uuid1() and uuid.UUID(int=1).bytes

#: weakref
import gc, weakref
class A:
    pass
a = A()
a.me = a
reference = weakref.ref(a)
assert weakref.WeakValueDictionary(a=a)['a'] is a
del a
gc.collect()

#: zlib
import zlib
assert zlib.decompress(zlib.compress(b'x' * 1000, level=1), bufsize=10) == b'x' * 1000

#: zoneinfo uncured=-3.11
# To 3.11 the end of an interpreter takes away what the C module keeps for all of them.
import datetime, zoneinfo
try:
    zone = zoneinfo.ZoneInfo(key='Europe/Berlin')
except zoneinfo.ZoneInfoNotFoundError:
    zone = None
assert datetime.datetime(2000, 1, 1, tzinfo=zone).utcoffset() is not None or zone is None

#: everything timeout=120
import argparse, array, ast, asyncio, base64, bz2, concurrent.futures, configparser, csv
import dataclasses, datetime, decimal, difflib, email.message, enum, fractions, hashlib, html
import http.client, inspect, io, json, logging, lzma, math, mmap, multiprocessing, pathlib, pickle
import random, re, select, socket, sqlite3, ssl, statistics, struct, subprocess, tempfile, threading
import time, traceback, typing, unicodedata, unittest.mock, urllib.request, uuid, weakref
import zipfile, zlib
assert datetime.datetime.now() and decimal.Decimal(1) / 3 and statistics.mean([1, 2])
