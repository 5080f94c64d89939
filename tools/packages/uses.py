"""One short use of each package: its imports, and a call or two whose results are known.

A function is called as its package is, with _ for -. An assert that fails is a wrong answer.
"""

# Packages that also work without their C code, and a module of it, which the use loads where it can be had.
C_CODE = {
    "aiohttp": "aiohttp._http_parser",
    "coverage": "coverage.tracer",
    "frozenlist": "frozenlist._frozenlist",
    "immutables": "immutables._map",
    "msgpack": "msgpack._cmsgpack",
    "protobuf": "google._upb._message",
    "psycopg-binary": "psycopg_binary._psycopg",
    "pymongo": "bson._cbson",
    "rapidfuzz": "rapidfuzz.utils_cpp",
    "simplejson": "simplejson._speedups",
    "websockets": "websockets.speedups",
    "yarl": "yarl._quoting_c",
}


def numpy():
    import numpy as np

    a = np.arange(250000, dtype=float).reshape(500, 500) / 1e5
    r = a @ a
    assert r.shape == (500, 500) and abs(r[3, 4] - (a[3] * a[:, 4]).sum()) < 1e-6, r[3, 4]


def pandas():
    import pandas as pd

    df = pd.DataFrame({"k": ["a", "b", "a"], "v": [1, 2, 3]})
    r = df.groupby("k")["v"].sum().to_dict()
    assert r == {"a": 4, "b": 2}, r


def scipy():
    import numpy as np
    import scipy.optimize
    import scipy.linalg
    import scipy.sparse

    r = scipy.optimize.minimize(lambda x: ((x - 3.0) ** 2).sum(), np.zeros(4))
    assert np.allclose(r.x, 3, atol=1e-3), r.x
    m = np.eye(200) * 2
    assert np.allclose(scipy.linalg.inv(m), np.eye(200) / 2)


def scikit_learn():
    import numpy as np
    from sklearn.linear_model import LinearRegression
    from sklearn.cluster import KMeans

    x = np.arange(40.0).reshape(20, 2)
    y = x @ [1.0, 2.0] + 3
    p = LinearRegression().fit(x, y).predict(x)
    assert np.allclose(p, y), p
    k = KMeans(2, n_init=1, random_state=0).fit(x)
    assert len(set(k.labels_)) == 2


def matplotlib():
    import io
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig = plt.figure()
    fig.add_subplot().plot([1, 2, 3], [3, 1, 2])
    b = io.BytesIO()
    fig.savefig(b, format="png")
    plt.close(fig)
    assert b.getvalue()[:4] == b"\x89PNG"


def pillow():
    import io
    from PIL import Image

    im = Image.new("RGB", (64, 64), (200, 10, 30)).resize((32, 32))
    b = io.BytesIO()
    im.save(b, "PNG")
    b.seek(0)
    assert Image.open(b).getpixel((5, 5)) == (200, 10, 30)


def shapely():
    import shapely

    a = shapely.box(0, 0, 2, 2).intersection(shapely.box(1, 1, 3, 3)).area
    assert a == 1.0, a


def pyarrow():
    import pyarrow as pa
    import pyarrow.compute as pc

    t = pa.table({"k": ["a", "b", "a"], "v": [1, 2, 3]})
    r = t.group_by("k").aggregate([("v", "sum")]).to_pydict()
    assert sorted(zip(r["k"], r["v_sum"])) == [("a", 4), ("b", 2)], r
    assert pc.sum(t["v"]).as_py() == 6


def polars():
    import polars as pl

    df = pl.DataFrame({"k": ["a", "b", "a"], "v": [1, 2, 3]})
    r = df.group_by("k").agg(pl.col("v").sum()).sort("k").to_dict(as_series=False)
    assert r == {"k": ["a", "b"], "v": [4, 2]}, r


def duckdb():
    import duckdb

    c = duckdb.connect()
    r = c.execute(
        "select k, sum(v) from (values ('a',1),('b',2),('a',3)) t(k,v) group by k order by k"
    ).fetchall()
    c.close()
    assert r == [("a", 4), ("b", 2)], r


def lxml():
    from lxml import etree

    t = etree.fromstring('<a><b x="1">hi</b><b x="2">ho</b></a>')
    r = t.xpath('//b[@x="2"]/text()')
    assert r == ["ho"], r


