// Memory that C++ and Python share.

#include "cpp_support.hpp"

#include <array>
#include <memory>
#include <numeric>
#include <vector>

#ifdef __cpp_lib_span
#include <span>
static_assert(std::is_convertible_v<subpy::Span<const int>, std::span<const int>>);
static_assert(std::is_convertible_v<subpy::Span<int>, std::span<int>>);
static_assert(std::is_convertible_v<std::span<int>, subpy::Span<const int>>);
static_assert(!std::is_convertible_v<std::span<const int>, subpy::Span<int>>);
#endif
static_assert(std::is_convertible_v<std::vector<int> &, subpy::Span<const int>>);
static_assert(std::is_convertible_v<subpy::Span<int>, subpy::Span<const int>>);
static_assert(!std::is_convertible_v<subpy::Span<const int>, subpy::Span<int>>);
static_assert(!std::is_convertible_v<std::vector<int> &, subpy::Span<const long>>);
static_assert(!std::is_copy_constructible_v<subpy::PinnedBuffer>);
static_assert(std::is_nothrow_move_constructible_v<subpy::PinnedBuffer>);

/// Memory that counts how often it was released.
struct Memory {
  std::vector<double> data = std::vector<double>(1000, 0.5);
  int releases = 0;

  subpy::HostBuffer buffer() {
    return subpy::HostBuffer(subpy::Span<const double>(data), [this] { ++releases; });
  }
};

TEST_CASE("a span") {
  int numbers[] = {1, 2, 3};
  const subpy::Span<int> span(numbers);
  CHECK(span.size() == 3);
  CHECK(std::accumulate(span.begin(), span.end(), 0) == 6);
  span[0] = 5;
  CHECK(numbers[0] == 5);
  CHECK(subpy::as_bytes(span).size() == sizeof numbers);
  CHECK(subpy::Span<int>().empty());
  std::vector<int> vector{1, 2};
  subpy::as_writable_bytes(vector)[0] = std::byte{3};
  CHECK(vector[0] == 3);
}

// From the host to Python. ------------------------------------------------------------------------

TEST_CASE("host memory is a memoryview, and released once") {
  Memory memory;
  subpy::Interpreter python;
  python.set("m", memory.buffer());
  python.run("assert type(m) is memoryview and m.format == 'd' and m.readonly\n"
             "assert m.shape == (1000,) and sum(m) == 500.0\n"
             "part = m[10:]\n"
             "del m\n");
  CHECK(memory.releases == 0);
  python.run("del part");
  CHECK(memory.releases == 1);
}

TEST_CASE("the items are those of the C++ type") {
  subpy::Interpreter python;
  const auto format = [&](auto item) {
    python.set("m", subpy::HostBuffer(std::vector<decltype(item)>{item, item}));
    CHECK(python.eval<std::size_t>("m.itemsize") == sizeof item);
    CHECK(python.eval<int>("len(m)") == 2);
    return python.eval<std::string>("m.format");
  };
  CHECK(format(std::byte{}) == "B");
  CHECK(format(std::int8_t{}) == "b");
  CHECK(format(std::uint16_t{}) == "H");
  CHECK(format(std::int32_t{}) == "i");
  CHECK(format(1L) == "q");
  CHECK(format(1ULL) == "Q");
  CHECK(format(1.0F) == "f");
  CHECK(format(1.0) == "d");
}

TEST_CASE("what is not const may be written to, unless it is read-only") {
  subpy::Interpreter python;
  const auto pixels = std::make_shared<std::vector<std::uint8_t>>(6);
  python.set("m", subpy::HostBuffer(pixels).shape({2, 3}));
  python.run("assert m.shape == (2, 3)\nm[1, 2] = 7");
  CHECK(pixels->back() == 7);
  CHECK(pixels.use_count() == 2);
  python.run("del m");
  CHECK(pixels.use_count() == 1);
  python.set("m", subpy::HostBuffer(pixels).read_only());
  CHECK(error_of([&] { python.run("m[0] = 1"); }).type() == "TypeError");
  python.set("m", subpy::HostBuffer(std::shared_ptr<const std::vector<std::uint8_t>>(pixels)));
  CHECK(error_of([&] { python.run("m[0] = 1"); }).type() == "TypeError");
}

