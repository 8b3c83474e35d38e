// Vectors of LANES floats, loaded and stored wherever they lie, and memory for many of them.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "parallel.h"

namespace {

constexpr int64_t kLanes = LANES;

typedef float Vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t Mask __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint8_t Bytes __attribute__((vector_size(LANES), aligned(1), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const Vector*>(from); }
inline void store(float* to, Vector value) { *reinterpret_cast<Vector*>(to) = value; }
inline Vector choose(Mask mask, Vector yes, Vector no) { return mask ? yes : no; }
inline Vector all(float value) { return value - Vector{}; }  // x - 0 is x, also for -0: a mere copy

inline Vector load_some(const float* from, int64_t count) {
  if (count >= kLanes) return load(from);
#if LANES == 16 && defined(__AVX512F__)
  return count <= 0 ? Vector{} : (Vector)_mm512_maskz_loadu_ps((1u << count) - 1, from);
#endif
  Vector value = {};
  std::memcpy(&value, from, count * sizeof(float));
  return value;
}

inline void store_some(float* to, Vector value, int64_t count) {
  if (count >= kLanes) return store(to, value);
#if LANES == 16 && defined(__AVX512F__)
  if (count > 0) _mm512_mask_storeu_ps(to, (1u << count) - 1, (__m512)value);
#else
  std::memcpy(to, &value, count * sizeof(float));
#endif
}

inline Mask load_places(const uint8_t* from, int64_t count) {
  Bytes places = {};
  std::memcpy(&places, from, std::min(count, kLanes));
  return __builtin_convertvector(places, Mask);
}

inline void store_places(uint8_t* to, Mask value, int64_t count) {
  Bytes places = __builtin_convertvector(value, Bytes);
  std::memcpy(to, &places, std::min(count, kLanes));
}

constexpr int64_t kSide = 4;

// Writes a square of kSide rows with its rows as columns.
inline void turn_square(const float* from, int64_t pitch, float* to, int64_t to_pitch) {
  __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + pitch);
  __m128 c = _mm_loadu_ps(from + 2 * pitch), d = _mm_loadu_ps(from + 3 * pitch);
  _MM_TRANSPOSE4_PS(a, b, c, d);
  _mm_storeu_ps(to, a);
  _mm_storeu_ps(to + to_pitch, b);
  _mm_storeu_ps(to + 2 * to_pitch, c);
  _mm_storeu_ps(to + 3 * to_pitch, d);
}

inline int64_t whole_vectors(int64_t count) { return (count + kLanes - 1) / kLanes * kLanes; }

// Floats that begin at a cache line, so that no vector of them lies across two.
class Floats {
 public:
  Floats() = default;
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;
  ~Floats() { std::free(data_); }

  float* data() { return data_; }
  void reserve(int64_t count) {
    if (count >= 0 && count <= size_) return;
    std::free(data_);
    data_ = nullptr;
    size_ = 0;  // also where what follows fails
    if (count < 0 || count > kMostFloats) throw std::bad_alloc();
    const size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
    data_ = static_cast<float*>(std::aligned_alloc(64, bytes));
    if (data_ == nullptr) throw std::bad_alloc();
    size_ = count;
  }

 private:
  float* data_ = nullptr;
  int64_t size_ = 0;
};

// Memory of a thread that is kept for its next task, for `sizes` multiplied; std::bad_alloc where
// that is more than there is.
template <int kind, typename... Sizes>
float* scratch(Sizes... sizes) {
  thread_local Floats kept;
  kept.reserve(floats_of(floats_of(sizes...) + kLanes));
  return kept.data();
}

}  // namespace
