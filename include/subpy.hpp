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
/// The header makes the C calls of subpy.h, and needs nothing else of the library. A call that
/// succeeds costs what the C call costs, and the conversion of the values.
///
/// # Conventions
///
/// **Errors.** A call that fails throws a subpy::Error. It has done nothing then, unless its
/// comment says otherwise. A function that is `noexcept` does not fail.
///
/// **Without exceptions** (`-fno-exceptions`), a call that can fail returns a subpy::Result. What
/// its comment calls thrown is the error of that result. Runtime::initialize() and
/// Interpreter::create() take the place of the constructors. Memory that runs out ends the process.
/// One program can have source files with and without exceptions, but these can't share the objects
/// of this header.
///
/// **Strings.** A `std::string_view` that goes out ends in a NUL, so its `data()` is a C string.
///
/// **Threads.** Any thread may make any call. While one thread moves, assigns or destroys an
/// object, no other thread may use that object. Interpreter says more about threads.
///
/// # Values
///
/// These types cross between C++ and Python. Any other type is a compile-time error that names it.
///
/// | C++ | Python |
/// |---|---|
/// | `bool` | bool |
/// | integers of up to 64 bits | int; a value that does not fit is an error |
/// | `float`, `double` | float; from an int too |
/// | `std::string`, `std::string_view`, `const char *` | str |
/// | `std::vector<std::byte>`, subpy::Bytes | bytes; from any object with the buffer protocol too |
/// | `std::vector`, `std::array`, `std::deque`, `std::list`, subpy::Span | list; from a tuple too |
/// | `std::pair`, `std::tuple` | tuple; from a list too |
/// | `std::map`, `std::unordered_map` | dict |
/// | `std::set`, `std::unordered_set` | set; from a frozenset too |
/// | `std::complex` | complex; from a float or an int too |
/// | `std::chrono::duration` | timedelta; integers are rounded down to microseconds, and take nothing that they can't hold exactly |
/// | `std::chrono::system_clock::time_point` | aware datetime in UTC; from one of any offset, rounded as above |
/// | `std::filesystem::path` | str, as `os.fsdecode()` makes it; from any `os.PathLike` and from bytes too |
/// | enums | int; from a member of an `enum.Enum` too |
/// | subpy::Decimal, subpy::Uuid, subpy::Date | Decimal, UUID, date |
/// | structs of the host's with #SUBPY_STRUCT | dict; from a dataclass too |
/// | `std::optional` | None, or what its value becomes |
/// | `std::variant` | what its value becomes; from Python, the first type that the value fits |
/// | `std::nullptr_t`, `std::monostate` | None |
/// | subpy::Object | an object that stays in Python; from Python what is no plain data |
/// | `std::function` | from Python, a callable |
/// | subpy::Value, subpy::View | any of these |
/// | subpy::HostBuffer | to Python only: a memoryview of the host's memory |
/// | subpy::PinnedBuffer | any object with the buffer protocol, without a copy |
/// | subpy::Span as a host function's parameter | the same |
/// | subpy::Queue | a queue |
/// | a type that has a subpy::CrossesAs | what that says |

#ifndef SUBPY_HPP
#define SUBPY_HPP

#include <subpy/crossing_library.hpp>
#include <subpy/ids.hpp>
#include <subpy/interpreter.hpp>
#include <subpy/object.hpp>
#include <subpy/queue.hpp>
#include <subpy/runtime.hpp>
#include <subpy/struct_fields.hpp>

#endif
