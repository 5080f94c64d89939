/// @file
/// The types of the items of buffers. Internal to subpy.hpp.

#ifndef SUBPY_BUFFER_FORMAT_HPP
#define SUBPY_BUFFER_FORMAT_HPP

#include <subpy/crossing_scalars.hpp>
#include <subpy/span.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {

/// The format of a type, in the words of Python's `struct` module. NULL: it has none.
template <typename T> constexpr const char *format_of() noexcept {
  if constexpr (std::is_same_v<T, std::byte>) {
    return "B";
  } else if constexpr (std::is_same_v<T, bool>) {
    return "?";
  } else if constexpr (is_one_of<T, float, double>) {
    return sizeof(T) == 4 ? "f" : "d";
  } else if constexpr (is_integer<T>) {
    constexpr const char *names[2][4] = {{"B", "H", "I", "Q"}, {"b", "h", "i", "q"}};
    constexpr int size = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
    return names[std::is_signed_v<T>][size];
  } else {
    return nullptr;
  }
}

/// Whether items of a format are Ts: the same sort of number, of the same size, in this machine's
/// byte order.
template <typename T> bool is_format_of(std::string_view format, std::size_t item_size) noexcept {
  if (std::is_same_v<T, std::byte>) {
    return true; // all items have bytes
  }
  constexpr std::uint16_t one = 1;
  const char native = *reinterpret_cast<const char *>(&one) == 1 ? '<' : '>';
  if (!format.empty() && (format[0] == '@' || format[0] == '=' || format[0] == native)) {
    format.remove_prefix(1);
  }
  constexpr std::string_view sort = std::is_same_v<T, bool>       ? "?"
                                    : std::is_floating_point_v<T> ? "fd"
                                    : std::is_signed_v<T>         ? "bhilqn"
                                                                  : "BHILQN";
  return item_size == sizeof(T) && format.size() == 1 &&
         sort.find(format[0]) != std::string_view::npos;
}

template <typename T> constexpr const char *span_name() noexcept {
  if constexpr (std::is_const_v<T>) {
    return "a buffer without gaps whose items are those of the Span";
  }
  return "a writable buffer without gaps whose items are those of the Span";
}

/// The items of a buffer of Ts. The buffer may have any shape, but no gaps.
template <typename T> std::optional<Span<T>> span_of(const subpy_value &value, Mismatch &mismatch) {
  using Item = std::remove_cv_t<T>;
  static_assert(format_of<Item>(), "subpy: a buffer has no items of this type: ask for a "
                                   "subpy::Span of numbers, or of std::byte");
  if (value.kind == SUBPY_BUFFER) {
    const subpy_buffer_info &info = *value.as.buffer;
    const bool aligned = reinterpret_cast<std::uintptr_t>(info.data) % alignof(Item) == 0;
    if (!info.strides && aligned && (std::is_const_v<T> || info.writable) &&
        is_format_of<Item>(info.format ? info.format : "B", info.item_size)) {
      return Span<T>(static_cast<T *>(info.data), info.length / sizeof(Item));
    }
  }
  mismatch.note(value, span_name<T>());
  return std::nullopt;
}

/// A span becomes a list, or bytes. From Python it is the memory of a buffer.
template <typename T> struct Crossing<Span<T>> {
  using Item = std::remove_cv_t<T>;
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = true;

  static subpy_value to_python(Span<T> span, Builder &builder) {
    if constexpr (std::is_same_v<Item, std::byte>) {
      return subpy_bytes(span.data(), span.size());
    } else {
      subpy_value *const items = builder.items(span.size());
      for (std::size_t i = 0; i < span.size(); i++) {
        items[i] = detail::to_python<Item>(span[i], builder);
      }
      return subpy_list(items, span.size());
    }
  }

  static std::optional<Span<T>> from_python(const subpy_value &value, Mismatch &mismatch) {
    return span_of<T>(value, mismatch);
  }
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
