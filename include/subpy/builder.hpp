/// @file
/// The memory that values for Python point to. Internal to subpy.hpp.

#ifndef SUBPY_BUILDER_HPP
#define SUBPY_BUILDER_HPP

#include <subpy.h>
#include <subpy/exceptions.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace subpy {
SUBPY_NAMESPACE_BEGIN

namespace detail {

/// Owns what the values of one call point to, until the call is over. That is room for items, and
/// things that nobody else owns. Small values and buffers need no allocation.
class Builder {
public:
  Builder() noexcept {}
  Builder(const Builder &) = delete;
  Builder &operator=(const Builder &) = delete;

  ~Builder() {
    for (const Given *given = given_; given; given = given->before) {
      if (given->buffer.release) {
        given->buffer.release(given->buffer.user);
      }
    }
  }

  /// Returns room for items. The caller has to write all of them.
  subpy_value *items(std::size_t count) {
    if (count <= SMALL - used_) {
      used_ += count;
      return small_ + used_ - count;
    }
    std::shared_ptr<subpy_value> large(new subpy_value[count],
                                       std::default_delete<subpy_value[]>());
    kept_.push_back(large);
    return large.get();
  }

  /// Keeps something as long as this object lives.
  template <typename T> const T &keep(T thing) {
    auto kept = std::make_shared<const T>(std::move(thing));
    kept_.push_back(kept);
    return *kept;
  }

  /// Returns a buffer to fill in. The destructor calls its `release`, unless a C call takes it.
  subpy_buffer_info &buffer() {
    void *const room = items((sizeof(Given) - 1) / sizeof(subpy_value) + 1);
    given_ = new (room) Given{SUBPY_BUFFER_INFO_INIT, given_};
    return given_->buffer;
  }

  /// Leaves the buffers to the next C call, which releases them, also if it fails.
  void hand_over() noexcept { given_ = nullptr; }

private:
  /// A buffer that this object is to release, in room for items.
  struct Given {
    subpy_buffer_info buffer;
    Given *before;
  };
  static_assert(alignof(Given) <= alignof(subpy_value));

  static constexpr std::size_t SMALL = 32;

  subpy_value small_[SMALL]; // uninitialized: see items()
  std::size_t used_ = 0;
  std::vector<std::shared_ptr<const void>> kept_;
  Given *given_ = nullptr;
};

} // namespace detail

SUBPY_NAMESPACE_END
} // namespace subpy

#endif