def cryptography():
    from cryptography.fernet import Fernet

    f = Fernet(Fernet.generate_key())
    assert f.decrypt(f.encrypt(b"secret")) == b"secret"


def pydantic():
    import pydantic

    class M(pydantic.BaseModel):
        a: int
        b: list[float] = []

    m = M.model_validate({"a": "3", "b": ["1.5", 2]})
    assert (m.a, m.b) == (3, [1.5, 2.0]), m
    assert m.model_dump_json() == '{"a":3,"b":[1.5,2.0]}'


def orjson():
    import orjson

    d = {"a": [1, 2.5, None, True, "x" * 40], "b": {"c": "d"}}
    assert orjson.loads(orjson.dumps(d)) == d


def msgpack():
    import msgpack

    d = {"a": [1, 2.5, None, True], "b": b"xy"}
    assert msgpack.unpackb(msgpack.packb(d)) == d


def ujson():
    import ujson

    d = {"a": [1, 2.5, None, True], "b": "x"}
    assert ujson.loads(ujson.dumps(d)) == d


def python_rapidjson():
    import rapidjson

    d = {"a": [1, 2.5, None, True], "b": "x"}
    assert rapidjson.loads(rapidjson.dumps(d)) == d


def pysimdjson():
    import simdjson

    p = simdjson.Parser()
    r = p.parse(b'{"a":[1,2,{"b":3}]}')
    assert r.at_pointer("/a/2/b") == 3
    assert simdjson.loads("[1,2]") == [1, 2]


def msgspec():
    import msgspec

    class S(msgspec.Struct):
        a: int
        b: list[str]

    r = msgspec.json.decode(b'{"a":1,"b":["x"]}', type=S)
    assert r == S(1, ["x"]) and msgspec.json.encode(r) == b'{"a":1,"b":["x"]}'


def pyyaml():
    import yaml

    r = yaml.load("a: [1, 2]\nb: {c: d}\n", Loader=yaml.CSafeLoader)
    assert r == {"a": [1, 2], "b": {"c": "d"}}, r


def markupsafe():
    import markupsafe

    assert str(markupsafe.escape('<a&"b">')) == "&lt;a&amp;&#34;b&#34;&gt;"


def aiohttp():
    import asyncio
    import aiohttp.web

    async def go():
        async def hello(request):
            return aiohttp.web.json_response({"q": request.query["q"]})

        app = aiohttp.web.Application()
        app.router.add_get("/", hello)
        runner = aiohttp.web.AppRunner(app)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession() as s:
            async with s.get(f"http://127.0.0.1:{port}/?q=7") as r:
                v = await r.json()
        await runner.cleanup()
        return v

    v = asyncio.run(go())
    assert v == {"q": "7"}, v


def yarl():
    import yarl

    u = yarl.URL("http://example.com/a b") / "c" % {"q": "x y"}
    assert str(u) == "http://example.com/a%20b/c?q=x+y", u


def frozenlist():
    import frozenlist

    f = frozenlist.FrozenList([1, 2])
    f.append(3)
    f.freeze()
    assert list(f) == [1, 2, 3] and hash(f)


