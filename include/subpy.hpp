/// @file
/// subpy for C++17: many isolated Python interpreters in one program.
///
/// @code
/// subpy::Runtime runtime;
/// subpy::Interpreter python;
/// python.define("host", "log", [](std::string_view text) { std::clog << text << "\n"; });
/// try {
///   python.run("import host\n"
///              "def greet(name): host.log('asked'); return f'Hello {name}'");
///   std::cout << python.call<std::string>("greet", "you");
/// } catch (const subpy::Error &error) {
///   std::cerr << error.traceback();
/// }
/// @endcode
///
/// Header only, over the C calls of subpy.h alone; a call that succeeds costs what the C call does,
/// and the conversion of what is handed over.
///
/// Conventions:
///  - What fails throws subpy::Error, and then nothing has happened. The few functions that are
///    `noexcept` don't fail.
///  - `std::string_view`s that go out end in a NUL, so their `data()` is a C string.
///  - Any thread may call anything. An object of this header is as any other in C++: while one
///    thread moves, assigns or destroys it, no other may use it. Interpreter says what else holds.
///
/// What crosses between C++ and Python, and as what:
///
/// | C++ | Python |
/// |---|---|
/// | `bool` | bool |
/// | integers of up to 64 bits | int; a value that does not fit is an error |
/// | `float`, `double` | float; from an int, too |
/// | `std::string`, `std::string_view`, `const char *` | str |
/// | `std::vector<std::byte>`, subpy::Bytes | bytes; from anything with the buffer protocol, too |
/// | `std::vector`, `std::array`, `std::deque`, `std::list`, subpy::Span | list; from a tuple, too |
/// | `std::pair`, `std::tuple` | tuple; from a list, too |
/// | `std::map`, `std::unordered_map` | dict |
/// | `std::optional` | None, or what it has |
/// | `std::variant` | the first of its types that the value fits |
/// | `std::nullptr_t`, `std::monostate` | None |
/// | subpy::Value, subpy::View | any of these |
/// | subpy::HostBuffer | a memoryview of the host's memory |
/// | subpy::PinnedBuffer | from anything with the buffer protocol, without a copy |
/// | subpy::Span, as a parameter of a host function | the same |
/// | a type for which the host specializes subpy::CrossesAs | what that says |
///
/// Any other type is a compile-time error that names it.

#ifndef SUBPY_HPP
#define SUBPY_HPP

#include <subpy/ids.hpp>
#include <subpy/interpreter.hpp>
#include <subpy/runtime.hpp>

#endif
