/// @file
/// How numbers, text and bytes cross. Internal to subpy.hpp.

#ifndef SUBPY_CROSSING_SCALARS_HPP
#define SUBPY_CROSSING_SCALARS_HPP

#include <subpy/crossing.hpp>
#include <subpy/span.hpp>

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <variant>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {

template <typename T> struct NoneCrossing {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(T, Builder &) { return subpy_none(); }

  static std::optional<T> from_python(const subpy_value &value, Mismatch &mismatch) {
    if (value.kind != SUBPY_NONE) {
      mismatch.note(value, "None");
      return std::nullopt;
    }
    return T();
  }
};
template <> struct Crossing<std::nullptr_t> : NoneCrossing<std::nullptr_t> {};
template <> struct Crossing<std::monostate> : NoneCrossing<std::monostate> {};

template <> struct Crossing<bool> {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(bool boolean, Builder &) { return subpy_bool(boolean); }

  static std::optional<bool> from_python(const subpy_value &value, Mismatch &mismatch) {
    if (value.kind != SUBPY_BOOL) {
      mismatch.note(value, "a bool");
      return std::nullopt;
    }
    return value.as.boolean;
  }
};

// Integers. ---------------------------------------------------------------------------------------

template <typename T, typename... Others>
inline constexpr bool is_one_of = (std::is_same_v<T, Others> || ...);

/// Whether a type is an integer type for numbers: not bool, and no character type.
template <typename T>
inline constexpr bool is_integer =
    is_one_of<T, signed char, unsigned char, short, unsigned short, int, unsigned, long,
              unsigned long, long long, unsigned long long>;

template <typename T> constexpr const char *integer_name() noexcept {
  constexpr std::size_t bits = sizeof(T) * 8;
  if constexpr (std::is_signed_v<T>) {
    return bits == 8    ? "an int of 8 bits"
           : bits == 16 ? "an int of 16 bits"
           : bits == 32 ? "an int of 32 bits"
                        : "an int of 64 bits";
  }
  return bits == 8    ? "an unsigned int of 8 bits"
         : bits == 16 ? "an unsigned int of 16 bits"
         : bits == 32 ? "an unsigned int of 32 bits"
                      : "an unsigned int of 64 bits";
}

template <typename T> struct Crossing<T, std::enable_if_t<is_integer<T>>> {
  static constexpr bool past_int64 = std::is_unsigned_v<T> && sizeof(T) == sizeof(std::int64_t);
  static constexpr std::uint32_t flags = past_int64 ? SUBPY_LOSSLESS_TEXT : 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(T integer, Builder &builder) {
    if constexpr (past_int64) {
      if (integer > static_cast<T>(std::numeric_limits<std::int64_t>::max())) {
        return subpy_big_int(builder.keep(std::to_string(integer)).c_str());
      }
    }
    static_cast<void>(builder);
    return subpy_int(static_cast<std::int64_t>(integer));
  }

  static std::optional<T> from_python(const subpy_value &value, Mismatch &mismatch) {
    if (value.kind == SUBPY_INT) {
      const auto integer = static_cast<T>(value.as.integer);
      const bool same_sign = std::is_signed_v<T> || value.as.integer >= 0;
      if (same_sign && static_cast<std::int64_t>(integer) == value.as.integer) {
        return integer;
      }
    }
    if constexpr (past_int64) {
      if (value.kind == SUBPY_BIG_INT) {
        // The text is hexadecimal: "0x8000000000000000". A negative one fails to parse.
        const char *const end = value.as.text.data + value.as.text.length;
        T integer = 0;
        const auto parsed = std::from_chars(value.as.text.data + 2, end, integer, 16);
        if (parsed.ec == std::errc() && parsed.ptr == end) {
          return integer;
        }
      }
    }
    mismatch.note(value, integer_name<T>());
    return std::nullopt;
  }
};

template <typename T> struct Crossing<T, std::enable_if_t<std::is_floating_point_v<T>>> {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(T real, Builder &) { return subpy_float(static_cast<double>(real)); }

  static std::optional<T> from_python(const subpy_value &value, Mismatch &mismatch) {
    if (value.kind == SUBPY_FLOAT) {
      return static_cast<T>(value.as.real);
    }
    if (value.kind == SUBPY_INT) {
      return static_cast<T>(value.as.integer);
    }
    mismatch.note(value, "a float");
    return std::nullopt;
  }
};

// Text. -------------------------------------------------------------------------------------------

template <typename Text> struct TextCrossing {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = std::is_same_v<Text, std::string_view>;

  static subpy_value to_python(const Text &text, Builder &) {
    return subpy_str_n(text.data(), text.size());
  }

  static std::optional<Text> from_python(const subpy_value &value, Mismatch &mismatch) {
    if (value.kind != SUBPY_STR) {
      mismatch.note(value, "a str");
      return std::nullopt;
    }
    return Text(value.as.text.data, value.as.text.length);
  }
};
template <> struct Crossing<std::string> : TextCrossing<std::string> {};
template <> struct Crossing<std::string_view> : TextCrossing<std::string_view> {};

/// C strings and literals become a str.
template <typename T>
struct Crossing<T, std::enable_if_t<is_one_of<std::decay_t<T>, char *, const char *>>> {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = true;

  static subpy_value to_python(const char *text, Builder &) { return subpy_str(text); }
};

// Bytes. ------------------------------------------------------------------------------------------

/// The bytes of a value that is bytes, or a buffer without gaps.
inline std::optional<Bytes> bytes_of(const subpy_value &value, Mismatch &mismatch) {
  if (value.kind == SUBPY_BYTES) {
    return Bytes(reinterpret_cast<const std::byte *>(value.as.text.data), value.as.text.length);
  }
  if (value.kind == SUBPY_BUFFER && !value.as.buffer->strides) {
    return Bytes(static_cast<const std::byte *>(value.as.buffer->data), value.as.buffer->length);
  }
  mismatch.note(value, "bytes or a buffer without gaps");
  return std::nullopt;
}

template <> struct Crossing<Bytes> {
  static constexpr std::uint32_t flags = SUBPY_PIN_BYTES;
  static constexpr bool borrows = true;

  static subpy_value to_python(Bytes bytes, Builder &) {
    return subpy_bytes(bytes.data(), bytes.size());
  }

  static std::optional<Bytes> from_python(const subpy_value &value, Mismatch &mismatch) {
    return bytes_of(value, mismatch);
  }
};

template <typename Allocator> struct Crossing<std::vector<std::byte, Allocator>> {
  using Vector = std::vector<std::byte, Allocator>;
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(const Vector &bytes, Builder &) {
    return subpy_bytes(bytes.data(), bytes.size());
  }

  static std::optional<Vector> from_python(const subpy_value &value, Mismatch &mismatch) {
    const std::optional<Bytes> bytes = bytes_of(value, mismatch);
    return bytes ? std::optional<Vector>(std::in_place, bytes->begin(), bytes->end())
                 : std::nullopt;
  }
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