def uvloop():
    import asyncio
    import uvloop

    async def echo(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async def talk():
        await asyncio.sleep(0.001)
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hi\n")
        answer = await reader.readline()
        writer.close()
        server.close()
        return answer

    answer = uvloop.run(talk())
    assert answer == b"hi\n", answer


def httptools():
    import httptools

    class H:
        def __init__(self):
            self.url = None
            self.headers = []

        def on_url(self, u):
            self.url = u

        def on_header(self, n, v):
            self.headers.append((n, v))

    h = H()
    p = httptools.HttpRequestParser(h)
    p.feed_data(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
    assert h.url == b"/x" and h.headers == [(b"Host", b"a")] and p.get_method() == b"GET"


def cffi():
    import cffi

    ffi = cffi.FFI()
    ffi.cdef("size_t strlen(const char *); int abs(int);")
    c = ffi.dlopen(None)
    assert c.strlen(b"hello") == 5 and c.abs(-3) == 3
    p = ffi.new("int[4]", [1, 2, 3, 4])
    assert sum(p) == 10


def psutil():
    import os
    import psutil

    p = psutil.Process()
    assert p.pid == os.getpid() and p.memory_info().rss > 0 and psutil.cpu_count() >= 1
    assert psutil.virtual_memory().total > 0


def greenlet():
    import greenlet

    out = []

    def f():
        out.append(1)
        g2.switch()
        out.append(3)

    def g():
        out.append(2)
        g1.switch()

    g1 = greenlet.greenlet(f)
    g2 = greenlet.greenlet(g)
    g1.switch()
    assert out == [1, 2, 3], out


def gevent():
    import gevent

    def f(n):
        gevent.sleep(0.001)
        return n * n

    js = [gevent.spawn(f, n) for n in range(5)]
    gevent.joinall(js, timeout=10)
    assert [j.value for j in js] == [0, 1, 4, 9, 16], [j.value for j in js]


def regex():
    import regex

    assert regex.findall(r"\p{Lu}(?P<r>a+)", "Xaa ya Zaaa") == ["aa", "aaa"]
    assert regex.fullmatch(r"(?:cats|cat){e<=1}", "cet")


def zstandard():
    import zstandard

    d = b"hello " * 1000
    c = zstandard.ZstdCompressor(level=3).compress(d)
    assert len(c) < 100 and zstandard.ZstdDecompressor().decompress(c) == d


def lz4():
    import lz4.frame
    import lz4.block

    d = b"hello " * 1000
    assert lz4.frame.decompress(lz4.frame.compress(d)) == d
    assert lz4.block.decompress(lz4.block.compress(d)) == d


def brotli():
    import brotli

    d = b"hello " * 1000
    assert brotli.decompress(brotli.compress(d)) == d


def blosc2():
    import blosc2

    d = bytes(range(256)) * 4000
    c = blosc2.compress2(d)
    assert len(c) < len(d) and bytes(blosc2.decompress2(c)) == d


def xxhash():
    import xxhash

    assert xxhash.xxh64(b"abc").hexdigest() == "44bc2cf5ad770999"


def mmh3():
    import mmh3

    assert mmh3.hash("foo") == -156908512
    h = mmh3.mmh3_x64_128(b"foo")
    h.update(b"bar")
    assert len(h.digest()) == 16


def pycryptodome():
    from Crypto.Cipher import AES
    from Crypto.Hash import SHA256

    k = b"0" * 16
    e = AES.new(k, AES.MODE_GCM, nonce=b"1" * 12)
    c, t = e.encrypt_and_digest(b"secret")
    assert AES.new(k, AES.MODE_GCM, nonce=b"1" * 12).decrypt_and_verify(c, t) == b"secret"
    assert SHA256.new(b"abc").hexdigest().startswith("ba7816bf")


def pynacl():
    import nacl.secret
    import nacl.utils
    import nacl.signing

    b = nacl.secret.SecretBox(nacl.utils.random(32))
    assert b.decrypt(b.encrypt(b"secret")) == b"secret"
    k = nacl.signing.SigningKey.generate()
    assert k.verify_key.verify(k.sign(b"m")) == b"m"


def bcrypt():
    import bcrypt

    h = bcrypt.hashpw(b"pw", bcrypt.gensalt(4))
    assert bcrypt.checkpw(b"pw", h) and not bcrypt.checkpw(b"no", h)


def argon2_cffi():
    import argon2

    p = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=2)
    assert p.verify(p.hash("pw"), "pw")


def psycopg2_binary():
    import psycopg2
    import psycopg2.extensions

    a = psycopg2.extensions.adapt([1, "x", None]).getquoted()
    assert a == b"ARRAY[1,'x',NULL]", a
    assert psycopg2.extensions.parse_dsn("host=a port=5") == {"host": "a", "port": "5"}
    try:
        psycopg2.connect(host="/nonexistent")
        raise AssertionError("connected")
    except psycopg2.OperationalError:
        pass


def psycopg_binary():
    import psycopg
    import psycopg.adapt
    from psycopg import sql

    t = psycopg.adapt.Transformer()
    d = t.get_dumper(42, psycopg.adapt.PyFormat.TEXT)
    assert bytes(d.dump(42)) == b"42"
    assert sql.SQL("select {}").format(sql.Literal("x")).as_string(None) == "select 'x'"
    try:
        psycopg.connect("host=/nonexistent")
        raise AssertionError("connected")
    except psycopg.OperationalError:
        pass


def asyncpg():
    import asyncio
    import asyncpg

    async def go():
        try:
            await asyncpg.connect(host="/nonexistent", user="u", database="d", timeout=5)
        except (OSError, asyncpg.PostgresError) as e:
            return type(e).__name__

    assert asyncio.run(go()) is not None


def pymongo():
    import bson
    import pymongo

    d = {"a": [1, 2.5, None], "b": bson.ObjectId(b"123456789012")}
    assert bson.decode(bson.encode(d)) == d
    c = pymongo.MongoClient("localhost", 1, connect=False)
    n = c.db.x.name
    c.close()
    assert n == "x"


def grpcio():
    import grpc
    from concurrent import futures

    class H(grpc.GenericRpcHandler):
        def service(self, d):
            if d.method == "/s/m":
                return grpc.unary_unary_rpc_method_handler(lambda q, c: q[::-1])

    srv = grpc.server(futures.ThreadPoolExecutor(2), handlers=[H()])
    port = srv.add_insecure_port("127.0.0.1:0")
    srv.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as ch:
        r = ch.unary_unary("/s/m")(b"abc", timeout=10)
    srv.stop(0).wait()
    assert r == b"cba", r


def protobuf():
    from google.protobuf import struct_pb2, json_format

    s = struct_pb2.Struct()
    s.update({"a": 1, "b": ["x", True]})
    t = struct_pb2.Struct.FromString(s.SerializeToString())
    assert json_format.MessageToDict(t) == {"a": 1.0, "b": ["x", True]}


def sqlalchemy():
    import sqlalchemy as sa

    e = sa.create_engine("sqlite://")
    m = sa.MetaData()
    t = sa.Table("t", m, sa.Column("a", sa.Integer), sa.Column("b", sa.String))
    m.create_all(e)
    with e.begin() as c:
        c.execute(t.insert(), [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
        r = c.execute(sa.select(t.c.b).where(t.c.a == 2)).all()
    e.dispose()
    assert r == [("y",)], r


def tokenizers():
    from tokenizers import Tokenizer, models, trainers, pre_tokenizers

    t = Tokenizer(models.BPE(unk_token="[UNK]"))
    t.pre_tokenizer = pre_tokenizers.Whitespace()
    t.train_from_iterator(
        ["low lower lowest", "new newer newest"] * 20,
        trainers.BpeTrainer(vocab_size=60, special_tokens=["[UNK]"], show_progress=False),
    )
    r = t.encode_batch(["low new", "newest lowest"] * 8)
    assert t.decode(r[0].ids).replace(" ", "") == "lownew", t.decode(r[0].ids)


def tiktoken():
    import tiktoken

    ranks = {bytes([i]): i for i in range(256)}
    ranks[b"he"] = 256
    ranks[b"ll"] = 257
    ranks[b"hell"] = 258
    e = tiktoken.Encoding(
        "mine", pat_str=r"\w+|\s+|[^\w\s]+", mergeable_ranks=ranks, special_tokens={"<end>": 300}
    )
    assert e.decode(e.encode("hello hell")) == "hello hell" and 258 in e.encode("hell")


def safetensors():
    import safetensors.numpy
    import numpy as np

    b = safetensors.numpy.save({"a": np.arange(6, dtype=np.float32).reshape(2, 3)})
    r = safetensors.numpy.load(b)
    assert r["a"].shape == (2, 3) and r["a"][1, 2] == 5


def rpds_py():
    import rpds

    m = rpds.HashTrieMap({"a": 1})
    n = m.insert("b", 2)
    assert dict(n) == {"a": 1, "b": 2} and "b" not in m


def watchfiles():
    import os
    import tempfile
    import watchfiles

    with tempfile.TemporaryDirectory() as folder:
        looks = watchfiles.watch(folder, rust_timeout=100, debounce=100, yield_on_timeout=True)
        next(looks)
        open(os.path.join(folder, "x"), "w").close()
        for seen, _ in zip(looks, range(40)):
            if seen:
                break
        assert any(path.endswith("x") for _, path in seen), seen


def jiter():
    import jiter

    assert jiter.from_json(b'{"a":[1,2.5,null,true]}') == {"a": [1, 2.5, None, True]}


def kiwisolver():
    import kiwisolver

    x, y = kiwisolver.Variable("x"), kiwisolver.Variable("y")
    s = kiwisolver.Solver()
    s.addConstraint(x + y == 10)
    s.addConstraint(x == 4)
    s.updateVariables()
    assert y.value() == 6


def contourpy():
    import contourpy

    g = contourpy.contour_generator(z=[[0, 1, 2], [1, 2, 3], [2, 3, 4]])
    l = g.lines(1.5)
    assert len(l) == 1 and l[0].shape[1] == 2


def pyproj():
    import pyproj

    x, y = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform(10, 50)
    assert abs(x - 1113194.9) < 1 and abs(y - 6446275.8) < 1, (x, y)


def h5py():
    import h5py
    import numpy as np

    f = h5py.File("x.h5", "w", driver="core", backing_store=False)
    f["a"] = np.arange(1000.0)
    f["a"].attrs["u"] = "m"
    assert f["a"][10] == 10 and f["a"].attrs["u"] == "m"
    f.close()


def numba():
    import numba
    import numpy as np

    @numba.njit
    def s(a):
        t = 0.0
        for v in a:
            t += v
        return t

    assert s(np.arange(10.0)) == 45


def numexpr():
    import numexpr
    import numpy as np

    a = np.arange(1e5)
    r = numexpr.evaluate("a * 2 + 1")
    assert r[100] == 201 and r.shape == a.shape


def wrapt():
    import wrapt

    @wrapt.decorator
    def d(w, i, a, k):
        return w(*a, **k) + 1

    @d
    def f(x):
        return x * 2

    assert f(3) == 7 and wrapt.ObjectProxy([1, 2])[1] == 2


def immutables():
    import immutables

    m = immutables.Map({"a": 1})
    n = m.set("b", 2)
    assert dict(n) == {"a": 1, "b": 2} and "b" not in m


def pyzmq():
    import zmq

    c = zmq.Context()
    a = c.socket(zmq.PAIR)
    a.bind("inproc://x")
    b = c.socket(zmq.PAIR)
    b.connect("inproc://x")
    a.send(b"hi")
    assert b.poll(5000) and b.recv() == b"hi"
    a.close()
    b.close()
    c.term()


def setproctitle():
    import setproctitle

    setproctitle.setproctitle("hello")
    assert setproctitle.getproctitle() == "hello", setproctitle.getproctitle()


def onnxruntime():
    import numpy as np
    import onnxruntime

    # A model of one node, z = x + y, written as protobuf does.
    def number(n):
        head = b""
        while n > 127:
            head += bytes([n & 127 | 128])
            n >>= 7
        return head + bytes([n])

    def field_of(tag, value):
        if isinstance(value, int):
            return number(tag << 3) + number(value)
        return number(tag << 3 | 2) + number(len(value)) + value

    def tensor(name):
        shape = field_of(1, field_of(1, 3))
        return field_of(1, name) + field_of(2, field_of(1, field_of(1, 1) + field_of(2, shape)))

    node = field_of(1, b"x") + field_of(1, b"y") + field_of(2, b"z") + field_of(4, b"Add")
    graph = field_of(1, node) + field_of(2, b"sum")
    graph += field_of(11, tensor(b"x")) + field_of(11, tensor(b"y")) + field_of(12, tensor(b"z"))
    model = field_of(1, 8) + field_of(7, graph) + field_of(8, field_of(2, 13))
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    x = np.array([1, 2, 3], np.float32)
    (z,) = session.run(None, {"x": x, "y": np.ones(3, np.float32)})
    assert z.tolist() == [2, 3, 4], z


def opencv_python_headless():
    import cv2
    import numpy as np

    im = np.full((256, 256, 3), 77, np.uint8)
    o = cv2.GaussianBlur(cv2.resize(im, (512, 512)), (5, 5), 0)
    ok, b = cv2.imencode(".png", o)
    assert ok and (cv2.imdecode(b, 1) == 77).all()


def xgboost():
    import numpy as np
    import xgboost

    x = np.arange(400.0).reshape(200, 2)
    y = (x[:, 0] > 200).astype(int)
    b = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 2, "verbosity": 0},
        xgboost.DMatrix(x, label=y),
        5,
    )
    p = b.predict(xgboost.DMatrix(x))
    assert ((p > 0.5) == y).all()


def hiredis():
    import hiredis

    r = hiredis.Reader()
    r.feed(b"*2\r\n$2\r\nhi\r\n:7\r\n")
    assert r.gets() == [b"hi", 7]
    assert hiredis.pack_command(("GET", "a")) == b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n"


def oracledb():
    import oracledb

    p = oracledb.ConnectParams(host="localhost", port=1, service_name="x")
    assert "SERVICE_NAME=x" in p.get_connect_string()
    try:
        oracledb.connect(user="u", password="p", dsn="127.0.0.1:1/x", tcp_connect_timeout=2)
        raise AssertionError("connected")
    except oracledb.Error:
        pass


def apsw():
    import apsw

    c = apsw.Connection(":memory:")
    c.execute("create table t(a, b)")
    c.executemany("insert into t values(?, ?)", [(1, "x"), (2, "y")])
    c.create_scalar_function("twice", lambda v: v * 2)
    r = c.execute("select twice(a), b from t order by a").fetchall()
    c.close()
    assert r == [(2, "x"), (4, "y")], r


def lmdb():
    import tempfile
    import lmdb

    with tempfile.TemporaryDirectory() as d:
        e = lmdb.open(d, map_size=1 << 20)
        with e.begin(write=True) as t:
            t.put(b"k", b"v")
        with e.begin() as t:
            assert t.get(b"k") == b"v"
        e.close()


def cbor2():
    import cbor2

    d = {"a": [1, 2.5, None, True], "b": b"xy"}
    assert cbor2.loads(cbor2.dumps(d)) == d


def pybase64():
    import pybase64

    assert pybase64.b64decode(pybase64.b64encode(b"hello")) == b"hello"
    assert pybase64.get_version()


def rapidfuzz():
    from rapidfuzz import fuzz, process

    assert fuzz.ratio("hello", "hallo") == 80
    assert process.extractOne("appel", ["apple", "pear"])[0] == "apple"


def blake3():
    import blake3

    assert blake3.blake3(b"").hexdigest().startswith("af1349b9")
    assert len(blake3.blake3(b"x" * (1 << 20), max_threads=blake3.blake3.AUTO).digest()) == 32


def selectolax():
    from selectolax.lexbor import LexborHTMLParser

    t = LexborHTMLParser('<div><p class="a">hi</p></div>')
    assert t.css_first("p.a").text() == "hi"


def tree_sitter():
    import tree_sitter
    import tree_sitter_python

    p = tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()))
    t = p.parse(b"def f(): pass")
    assert t.root_node.type == "module" and t.root_node.children[0].type == "function_definition"


