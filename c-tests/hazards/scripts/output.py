#: closed after=any
import sys
sys.stdout.close()
sys.stderr.close()

#: closed_then_print expect=EXCEPTION type=ValueError
import sys
sys.stdout.close()
print('lost')

#: buffer_closed
import sys
sys.stdout.buffer.close()

#: detached
import sys
kept = sys.stdout.detach()

#: none
import sys
sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None
print('lost')

#: none_then_error expect=EXCEPTION type=ZeroDivisionError
import sys
sys.stdout = sys.stderr = None
1 / 0

#: deleted expect=EXCEPTION
import sys
del sys.stdout, sys.stderr
print('lost')

#: write_raises expect=EXCEPTION type=ZeroDivisionError
import sys

class Broken:
    def write(self, text):
        1 / 0

    flush = write

sys.stdout = sys.stderr = Broken()
print('lost')

#: flush_raises
import sys

class Broken:
    def write(self, text):
        return len(text)

    def flush(self):
        raise SystemExit(3)

sys.stdout = sys.stderr = Broken()
print('lost')

#: write_recurses expect=EXCEPTION type=RecursionError
import sys

class Recurses:
    def write(self, text):
        print(text)

sys.stdout = Recurses()
print('lost')

#: write_exits expect=EXIT
import sys

class Exits:
    def write(self, text):
        raise SystemExit(3)

sys.stdout = sys.stderr = Exits()
print('lost')

#: much output=104857600
for _ in range(100):
    print('x' * (1024 * 1024 - 1))

#: much_in_one output=104857600
import sys
sys.stdout.write('x' * (100 * 1024 * 1024))

#: much_in_small_pieces output=1000000
import sys
for _ in range(1_000_000):
    sys.stdout.write('x')

#: invalid expect=EXCEPTION type=ValueError
import sys
print('\ud800\udfff')
sys.stdout.buffer.write(bytes(range(256)))

#: half_a_character
import sys
sys.stdout.buffer.write('€'.encode()[:2])

#: closed_pipe process closed expect=EXCEPTION type=BrokenPipeError
# Nobody reads the process's stdout any more: SIGPIPE.
print('x' * 100, flush=True)

#: closed_pipe_at_end process closed expect=any
import sys
sys.stdout.write('x')

#: closed_socket ignore_sigpipe expect=EXCEPTION type=BrokenPipeError
import socket
a, b = socket.socketpair()
b.close()
a.send(b'x')

#: closed_descriptor ignore_sigpipe expect=EXCEPTION type=BrokenPipeError
import os
a, b = os.pipe()
os.close(a)
os.write(b, b'x')

#: file_too_large ignore_sigpipe expect=EXCEPTION type=OSError
import resource, tempfile
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
with tempfile.TemporaryFile(buffering=0) as f:
    while True:
        f.write(b'x' * 999)

#: descriptor_closed process expect=any
import os
kept = os.dup(1)
os.close(1)
try:
    print('lost')
finally:
    os.dup2(kept, 1)

#: replaced_by_file
import io, sys
sys.stdout = io.StringIO()
print('kept')

#: written_by_many_threads output=40000
import threading

def work():
    for _ in range(1000):
        print('123456789')

threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

#: reconfigured expect=EXCEPTION type=ValueError
import sys
sys.stdout.reconfigure(encoding='utf-16', errors='strict', line_buffering=False)
print('€')

#: stdin
import sys
sys.stdin.fileno()
sys.stdin.close()
