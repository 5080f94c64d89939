#: python expect=EXCEPTION type=RecursionError
def f():
    return f()

f()

#: python_unlimited expect=EXCEPTION
# The limit that a script may lift: before 3.14 Python code called by Python code uses no C stack.
import sys
if sys.version_info >= (3, 12) or sys.version_info < (3, 11):
    sys.setrecursionlimit(20_000)
else:
    sys.setrecursionlimit(50_000)

def f():
    return f()

f()

#: unlimited uncured=-3.10 expect=EXCEPTION type=ZeroDivisionError
# The traceback has a million frames.
import sys
sys.setrecursionlimit(10 ** 8)

def f(n):
    if n == 0:
        1 / 0
    f(n - 1)

f(100_000 if sys.version_info < (3, 11) else 1_000_000)

#: unlimited_through_c needs=3.12 expect=EXCEPTION
import sys
sys.setrecursionlimit(10 ** 8)

class A:
    def __getattr__(self, name):
        return getattr(self, name)

A().x

#: getattr expect=EXCEPTION
class A:
    def __getattr__(self, name):
        return getattr(self, name)

A().x

#: repr expect=EXCEPTION
x = []
for _ in range(100_000):
    x = [x]
repr(x)

#: compare expect=EXCEPTION
a, b = [], []
for _ in range(100_000):
    a, b = [a], [b]
a == b

#: hash expect=any
x = ()
for _ in range(100_000):
    x = (x,)
hash(x)

#: json expect=EXCEPTION
import json
json.loads('[' * 100_000)

#: json_dump expect=EXCEPTION
import json
x = []
for _ in range(100_000):
    x = [x]
json.dumps(x)

#: pickle expect=EXCEPTION
import pickle
x = []
for _ in range(100_000):
    x = [x]
pickle.dumps(x)

#: marshal expect=EXCEPTION
import marshal
x = []
for _ in range(100_000):
    x = [x]
marshal.dumps(x)

#: copy expect=EXCEPTION
import copy
x = []
for _ in range(100_000):
    x = [x]
copy.deepcopy(x)

#: ast expect=EXCEPTION
import ast
ast.literal_eval('-' * 100_000 + '1')

#: ast_tree expect=EXCEPTION
import ast
node = ast.Constant(1)
for _ in range(100_000):
    node = ast.UnaryOp(ast.USub(), node)
compile(ast.fix_missing_locations(ast.Expression(ast.Constant(1))), '', 'eval')
compile(ast.Expression(node), '', 'eval')

#: parentheses expect=EXCEPTION
eval('(' * 10_000 + ')' * 10_000)

#: many_parentheses expect=EXCEPTION
eval('(' * 100_000 + ')' * 100_000)

#: brackets expect=EXCEPTION
eval('[' * 150 + ']' * 150) if False else eval('[' * 100_000)

#: operators expect=EXCEPTION
eval('+'.join(['1'] * 100_000)) and eval('-' * 1_000_000 + '1')

#: attributes expect=EXCEPTION
eval('x' + '.x' * 100_000)

#: calls expect=EXCEPTION
eval('f' + '()' * 100_000)

#: lambdas expect=EXCEPTION
eval('lambda: ' * 50_000 + '1')

#: blocks expect=EXCEPTION
exec(''.join(' ' * n + 'if 1:\n' for n in range(5_000)) + ' ' * 5_000 + 'pass')

#: elifs expect=any
exec('if 0: pass\n' + 'elif 0: pass\n' * 20_000)

#: f_strings expect=any
text = '1'
for _ in range(100):
    text = "f'{" + text + "}'"
eval(text)

#: exec_nested expect=EXCEPTION
code = 'exec(code)'
exec(code)

#: eval_nested expect=EXCEPTION
code = 'eval(code)'
eval(code)

#: sort expect=EXCEPTION type=RecursionError
class A:
    def __lt__(self, other):
        return sorted([A(), A()])[0] is self

sorted([A(), A()])

#: chain_dealloc
import itertools
x = iter([1])
for _ in range(100_000):
    x = itertools.chain(x)
del x

#: regex expect=any
import re
re.match('(?:x|y)*$', 'x' * 1_000_000)
re.compile('(' * 5_000 + ')' * 5_000)

#: xml expect=any
import xml.etree.ElementTree as tree
tree.fromstring('<a>' * 50_000 + '</a>' * 50_000)

#: isinstance expect=any
x = int
for _ in range(100_000):
    x = x, str
isinstance([], x)

#: subclass expect=any
class A:
    pass

for _ in range(500):
    A = type('A', (A,), {})
A.missing = 1

#: partial expect=any
import functools
x = len
for _ in range(100_000):
    x = [functools.partial(x)]
    x = functools.partial(x[0].__call__)
x('')

#: property expect=EXCEPTION
class A:
    @property
    def x(self):
        return self.x

A().x

#: generator expect=EXCEPTION
def f():
    yield from f()

next(f())

#: iter expect=EXCEPTION
class A:
    def __iter__(self):
        return iter(self)

iter(A())

#: format expect=EXCEPTION
class A:
    def __format__(self, spec):
        return format(self, spec)

format(A())

#: import_nested expect=EXCEPTION
import os, sys, tempfile
place = tempfile.mkdtemp()
for n in range(2_000):
    with open(os.path.join(place, f'm{n}.py'), 'w') as file:
        file.write(f'import m{n + 1}\n')
sys.dont_write_bytecode = True
sys.path.insert(0, place)
try:
    import m0
finally:
    import shutil
    shutil.rmtree(place)

#: caught_again_and_again
def f():
    try:
        f()
    except RecursionError:
        pass

f()

#: caught_deep expect=any timeout=30
# A finally at each level.
def f(n):
    try:
        f(n + 1)
    finally:
        len('')

f(0)
