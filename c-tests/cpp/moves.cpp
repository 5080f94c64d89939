// What can be copied and moved, and what is left behind.

#include "cpp_support.hpp"

#include <type_traits>
#include <vector>

template <typename T>
constexpr bool move_only =
    !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
    std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
    std::is_nothrow_destructible_v<T>;

static_assert(move_only<subpy::Runtime>);
static_assert(move_only<subpy::Interpreter>);
static_assert(std::is_nothrow_copy_constructible_v<subpy::Error>);
static_assert(std::is_nothrow_copy_assignable_v<subpy::Error>);
static_assert(std::is_base_of_v<std::exception, subpy::Error>);
static_assert(!std::is_convertible_v<subpy_id, subpy::Interpreter>);
static_assert(!std::is_convertible_v<subpy::InterpreterConfig, subpy::Interpreter>);
static_assert(!std::is_convertible_v<subpy::Interpreter, bool>);
static_assert(sizeof(subpy::Interpreter) == sizeof(subpy_id) + sizeof(void *));

TEST_CASE("a moved-from interpreter holds none") {
  subpy::Interpreter a;
  const subpy_id id = a.id();
  subpy::Interpreter b = std::move(a);
  CHECK(b.id() == id);
  CHECK(a.id() == -1);
  CHECK_FALSE(a);
  CHECK(status_of([&] { a.run("1"); }) == SUBPY_ERR_NOT_FOUND);
  b.run("1");
}

TEST_CASE("assigning destroys the own interpreter at once") {
  subpy::Interpreter a, b;
  const subpy_id first = a.id(), second = b.id();
  a = std::move(b);
  CHECK(a.id() == second);
  CHECK_FALSE(b);
  CHECK(subpy::list_all() == std::vector<subpy_id>{0, second});
  CHECK(subpy_destroy(first, nullptr) == SUBPY_ERR_NOT_FOUND);

  b = subpy::Interpreter();
  CHECK(b);
}

TEST_CASE("moving to itself changes nothing") {
  subpy::Interpreter a;
  subpy::Interpreter &same = a;
  a = std::move(same);
  a.run("1");
}

TEST_CASE("callbacks stay where they are") {
  std::string out;
  std::vector<subpy::Interpreter> interpreters;
  for (int i = 0; i < 5; ++i) { // the vector grows, and moves what it has
    interpreters.emplace_back(capture(out)).run("print('new', end=' ')");
  }
  interpreters.front().run("print('first')");
  CHECK(out == "new new new new new first\n");
}

TEST_CASE("a callback may move its interpreter") {
  std::string out;
  std::optional<subpy::Interpreter> from, to;
  subpy::InterpreterConfig config;
  config.on_stdout = [&](std::string_view text) {
    out += text;
    if (from) {
      to = std::move(*from);
      from.reset();
    }
  };
  from.emplace(std::move(config));
  from->run("print(1)");
  to->run("print(2)");
  CHECK(out == "1\n2\n");
}

TEST_CASE("a moved-from runtime holds no count") {
  subpy::Runtime a;
  subpy::Runtime b = std::move(a);
  a.finalize(); // nothing to do
  subpy::Runtime c;
  c = std::move(b);
  b.finalize();
  c.finalize();
  c.finalize();
  CHECK(subpy::Runtime::is_initialized()); // by the one of this program
}