def pygit2():
    import tempfile
    import pygit2

    with tempfile.TemporaryDirectory() as d:
        r = pygit2.init_repository(d, bare=True)
        o = r.create_blob(b"hello")
        assert str(o) == "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0" and r[o].data == b"hello"


def black():
    import black

    assert black.format_str("x = {  'a':1}", mode=black.Mode()) == 'x = {"a": 1}\n'


def charset_normalizer():
    import charset_normalizer

    r = charset_normalizer.from_bytes(
        "Привет, мир, как дела сегодня? Всё хорошо.".encode("utf-8")
    ).best()
    assert str(r).startswith("Привет"), r


def bitarray():
    import bitarray
    import bitarray.util

    a = bitarray.bitarray("1101")
    a.extend("00")
    assert a.count() == 3 and bitarray.util.ba2int(a) == 0b110100


def gmpy2():
    import gmpy2

    assert gmpy2.mpz(2) ** 200 % 1000007 == pow(2, 200, 1000007) and gmpy2.is_prime(
        gmpy2.mpz(2) ** 127 - 1
    )
    assert str(gmpy2.sqrt(2)).startswith("1.414")


def pymupdf():
    import pymupdf

    d = pymupdf.open()
    p = d.new_page()
    p.insert_text((72, 72), "hello pdf")
    b = d.tobytes()
    d.close()
    e = pymupdf.open("pdf", b)
    t = e[0].get_text()
    e.close()
    assert "hello pdf" in t, t


