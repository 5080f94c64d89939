/// @file
/// How complex numbers, sets, times, decimals, UUIDs and paths cross.

#ifndef SUBPY_CROSSING_LIBRARY_HPP
#define SUBPY_CROSSING_LIBRARY_HPP

#include <subpy/crossing.hpp>
#include <subpy/crossing_scalars.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <ratio>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// A decimal number, as Python writes it: "-1.50", "1E+3", "Infinity", "NaN". It crosses as a
/// `decimal.Decimal`.
struct Decimal {
  /// The number.
  std::string text;
};

/// A UUID. It crosses as a `uuid.UUID`.
struct Uuid {
  /// Its bytes, the highest one first.
  std::array<std::uint8_t, 16> bytes;
};

/// A date. It crosses as a `datetime.date`.
struct Date {
  int year;  ///< 1 to 9999.
  int month; ///< 1 to 12.
  int day;   ///< 1 to 31.
};

namespace detail {

template <> struct Crossing<Decimal> {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(const Decimal &decimal, Builder &) {
    return subpy_text_of_kind(SUBPY_DECIMAL, decimal.text.data(), decimal.text.size());
  }

  static std::optional<Decimal> from_python(const subpy_value &value, Mismatch &mismatch) {
    if (value.kind != SUBPY_DECIMAL) {
      mismatch.note(value, "a Decimal");
      return std::nullopt;
    }
    return Decimal{std::string(value.as.text.data, value.as.text.length)};
  }
};

template <> struct Crossing<Uuid> {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(const Uuid &uuid, Builder &) {
    return subpy_uuid(uuid.bytes.data());
  }

  static std::optional<Uuid> from_python(const subpy_value &value, Mismatch &mismatch) {
    const std::uint8_t *const bytes = subpy_value_uuid(&value);
    if (!bytes) {
      mismatch.note(value, "a UUID");
      return std::nullopt;
    }
    Uuid uuid{};
    std::copy_n(bytes, uuid.bytes.size(), uuid.bytes.begin());
    return uuid;
  }
};

template <> struct Crossing<Date> {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(const Date &date, Builder &) {
    return subpy_date(date.year, date.month, date.day);
  }

  static std::optional<Date> from_python(const subpy_value &value, Mismatch &mismatch) {
    if (value.kind != SUBPY_DATE) {
      mismatch.note(value, "a date");
      return std::nullopt;
    }
    const subpy_datetime_data &date = value.as.datetime;
    return Date{date.year, date.month, date.day};
  }
};

template <typename T> struct Crossing<std::complex<T>> {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(const std::complex<T> &number, Builder &) {
    return subpy_complex(static_cast<double>(number.real()), static_cast<double>(number.imag()));
  }

  static std::optional<std::complex<T>> from_python(const subpy_value &value, Mismatch &mismatch) {
    double real, imag;
    if (!subpy_value_as_complex(&value, &real, &imag)) {
      mismatch.note(value, "a complex");
      return std::nullopt;
    }
    return std::complex<T>(static_cast<T>(real), static_cast<T>(imag));
  }
};

// Sets. -------------------------------------------------------------------------------------------

template <typename Set> struct SetCrossing {
  using Item = typename Set::value_type;
  static constexpr std::uint32_t flags = flags_of<Item>;
  static constexpr bool borrows = detail::borrows<Item>;

  static subpy_value to_python(const Set &set, Builder &builder) {
    subpy_value *const items = builder.items(set.size());
    std::size_t i = 0;
    for (const auto &item : set) {
      items[i++] = detail::to_python<Item>(item, builder);
    }
    return subpy_set_of(items, i);
  }

  static std::optional<Set> from_python(const subpy_value &value, Mismatch &mismatch) {
    if (value.kind != SUBPY_SET && value.kind != SUBPY_FROZENSET) {
      mismatch.note(value, "a set");
      return std::nullopt;
    }
    std::optional<Set> set(std::in_place);
    for (std::size_t i = 0; i < value.as.items.length; i++) {
      std::optional<Item> item = detail::from_python<Item>(value.as.items.data[i], mismatch);
      if (!item) {
        return std::nullopt;
      }
      set->insert(std::move(*item));
    }
    return set;
  }
};
template <typename T, typename Compare, typename Allocator>
struct Crossing<std::set<T, Compare, Allocator>> : SetCrossing<std::set<T, Compare, Allocator>> {};
template <typename T, typename Hash, typename Equal, typename Allocator>
struct Crossing<std::unordered_set<T, Hash, Equal, Allocator>>
    : SetCrossing<std::unordered_set<T, Hash, Equal, Allocator>> {};

// Times. ------------------------------------------------------------------------------------------

/// A duration in microseconds: one of integers is rounded down, one of floating point numbers to the
/// nearest. Empty if 64 bits have no room for it.
template <typename Rep, typename Period>
std::optional<std::int64_t> to_microseconds(std::chrono::duration<Rep, Period> duration) {
  constexpr long double most = 9.2e18L;
  const long double rough = std::chrono::duration<long double, std::micro>(duration).count();
  if (!(rough >= -most && rough <= most)) { // NaN, too
    return std::nullopt;
  }
  if constexpr (std::is_floating_point_v<Rep>) {
    return static_cast<std::int64_t>(std::llround(rough));
  } else {
    if (std::is_unsigned_v<Rep> &&
        static_cast<std::uint64_t>(duration.count()) > std::numeric_limits<std::int64_t>::max()) {
      return std::nullopt;
    }
    const std::chrono::duration<std::int64_t, Period> whole(
        static_cast<std::int64_t>(duration.count()));
    return static_cast<std::int64_t>(
        std::chrono::floor<std::chrono::duration<std::int64_t, std::micro>>(whole).count());
  }
}

/// A duration of so many microseconds. Empty if it can't have exactly that.
template <typename Duration> std::optional<Duration> of_microseconds(std::int64_t microseconds) {
  using Rep = typename Duration::rep;
  using Ratio = std::ratio_divide<std::micro, typename Duration::period>;
  if constexpr (std::is_floating_point_v<Rep>) {
    const std::chrono::duration<long double, std::micro> exact(microseconds);
    return std::chrono::duration_cast<Duration>(exact);
  } else {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / Ratio::num;
    const std::int64_t units = microseconds / Ratio::den;
    if (microseconds % Ratio::den != 0 || units > most || units < -most) {
      return std::nullopt;
    }
    const std::int64_t count = units * Ratio::num;
    const Rep fits = static_cast<Rep>(count);
    if (static_cast<std::int64_t>(fits) != count || (fits < Rep(0)) != (count < 0)) {
      return std::nullopt;
    }
    return Duration(fits);
  }
}

template <typename Rep, typename Period> struct Crossing<std::chrono::duration<Rep, Period>> {
  using Duration = std::chrono::duration<Rep, Period>;
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(Duration duration, Builder &) {
    const std::optional<std::int64_t> microseconds = to_microseconds(duration);
    // What is past 64 bits is past all timedeltas or not: here it is refused.
    return microseconds ? subpy_timedelta(0, 0, *microseconds)
                        : subpy_timedelta(std::numeric_limits<std::int64_t>::max(), 0, 0);
  }

  static std::optional<Duration> from_python(const subpy_value &value, Mismatch &mismatch) {
    std::int64_t microseconds;
    if (value.kind != SUBPY_TIMEDELTA) {
      mismatch.note(value, "a timedelta");
      return std::nullopt;
    }
    if constexpr (std::is_floating_point_v<Rep>) {
      const subpy_timedelta_data &delta = value.as.timedelta;
      const std::chrono::duration<long double> seconds(86400.0L * delta.days + delta.seconds +
                                                       delta.microseconds / 1e6L);
      return std::chrono::duration_cast<Duration>(seconds);
    }
    std::optional<Duration> found;
    if (subpy_value_as_timedelta(&value, &microseconds)) {
      found = of_microseconds<Duration>(microseconds);
    }
    if (!found) {
      mismatch.note(value, "one that the std::chrono::duration can hold exactly");
    }
    return found;
  }
};

template <typename Duration>
struct Crossing<std::chrono::time_point<std::chrono::system_clock, Duration>> {
  using Time = std::chrono::time_point<std::chrono::system_clock, Duration>;
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(Time time, Builder &) {
    const std::optional<std::int64_t> microseconds = to_microseconds(time.time_since_epoch());
    return subpy_timestamp(microseconds.value_or(std::numeric_limits<std::int64_t>::max()));
  }

