/// @file
/// Memory of Python objects that the host uses.

#ifndef SUBPY_PINNED_BUFFER_HPP
#define SUBPY_PINNED_BUFFER_HPP

#include <subpy/buffer_format.hpp>
#include <subpy/value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

/// The memory of a Python object that has the buffer protocol (bytes, bytearray, array.array, an
/// array of numpy), without a copy. The memory stays in place as long as this object lives, and the
/// interpreter can't be destroyed before. The object can be moved, not copied.
///
/// @code
/// auto samples = python.get<subpy::PinnedBuffer>("samples");
/// for (double sample : samples.as<const double>()) { ... }
/// @endcode
///
/// The host may pass it on to Python. In its own interpreter it becomes a view of the object again.
/// Another interpreter shares the memory.
class PinnedBuffer {
public:
  /// Takes the buffer that a C call has written. The place has None then.
  ///
  /// @throws Error #SUBPY_ERR_NOT_SHAREABLE if it is no buffer. The place is as it was then.
  static Returns<PinnedBuffer> take(subpy_value &place) {
    if (place.kind != SUBPY_BUFFER) {
      detail::Mismatch mismatch;
      mismatch.note(place, "an object with the buffer protocol");
      SUBPY_FAIL(Error(SUBPY_ERR_NOT_SHAREABLE, mismatch.text(place, "result")));
    }
    return PinnedBuffer(std::exchange(place, subpy_none()));
  }

  /// Takes the memory of `other`. `other` has none afterwards.
  PinnedBuffer(PinnedBuffer &&other) noexcept : value_(std::exchange(other.value_, subpy_none())) {}

  /// Lets go of the memory of this object, and takes that of `other`.
  PinnedBuffer &operator=(PinnedBuffer &&other) noexcept {
    PinnedBuffer taken(std::move(other));
    std::swap(value_, taken.value_);
    return *this;
  }

  /// Lets go of the memory. This waits for the interpreter's GIL, also while another thread runs
  /// in it.
  ~PinnedBuffer() { subpy_value_clear(&value_); }

  /// Lets go of the memory, as the destructor does. This object has none then.
  void reset() noexcept { subpy_value_clear(&value_); }

  /// Whether this object has memory: not after reset(), and not after it was moved from.
  explicit operator bool() const noexcept { return value_.kind == SUBPY_BUFFER; }

  /// The size of the memory, in bytes.
  std::size_t size() const noexcept { return info().length; }

  /// Whether the host may write to the memory.
  bool writable() const noexcept { return info().writable != 0; }

  /// What an item is, in the words of Python's `struct` module: "d", "<i4".
  std::string_view format() const noexcept { return info().format ? info().format : "B"; }

  /// The size of an item, in bytes.
  std::size_t item_size() const noexcept { return info().item_size; }

  /// How many items each dimension has.
  Span<const std::ptrdiff_t> shape() const noexcept { return {info().shape, info().dimensions}; }

  /// How many bytes lie between the items of each dimension. Empty: the items are in C's order,
  /// without gaps. Other memory comes only if #SUBPY_STRIDED was asked for.
  Span<const std::ptrdiff_t> strides() const noexcept {
    return {info().strides, info().strides ? info().dimensions : 0};
  }

  /// All items, of any shape: `as<const double>()` to read, `as<double>()` to write.
  ///
  /// @throws Error #SUBPY_ERR_NOT_SHAREABLE if the items are no Ts, have gaps, or can't be written
  ///         to.
  template <typename T> Returns<Span<T>> as() const { return View(value_).as<Span<T>>(); }

  /// All bytes.
  ///
  /// @throws Error #SUBPY_ERR_NOT_SHAREABLE if the items have gaps.
  Returns<Bytes> bytes() const { return View(value_).as<Bytes>(); }

  /// The ::subpy_buffer_info of the memory. This object owns it.
  const subpy_buffer_info &info() const noexcept {
    static const subpy_buffer_info none = SUBPY_BUFFER_INFO_INIT;
    return *this ? *value_.as.buffer : none;
  }

  /// The C value. This object owns it.
  const subpy_value &c() const noexcept { return value_; }

private:
  explicit PinnedBuffer(const subpy_value &value) noexcept : value_(value) {}

  subpy_value value_;
};

namespace detail {

/// From Python, a PinnedBuffer can only be a whole result: see PinnedBuffer::take().
template <> struct Crossing<PinnedBuffer> {
  static constexpr std::uint32_t flags = SUBPY_PIN_BYTES;
  static constexpr bool borrows = false;

  static subpy_value to_python(const PinnedBuffer &buffer, Builder &builder) {
    return Crossing<View>::to_python(View(buffer.c()), builder);
  }
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
