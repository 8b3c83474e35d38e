// Work for several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <new>

constexpr int64_t kMostFloats = int64_t{1} << 48;  // more than any memory holds

// The numbers multiplied; std::bad_alloc where there is no memory for so many floats. Static: each
// file is compiled for other processors.
template <typename... Numbers>
static inline int64_t floats_of(Numbers... numbers) {
  int64_t found = 1;
  bool fits = true;
  for (const int64_t number : {static_cast<int64_t>(numbers)...})
    fits = fits && number >= 0 && !__builtin_mul_overflow(found, number, &found);
  if (!fits || found > kMostFloats) throw std::bad_alloc();
  return found;
}

// Runs work(0) to work(count - 1), on several threads, in any order. Returns, or throws what the
// work threw, when no thread works any more.
using Parallel = std::function<void(int64_t count, const std::function<void(int64_t)>& work)>;
