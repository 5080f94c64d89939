/// @file
/// Spans: views of memory.

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

/// A view of the items of memory that somebody else owns: `std::span` for C++17. Where there is
/// `std::span`, each converts to the other.
template <typename T> class Span {
public:
  /// The type of an item. It is const if the items can only be read.
  using element_type = T;
  /// The type of an item, without const.
  using value_type = std::remove_cv_t<T>;
  /// A pointer to an item.
  using iterator = T *;

  /// Makes an empty span.
  constexpr Span() noexcept = default;

  /// Makes a span of `size` items.
  constexpr Span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}

  /// Makes a span of an array, or of anything that has `data()` and `size()`: `std::vector`,
  /// `std::array`, `std::span`.
  template <typename Container,
            typename = std::enable_if_t<
                std::is_convertible_v<
                    std::remove_pointer_t<decltype(std::data(std::declval<Container &>()))> (*)[],
                    T (*)[]> &&
                !std::is_same_v<std::remove_cv_t<std::remove_reference_t<Container>>, Span>>>
  constexpr Span(Container &&container) noexcept
      : data_(std::data(container)), size_(std::size(container)) {}

  /// A pointer to the first item. It may be NULL if there is none.
  constexpr T *data() const noexcept { return data_; }
  /// The number of items.
  constexpr std::size_t size() const noexcept { return size_; }
  /// Whether there is no item.
  constexpr bool empty() const noexcept { return size_ == 0; }
  /// An item. The index has to be less than size().
  constexpr T &operator[](std::size_t index) const { return data_[index]; }
  /// An iterator to the first item.
  constexpr iterator begin() const noexcept { return data_; }
  /// An iterator past the last item.
  constexpr iterator end() const noexcept { return data_ + size_; }

private:
  T *data_ = nullptr;
  std::size_t size_ = 0;
};

/// A view of bytes.
using Bytes = Span<const std::byte>;

/// The bytes of the items of a span, a container or a string, without a copy.
template <typename Container> Bytes as_bytes(const Container &container) noexcept {
  const auto *const data = std::data(container);
  static_assert(std::is_trivially_copyable_v<std::remove_pointer_t<decltype(data)>>,
                "subpy: these items are not what their bytes are");
  return {reinterpret_cast<const std::byte *>(data), std::size(container) * sizeof *data};
}

/// The bytes of the items of a span or a container, to write to, without a copy.
template <typename Container> Span<std::byte> as_writable_bytes(Container &&container) noexcept {
  auto *const data = std::data(container);
  static_assert(std::is_trivially_copyable_v<std::remove_pointer_t<decltype(data)>>,
                "subpy: these items are not what their bytes are");
  return {reinterpret_cast<std::byte *>(data), std::size(container) * sizeof *data};
}

SUBPY_NAMESPACE_END
} // namespace subpy

#ifdef __cpp_lib_span
/// The items outlive a Span of them.
template <typename T>
inline constexpr bool std::ranges::enable_borrowed_range<subpy::Span<T>> = true;
#endif

#endif