def pikepdf():
    import io
    import pikepdf

    p = pikepdf.new()
    p.add_blank_page(page_size=(100, 100))
    b = io.BytesIO()
    p.save(b)
    p.close()
    b.seek(0)
    with pikepdf.open(b) as q:
        assert len(q.pages) == 1


def soundfile():
    import io
    import numpy as np
    import soundfile

    b = io.BytesIO()
    soundfile.write(b, np.sin(np.arange(800) / 10), 8000, format="WAV")
    b.seek(0)
    d, sr = soundfile.read(b)
    assert sr == 8000 and len(d) == 800 and abs(d[5] - np.sin(0.5)) < 1e-3


def websockets():
    import asyncio
    from websockets.asyncio.client import connect
    from websockets.asyncio.server import serve

    async def echo(socket):
        async for message in socket:
            await socket.send(message[::-1])

    async def talk():
        async with serve(echo, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with connect(f"ws://127.0.0.1:{port}", proxy=None) as socket:
                await socket.send("abc")
                return await socket.recv()

    answer = asyncio.run(talk())
    assert answer == "cba", answer


def coverage():
    import os
    import tempfile
    import coverage

    with tempfile.TemporaryDirectory() as d:
        f = os.path.join(d, "covmod_t.py")
        with open(f, "w") as o:
            o.write("def f(x):\n    if x:\n        return 1\n    return 2\nf(1)\n")
        c = coverage.Coverage(data_file=None, include=[f], config_file=False)
        c.start()
        try:
            exec(compile(open(f).read(), f, "exec"), {})
        finally:
            c.stop()
        _, s, _, m, _ = c.analysis2(f)
        assert m == [4], (s, m)


def pyinstrument():
    import pyinstrument

    p = pyinstrument.Profiler(interval=0.001, async_mode="disabled")
    p.start()
    t = 0
    for i in range(2000000):
        t += i
    p.stop()
    assert "Program" in p.output_text() or p.last_session.duration > 0


def sentencepiece():
    import io
    import sentencepiece

    m = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(
            ["hello world how are you", "hello there big world", "you are how big"] * 20
        ),
        model_writer=m,
        vocab_size=20,
        minloglevel=2,
    )
    s = sentencepiece.SentencePieceProcessor(model_proto=m.getvalue())
    assert s.decode(s.encode("hello world")) == "hello world"


