/* A generator of random numbers (xorshift64*): the same ones for the same seed, everywhere. */
#ifndef SUBPY_FUZZ_RANDOM_H
#define SUBPY_FUZZ_RANDOM_H

#include <cstddef>
#include <cstdint>

class Random {
public:
  explicit Random(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15u + 1) {
    for (int i = 0; i < 8; i++) {
      next();
    }
  }

  uint64_t next() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1du;
  }

  /* 0 to count - 1. */
  size_t below(size_t count) { return static_cast<size_t>((next() >> 16) % count); }

  bool one_in(size_t count) { return below(count) == 0; }

  template <typename T, size_t count> const T &of(const T (&items)[count]) {
    return items[below(count)];
  }

private:
  uint64_t state;
};

#endif