  static std::optional<Time> from_python(const subpy_value &value, Mismatch &mismatch) {
    std::int64_t microseconds;
    if (!subpy_value_as_timestamp(&value, &microseconds)) {
      mismatch.note(value, "an aware datetime");
      return std::nullopt;
    }
    const std::optional<Duration> since = of_microseconds<Duration>(microseconds);
    if (!since) {
      mismatch.note(value, "one that the std::chrono::time_point can hold exactly");
      return std::nullopt;
    }
    return Time(*since);
  }
};

// Paths. ------------------------------------------------------------------------------------------

/// The length of the character that UTF-8 starts with. 0: it starts with none.
inline std::size_t utf8_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i, unsigned least = 0x80, unsigned most = 0xBF) {
    return byte(i) >= least && byte(i) <= most;
  };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return text.empty() ? 0 : 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return follows(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned least = first == 0xE0 ? 0xA0 : 0x80, most = first == 0xED ? 0x9F : 0xBF;
    return follows(1, least, most) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned least = first == 0xF0 ? 0x90 : 0x80, most = first == 0xF4 ? 0x8F : 0xBF;
    return follows(1, least, most) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

/// A path is a str as Python's `os.fsdecode()` makes it: a byte that is no UTF-8 is a surrogate.
template <> struct Crossing<std::filesystem::path> {
  static constexpr std::uint32_t flags = SUBPY_CONVERT | SUBPY_LOSSLESS_TEXT;
  static constexpr bool borrows = false;

  static subpy_value to_python(const std::filesystem::path &path, Builder &builder) {
    const std::string &native = path.native();
    std::string_view rest(native);
    while (const std::size_t length = utf8_character(rest)) {
      rest.remove_prefix(length);
    }
    if (rest.empty()) {
      return subpy_str_n(native.data(), native.size());
    }
    std::string text(native, 0, native.size() - rest.size());
    while (!rest.empty()) {
      std::size_t length = utf8_character(rest);
      if (length > 0) {
        text.append(rest, 0, length);
      } else {
        const auto byte = static_cast<unsigned char>(rest[0]);
        text += '\xED';
        text += static_cast<char>(byte < 0xC0 ? 0xB2 : 0xB3);
        text += static_cast<char>(0x80 | (byte & 0x3F));
        length = 1;
      }
      rest.remove_prefix(length);
    }
    const std::string &kept = builder.keep(std::move(text));
    return subpy_text_of_kind(SUBPY_WTF8, kept.data(), kept.size());
  }

  static std::optional<std::filesystem::path> from_python(const subpy_value &value,
                                                          Mismatch &mismatch) {
    if (value.kind == SUBPY_STR || value.kind == SUBPY_BYTES) {
      return std::filesystem::path(std::string(value.as.text.data, value.as.text.length));
    }
    if (value.kind == SUBPY_WTF8) {
      if (std::optional<std::string> bytes =
              without_surrogates({value.as.text.data, value.as.text.length})) {
        return std::filesystem::path(std::move(*bytes));
      }
    }
    mismatch.note(value, "a path");
    return std::nullopt;
  }

private:
  static std::optional<std::string> without_surrogates(std::string_view text) {
    std::string bytes;
    while (!text.empty()) {
      std::size_t length = utf8_character(text);
      if (length > 0) {
        bytes.append(text, 0, length);
      } else {
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
        if (text.size() < 3 || byte(0) != 0xED || (byte(1) != 0xB2 && byte(1) != 0xB3)) {
          return std::nullopt;
        }
        bytes += static_cast<char>((byte(1) == 0xB2 ? 0x80 : 0xC0) | (byte(2) & 0x3F));
        length = 3;
      }
      text.remove_prefix(length);
    }
    return bytes;
  }
};

// Enums. ------------------------------------------------------------------------------------------

/// An enum that has no CrossesAs is its number.
template <typename T>
struct Crossing<
    T, std::enable_if_t<std::is_enum_v<T> && !std::is_same_v<T, std::byte> && !has_crosses_as<T>>> {
  using Underlying = std::underlying_type_t<T>;
  using Number = std::conditional_t<std::is_signed_v<Underlying>, std::int64_t, std::uint64_t>;
  static constexpr std::uint32_t flags = SUBPY_CONVERT | flags_of<Number>;
  static constexpr bool borrows = false;

  static subpy_value to_python(T member, Builder &builder) {
    return detail::to_python<Number>(static_cast<Number>(member), builder);
  }

  static std::optional<T> from_python(const subpy_value &value, Mismatch &mismatch) {
    Mismatch ignored;
    const std::optional<Number> number = detail::from_python<Number>(value, ignored);
    if (!number || static_cast<Number>(static_cast<Underlying>(*number)) != *number) {
      mismatch.note(value, "a number of the enum");
      return std::nullopt;
    }
    return static_cast<T>(*number);
  }
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