def mujoco():
    import mujoco

    m = mujoco.MjModel.from_xml_string(
        '<mujoco><worldbody><body pos="0 0 1"><freejoint/><geom size=".1"/></body></worldbody></mujoco>'
    )
    d = mujoco.MjData(m)
    for _ in range(100):
        mujoco.mj_step(m, d)
    assert 0.7 < d.qpos[2] < 0.9, d.qpos


def pyclipper():
    import pyclipper

    p = pyclipper.Pyclipper()
    p.AddPath([(0, 0), (20, 0), (20, 20), (0, 20)], pyclipper.PT_SUBJECT, True)
    p.AddPath([(10, 10), (30, 10), (30, 30), (10, 30)], pyclipper.PT_CLIP, True)
    r = p.Execute(pyclipper.CT_INTERSECTION)
    assert abs(pyclipper.Area(r[0])) == 100, r


def cython():
    import os
    import tempfile
    from Cython.Compiler.Main import compile as cyc, CompilationOptions

    with tempfile.TemporaryDirectory() as d:
        f = os.path.join(d, "cm.pyx")
        with open(f, "w") as o:
            o.write("def f(int x): return x + 1\n")
        r = cyc(f, CompilationOptions(output_file=os.path.join(d, "cm.c"), language_level=3))
        r = r if hasattr(r, "num_errors") else next(iter(r.values()))
        assert r.num_errors == 0 and os.path.getsize(os.path.join(d, "cm.c")) > 10000


def mypy():
    import tempfile
    import mypy.api

    with tempfile.TemporaryDirectory() as d:
        r = mypy.api.run(["--cache-dir", d, "--no-incremental", "-c", 'x: int = "s"'])
    assert "Incompatible types in assignment" in r[0], r


def simplejson():
    import simplejson

    d = {"a": [1, 2.5, None, True], "b": "x"}
    assert simplejson.loads(simplejson.dumps(d)) == d


def lupa():
    import lupa

    l = lupa.LuaRuntime()
    assert (
        l.eval("1+2") == 3
        and l.eval("function(f, n) return f(n) * 2 end")(lambda x: x + 1, 4) == 10
    )


def pyodbc():
    import pyodbc

    assert isinstance(pyodbc.drivers(), list) and isinstance(pyodbc.dataSources(), dict)


def python_snappy():
    import snappy

    d = b"hello " * 1000
    assert snappy.decompress(snappy.compress(d)) == d
