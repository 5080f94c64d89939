/// @file
/// Views of memory.

#ifndef SUBPY_SPAN_HPP
#define SUBPY_SPAN_HPP

#include <subpy/exceptions.hpp>

#include <cstddef>
#include <iterator>
#include <type_traits>
#include <utility>

#if __has_include(<version>)
#include <version>
#endif
#ifdef __cpp_lib_span
#include <span>
#endif

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// A view of the items of somebody else's memory: `std::span` for C++17. Where there is
/// `std::span`, each converts to the other.
template <typename T> class Span {
public:
  /// What it is a view of; const if they can only be read.
  using element_type = T;
  /// The same, without that const.
  using value_type = std::remove_cv_t<T>;
  /// A pointer.
  using iterator = T *;

  /// Of nothing.
  constexpr Span() noexcept = default;

  /// Of `size` items.
  constexpr Span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}

  /// Of an array, or of anything that has `data()` and `size()`: `std::vector`, `std::array`,
  /// `std::span`.
  template <typename Container,
            typename = std::enable_if_t<
                std::is_convertible_v<
                    std::remove_pointer_t<decltype(std::data(std::declval<Container &>()))> (*)[],
                    T (*)[]> &&
                !std::is_same_v<std::remove_cv_t<std::remove_reference_t<Container>>, Span>>>
  constexpr Span(Container &&container) noexcept
      : data_(std::data(container)), size_(std::size(container)) {}

  /// The first item. May be NULL if there is none.
  constexpr T *data() const noexcept { return data_; }
  /// How many items.
  constexpr std::size_t size() const noexcept { return size_; }
  /// Whether there is none.
  constexpr bool empty() const noexcept { return size_ == 0; }
  /// An item, of those that there are.
  constexpr T &operator[](std::size_t index) const { return data_[index]; }
  /// The first item.
  constexpr iterator begin() const noexcept { return data_; }
  /// Past the last one.
  constexpr iterator end() const noexcept { return data_ + size_; }

private:
  T *data_ = nullptr;
  std::size_t size_ = 0;
};

/// A view of bytes.
using Bytes = Span<const std::byte>;

/// The bytes of the items of a span, a container or a string, which is not copied.
template <typename Container> Bytes as_bytes(const Container &container) noexcept {
  const auto *const data = std::data(container);
  static_assert(std::is_trivially_copyable_v<std::remove_pointer_t<decltype(data)>>,
                "subpy: these items are not what their bytes are");
  return {reinterpret_cast<const std::byte *>(data), std::size(container) * sizeof *data};
}

/// The same, to be written to.
template <typename Container> Span<std::byte> as_writable_bytes(Container &&container) noexcept {
  auto *const data = std::data(container);
  static_assert(std::is_trivially_copyable_v<std::remove_pointer_t<decltype(data)>>,
                "subpy: these items are not what their bytes are");
  return {reinterpret_cast<std::byte *>(data), std::size(container) * sizeof *data};
}

SUBPY_NAMESPACE_END
} // namespace subpy

#ifdef __cpp_lib_span
/// A span may outlive the object that it was made of.
template <typename T>
inline constexpr bool std::ranges::enable_borrowed_range<subpy::Span<T>> = true;
#endif

#endif
