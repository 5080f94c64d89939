/// @file
/// Memory of the host's that Python uses.

#ifndef SUBPY_HOST_BUFFER_HPP
#define SUBPY_HOST_BUFFER_HPP

#include <subpy/buffer_format.hpp>
#include <subpy/crossing.hpp>
#include <subpy/span.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// Memory of the host's that becomes a memoryview in Python, without a copy. That takes the same
/// time for any size. The host may hand it to many interpreters, which share it then.
///
/// @code
/// python.set("frame", subpy::HostBuffer(std::move(pixels)).shape({1080, 1920, 3}));
/// @endcode
///
/// Scripts may write to the memory if the items that it was made of are not const. The host and the
/// scripts then have to agree on who writes when.
///
/// Copies of this object stand for the same memory. The memory is released when the last copy and
/// Python's last view are gone. Views end with their interpreter. The thread that let go of the
/// memory releases it, and holds no GIL then.
class HostBuffer {
public:
  /// Makes a buffer of memory that stays where it is until `release` is called.
  ///
  /// @param memory  Numbers, or `std::byte`.
  /// @param release The library calls it once, when the memory is released. It may use other
  ///                interpreters. It must not throw.
  template <typename T>
  explicit HostBuffer(Span<T> memory, std::function<void()> release = {})
      : HostBuffer(memory, owner_of(memory.data(), std::move(release))) {}

  /// Makes a buffer of a vector, and owns the vector.
  template <typename T>
  explicit HostBuffer(std::vector<T> vector)
      : HostBuffer(std::make_shared<std::vector<T>>(std::move(vector))) {}

  /// Makes a buffer of a vector that the host shares. The host must not resize the vector.
  template <typename T>
  explicit HostBuffer(std::shared_ptr<std::vector<T>> vector)
      : HostBuffer(Span<T>(*vector), vector) {}

  /// Makes a buffer that scripts can only read, of a vector that the host shares.
  template <typename T>
  explicit HostBuffer(std::shared_ptr<const std::vector<T>> vector)
      : HostBuffer(Span<const T>(*vector), vector) {}

  /// Sets how many items each dimension has. The default is one dimension of all items.
  HostBuffer &shape(std::vector<std::ptrdiff_t> shape) {
    shape_ = std::move(shape);
    return *this;
  }

  /// Sets what an item is, in place of the C++ type: see subpy_buffer_info::format.
  HostBuffer &format(std::string format, std::size_t item_size) {
    format_ = std::move(format);
    item_size_ = item_size;
    return *this;
  }

  /// Makes the memory read-only for scripts.
  HostBuffer &read_only() noexcept {
    writable_ = false;
    return *this;
  }

private:
  friend struct detail::Crossing<HostBuffer>;

  template <typename T>
  HostBuffer(Span<T> memory, std::shared_ptr<const void> owner)
      : owner_(std::move(owner)), data_(const_cast<std::remove_cv_t<T> *>(memory.data())),
        length_(memory.size() * sizeof(T)), writable_(!std::is_const_v<T>),
        format_(format_or_fail<std::remove_cv_t<T>>()), item_size_(sizeof(T)) {}

  static std::shared_ptr<const void> owner_of(const void *memory, std::function<void()> release) {
    if (!release) {
      return nullptr;
    }
    return {memory, [release = std::move(release)](const void *) noexcept { release(); }};
  }

  template <typename T> static const char *format_or_fail() noexcept {
    static_assert(detail::format_of<T>(),
                  "subpy: a buffer has no items of this type: make it of numbers, or of "
                  "subpy::as_bytes() and a format()");
    return detail::format_of<T>() ? detail::format_of<T>() : "";
  }

  std::shared_ptr<const void> owner_;
  void *data_;
  std::size_t length_;
  bool writable_;
  std::string format_;
  std::size_t item_size_;
  std::vector<std::ptrdiff_t> shape_;
};

namespace detail {

/// A HostBuffer crosses to Python only. From Python, memory is a PinnedBuffer.
template <> struct Crossing<HostBuffer> {
  static constexpr std::uint32_t flags = 0;
  static constexpr bool borrows = false;

  static subpy_value to_python(const HostBuffer &buffer, Builder &builder) {
    subpy_buffer_info &info = builder.buffer(); // in place: a copy would wait for these stores
    info.data = buffer.data_;
    info.length = buffer.length_;
    info.writable = buffer.writable_;
    info.item_size = buffer.item_size_;
    info.format = buffer.format_.c_str();
    info.dimensions = static_cast<std::uint32_t>(buffer.shape_.size());
    info.shape = buffer.shape_.empty() ? nullptr : buffer.shape_.data();
    if (buffer.owner_.use_count() > 0) {
      info.user = new std::shared_ptr<const void>(buffer.owner_);
      info.release = &release;
    }
    return subpy_buffer(&info);
  }

private:
  static void release(void *user) noexcept {
    delete static_cast<std::shared_ptr<const void> *>(user);
  }
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
