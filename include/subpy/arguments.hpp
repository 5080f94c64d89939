/// @file
/// The arguments of a call, and its result.

#ifndef SUBPY_ARGUMENTS_HPP
#define SUBPY_ARGUMENTS_HPP

#include <subpy/builder.hpp>
#include <subpy/crossing.hpp>
#include <subpy/pinned_buffer.hpp>
#include <subpy/result.hpp>
#include <subpy/value.hpp>

#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// A keyword argument, which kw() makes.
template <typename T> struct Keyword {
  /// The name.
  std::string_view name;
  /// The value. The caller owns it.
  const T &value;
};

/// Makes a keyword argument for Interpreter::call(): `python.call("greet", "you", kw("times", 3))`.
/// It copies nothing, so it has to be used in the same expression.
template <typename T> Keyword<T> kw(std::string_view name, const T &value) { return {name, value}; }

namespace detail {

template <typename T> inline constexpr bool is_keyword = false;
template <typename T> inline constexpr bool is_keyword<Keyword<T>> = true;

/// The arguments of a call, in the form that C takes.
template <typename... Args> class Arguments {
  static constexpr std::size_t named = (std::size_t{0} + ... + is_keyword<Args>);
  static constexpr std::size_t positional = sizeof...(Args) - named;

  static constexpr bool in_order() {
    constexpr bool keywords[] = {is_keyword<Args>..., true};
    for (std::size_t i = 0; i < sizeof...(Args); i++) {
      if (keywords[i] && !keywords[i + 1]) {
        return false;
      }
    }
    return true;
  }
  static_assert(in_order(), "subpy: positional arguments come before keyword arguments");

public:
  static constexpr bool any_named = named > 0;

  explicit Arguments(const Args &...args) {
    [[maybe_unused]] std::size_t i = 0, k = 0;
    (add(args, i, k), ...);
    keywords_ = subpy_dict(pairs_, named);
    builder_.hand_over();
  }

  const subpy_value *data() const noexcept { return values_; }
  std::size_t size() const noexcept { return positional; }
  const subpy_value *keywords() const noexcept { return any_named ? &keywords_ : nullptr; }

private:
  template <typename T> void add(const T &argument, std::size_t &i, std::size_t &) {
    values_[i++] = to_python<T>(argument, builder_);
  }

  template <typename T> void add(const Keyword<T> &keyword, std::size_t &, std::size_t &k) {
    pairs_[k++] = subpy_str_n(keyword.name.data(), keyword.name.size());
    pairs_[k++] = to_python<T>(keyword.value, builder_);
  }

  Builder builder_;
  subpy_value values_[positional + 1]; // one more, as an array needs an item
  subpy_value pairs_[2 * named + 1];
  subpy_value keywords_;
};

/// The place for a value that a C call writes. The destructor clears it.
class OwnedValue {
public:
  OwnedValue() noexcept = default;
  OwnedValue(const OwnedValue &) = delete;
  OwnedValue &operator=(const OwnedValue &) = delete;
  ~OwnedValue() {
    if (value_.owned != 0) { // a plain value has nothing to clear
      subpy_value_clear(&value_);
    }
  }

  subpy_value *place() noexcept { return &value_; }

  /// Converts the value to a C++ type.
  template <typename T> Returns<T> to() {
    static_assert(!std::is_reference_v<T>, "subpy: a result is no reference");
    if constexpr (std::is_same_v<T, Value>) {
      return Value::take(value_);
    } else if constexpr (std::is_same_v<T, PinnedBuffer>) {
      return PinnedBuffer::take(value_);
    } else {
      static_assert(!borrows<T>, "subpy: a result has to own what it has: ask for a std::string, a "
                                 "std::vector<std::byte>, a subpy::PinnedBuffer or a subpy::Value");
      Mismatch mismatch;
      std::optional<T> found = from_python<T>(value_, mismatch);
      if (!found) {
        SUBPY_FAIL(Error(SUBPY_ERR_NOT_SHAREABLE, mismatch.text(value_, "result")));
      }
      return std::move(*found);
    }
  }

private:
  subpy_value value_ = subpy_none();
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