TEST_CASE("a format of the host's own") {
  struct Item {
    std::int32_t number;
    float weight;
  };
  std::vector<Item> items{{1, 0.5F}, {2, 1.5F}};
  subpy::Interpreter python;
  python.set("m", subpy::HostBuffer(subpy::as_bytes(items)).format("if", sizeof(Item)));
  python.run("import struct\n"
             "assert len(m) == 2 and list(struct.iter_unpack('if', m.cast('B'))) == "
             "[(1, 0.5), (2, 1.5)]\n"
             "del m\n");
}

TEST_CASE("many interpreters share it, as long as the last one needs it") {
  Memory memory;
  subpy::Interpreter a, b;
  {
    const subpy::HostBuffer buffer = memory.buffer();
    a.set("m", buffer);
    b.set("m", buffer);
    a.set("again", std::vector<subpy::HostBuffer>{buffer, buffer});
  }
  a.run("del m, again");
  CHECK(memory.releases == 0);
  CHECK(b.eval<double>("sum(m)") == 500);
  b.destroy();
  CHECK(memory.releases == 1);
}

TEST_CASE("it is released if there never was a view, and stays the host's while the host has it") {
  Memory memory;
  subpy::Interpreter python;
  CHECK(status_of([&] { python.set("no name", memory.buffer()); }) == SUBPY_ERR_INVALID_ARGUMENT);
  CHECK(memory.releases == 1);
  CHECK(status_of([&] { python.call("nope", memory.buffer(), "\xff"); }) != SUBPY_OK);
  CHECK(memory.releases == 2);
  CHECK(status_of([&] { python.set(std::string("a\0b", 3), memory.buffer()); }) ==
        SUBPY_ERR_INVALID_ARGUMENT);
  CHECK(memory.releases == 3);
  const subpy::HostBuffer kept = memory.buffer();
  python.set("m", kept);
  python.run("del m");
  CHECK(memory.releases == 3);
  const subpy::HostBuffer wrong = subpy::HostBuffer(kept).shape({3, 5});
  CHECK(contains(error_of([&] { python.set("m", wrong); }).message(), "buffer of 8000 bytes"));
}

TEST_CASE("a release may use other interpreters") {
  subpy::Interpreter python, other;
  python.set("m", subpy::HostBuffer(subpy::Bytes(), [&] { other.run("released = 1"); }));
  python.run("del m");
  CHECK(other.get<int>("released") == 1);
}

TEST_CASE("it may be an argument, a result of a host function, a part of something") {
  Memory memory;
  subpy::Interpreter python;
  python.run("def f(m, *, k): return m[0] + len(k['m'])");
  CHECK(python.call<double>("f", memory.buffer(),
                            subpy::kw("k", std::map<std::string, subpy::HostBuffer>{
                                               {"m", memory.buffer()}})) == 1000.5);
  CHECK(memory.releases == 2);
  python.define("host", "frame", [&] { return memory.buffer(); });
  python.run("import host\nassert host.frame()[999] == 0.5");
  CHECK(memory.releases == 3);
  CHECK(subpy::Value(memory.buffer()).kind() == SUBPY_BYTES); // a Value has a copy
  CHECK(memory.releases == 4);
}

// From Python to the host. ------------------------------------------------------------------------

