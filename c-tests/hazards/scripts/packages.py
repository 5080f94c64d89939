#: markupsafe package=markupsafe
# Declares that it supports a GIL for each interpreter.
import os, sys
sys.path.insert(0, os.environ['SUBPY_HAZARDS_PACKAGES'])
import markupsafe, markupsafe._speedups
assert markupsafe.escape('<é>') == '&lt;é&gt;'

#: multidict package=multidict
# So does this.
import os, sys
sys.path.insert(0, os.environ['SUBPY_HAZARDS_PACKAGES'])
import multidict, multidict._multidict
many = multidict.CIMultiDict(a=1)
many.add('A', 2)
assert many.getall('a') == [1, 2]
view = multidict.CIMultiDictProxy(many).items()
assert len(list(view)) == 2

#: xxhash package=xxhash
# And this.
import os, sys
sys.path.insert(0, os.environ['SUBPY_HAZARDS_PACKAGES'])
import xxhash
assert xxhash.xxh64(b'x', seed=1).hexdigest() == xxhash.xxh64_hexdigest(b'x', 1)

#: msgpack package=msgpack
# Knows nothing of subinterpreters, and has Python code for that case.
import os, sys
sys.path.insert(0, os.environ['SUBPY_HAZARDS_PACKAGES'])
import msgpack
assert msgpack.unpackb(msgpack.packb({'a': [1, 2.5]})) == {'a': [1, 2.5]}

#: numpy package=numpy expect=EXCEPTION type=ImportError needs=3.12 process_expect=OK
# Knows nothing of subinterpreters: refused where the GIL is not shared.
import os, sys
sys.path.insert(0, os.environ['SUBPY_HAZARDS_PACKAGES'])
import numpy

#: numpy_shared package=numpy shared expect=any
# Loads where the GIL is shared; since 2.3 in one interpreter of a process, by its own choice, and before
# with errors of its own where there are several: it keeps objects in C statics.
import os, sys
sys.path.insert(0, os.environ['SUBPY_HAZARDS_PACKAGES'])
import numpy
assert numpy.arange(10).sum() == 45
assert numpy.linalg.det(numpy.eye(3)) == 1