TEST_CASE("memory of a Python object is pinned, and let go of") {
  subpy::Interpreter python;
  python.run("data = bytearray(b'abc')");
  auto pinned = python.get<subpy::PinnedBuffer>("data");
  CHECK(pinned.size() == 3);
  CHECK(pinned.writable());
  CHECK(pinned.format() == "B");
  CHECK(pinned.item_size() == 1);
  CHECK(pinned.strides().empty());
  CHECK(error_of([&] { python.run("data.append(1)"); }).type() == "BufferError");
  CHECK(status_of([&] { python.destroy(); }) == SUBPY_ERR_BUSY);
  pinned.as<std::uint8_t>()[0] = 'x';
  CHECK(python.eval<std::vector<std::byte>>("data")[0] == std::byte{'x'});
  SUBCASE("by reset") {
    pinned.reset();
    CHECK_FALSE(pinned);
    CHECK(pinned.size() == 0);
  }
  SUBCASE("by the destructor") { subpy::PinnedBuffer(std::move(pinned)); }
  SUBCASE("by assigning") {
    pinned = python.eval<subpy::PinnedBuffer>("b'other'");
    CHECK(pinned.bytes().size() == 5);
    CHECK_FALSE(pinned.writable());
    pinned.reset();
  }
  python.run("data.append(1)");
  python.destroy();
}

TEST_CASE("bytes and arrays, without a copy") {
  subpy::Interpreter python;
  python.run("import array\n"
             "text = b'x' * 1000\n"
             "ints = array.array('i', [1, 2, 3])\n"
             "matrix = memoryview(bytes(range(6))).cast('B', (2, 3))\n"
             "back = memoryview(text)[::-2]\n");
  const auto one = python.get<subpy::PinnedBuffer>("text");
  const auto two = python.get<subpy::PinnedBuffer>("text");
  CHECK(one.bytes().data() == two.bytes().data());
  const auto ints = python.get<subpy::PinnedBuffer>("ints");
  const subpy::Span<const int> span = ints.as<const int>();
  CHECK(std::accumulate(span.begin(), span.end(), 0) == 6);
  const auto matrix = python.get<subpy::PinnedBuffer>("matrix");
  CHECK(matrix.shape().size() == 2);
  CHECK(matrix.shape()[1] == 3);
  CHECK(matrix.as<const std::uint8_t>()[5] == 5);
  CHECK(status_of([&] { python.get<subpy::PinnedBuffer>("back"); }) == SUBPY_ERR_NOT_SHAREABLE);
  const auto back = python.get<subpy::PinnedBuffer>("back", SUBPY_STRIDED);
  CHECK(back.strides()[0] == -2);
  CHECK(contains(error_of([&] { back.bytes(); }).message(), "with gaps"));
}

TEST_CASE("what is asked for has to be what it is") {
  subpy::Interpreter python;
  const auto floats = python.eval<subpy::PinnedBuffer>("__import__('array').array('d', [1.5])");
  CHECK(floats.as<double>()[0] == 1.5);
  const auto no = [&](auto get) { return std::string(error_of(get).message()); };
  CHECK(no([&] { floats.as<const float>(); }) ==
        "value is a buffer of format \"d\", not a buffer without gaps whose items are those of the "
        "Span");
  CHECK(contains(no([&] { floats.as<const std::int64_t>(); }), "format \"d\""));
  const auto bytes = python.eval<subpy::PinnedBuffer>("b'12345678'");
  CHECK(contains(no([&] { bytes.as<std::uint8_t>(); }), "read-only"));
  CHECK(contains(no([&] { bytes.as<const double>(); }), "format \"B\""));
  CHECK(no([&] { python.eval<subpy::PinnedBuffer>("[1]"); }) ==
        "result is a list of 1 item, not an object with the buffer protocol");
  const auto wide = python.eval<subpy::PinnedBuffer>(
      "memoryview(bytearray(9))[1:].cast('d')"); // where no double can be
  CHECK(status_of([&] { wide.as<double>(); }) == SUBPY_ERR_NOT_SHAREABLE);
}

TEST_CASE("a Value has the memory of all buffers in it") {
  subpy::Interpreter python;
  python.run("data = bytearray(b'abc')");
  subpy::Value value = python.eval("{'deep': [data, b'copied']}");
  CHECK(value["deep"][0].kind() == SUBPY_BUFFER);
  const auto span = value["deep"][0].as<subpy::Span<std::uint8_t>>();
  span[0] = 'x';
  subpy::Value copy = value;
  value = subpy::Value();
  CHECK(error_of([&] { python.run("data.append(1)"); }).type() == "BufferError");
  CHECK(python.eval<std::string>("data.decode()") == "xbc");
  copy = subpy::Value();
  python.run("data.append(1)");
}

TEST_CASE("a Value has a copy of memory with gaps, without them") {
  subpy::Interpreter python;
  python.run("matrix = memoryview(bytes(range(24))).cast('B', (4, 6))[::-2]\n"
             "row = memoryview(bytes(range(24))).cast('i')[::-2]\n"
             "empty = memoryview(b'abc')[3::2]\n");
  for (const char *name : {"matrix", "row", "empty"}) {
    CAPTURE(name);
    const auto pinned = python.get<subpy::PinnedBuffer>(name, SUBPY_STRIDED);
    const subpy::Value copy(pinned);
    CHECK(copy.kind() == SUBPY_BYTES);
    CHECK(copy.size() == pinned.size());
    python.set("copy", copy);
    CHECK(python.eval<bool>("copy == " + std::string(name) + ".tobytes()"));
  }
}

TEST_CASE("spans and bytes as parameters of host functions are not copied") {
  subpy::Interpreter python;
  python.define("host", "sum", [](subpy::Span<const double> xs) {
    return std::accumulate(xs.begin(), xs.end(), 0.0);
  });
  python.define("host", "fill", [](subpy::Span<std::int32_t> xs, int with) {
    for (std::int32_t &x : xs) {
      x = with;
    }
  });
  python.define("host", "address",
                [](subpy::Bytes bytes) { return reinterpret_cast<std::uintptr_t>(bytes.data()); });
  python.run("import array, host\n"
             "assert host.sum(array.array('d', [1, 2.5])) == 3.5\n"
             "ints = array.array('i', [1, 2])\n"
             "host.fill(ints, 7)\n"
             "assert ints.tolist() == [7, 7]\n"
             "text = b'x' * 100\n"
             "assert host.address(text) == host.address(memoryview(text))\n"
             "ints.append(1)\n" // it is not pinned any more
             "for wrong in [1.0, 2.5], array.array('f', [1]), 'text':\n"
             "  try: host.sum(wrong)\n"
             "  except TypeError as e: assert 'args[0] is ' in str(e), e\n"
             "  else: assert False\n"
             "try: host.fill(memoryview(ints).toreadonly(), 1)\n"
             "except TypeError as e: assert 'read-only' in str(e), e\n"
             "else: assert False\n");
}

TEST_CASE("memory of one interpreter in another, and back in its own") {
  subpy::Interpreter a, b;
  a.run("data = bytearray(b'abc')");
  {
    const auto pinned = a.get<subpy::PinnedBuffer>("data");
    b.set("m", pinned);
    a.set("same", pinned);
    CHECK(a.eval<bool>("same.obj is data"));
    b.run("m[0] = ord('x')");
  }
  CHECK(a.eval<std::string>("data.decode()") == "xbc");
  CHECK(status_of([&] { a.destroy(); }) == SUBPY_ERR_BUSY);
  b.run("del m");
  a.destroy();
}

TEST_CASE("a host function answers with memory that it has pinned elsewhere") {
  subpy::Interpreter python, other;
  other.run("data = bytearray(b'abc')");
  python.define("host", "data", [&] { return other.get<subpy::PinnedBuffer>("data"); });
  python.define("host", "value", [&] { return other.eval("[data]"); });
  python.run("import host\n"
             "assert bytes(host.data()) == b'abc'\n"
             "m = host.value()[0]\n"
             "assert bytes(m) == b'abc'\n");
  CHECK(error_of([&] { other.run("data.append(1)"); }).type() == "BufferError");
  python.run("del m");
  other.run("data.append(1)");
}
