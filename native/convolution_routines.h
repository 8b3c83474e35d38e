// The routines themselves, compiled once for each kind of vector instructions (LANES floats each).
//
// Direct convolution: sums of PIXELS pixels by two vectors of outputs stay in registers while all
// weights that reach them pass by. Each picture is worked on in bands of rows, which are copied
// into a small padded buffer, so that no inner loop asks where the picture ends.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "convolution.h"
#include "vectors.h"

namespace {

constexpr int64_t kGroup = 4096 / (2 * kLanes);  // numbers whose weights take 16 KiB
constexpr int64_t kBandPixels = 96;  // per band at least: enough to hide the edges of tiles
constexpr int64_t kSlopePixels = 512;  // likewise where a band's edges are slopes, found anew

// Weights meet a picture in runs: numbers that are neighbours in both.
struct Run {
  int64_t offset;  // from the pixel's first number
  int64_t length;
};

using Group = std::pair<const Run*, const Run*>;  // the first, and behind the last

struct Runs {
  std::vector<Run> all;
  int64_t total = 0;

  // Runs whose weights, for two vectors of outputs, stay in the nearest cache.
  std::vector<Group> groups() const {
    std::vector<Group> found;
    const Run* const end = all.data() + all.size();
    for (const Run* run = all.data(); run < end;) {
      const Run* const first = run;
      int64_t length = 0;
      do length += run++->length;
      while (run < end && length + run->length <= kGroup);
      found.push_back({first, run});
    }
    return found;
  }

  Runs(int64_t rows, int64_t columns, int64_t channels, int64_t dilation, int64_t pitch) {
    const bool joined = dilation == 1 || columns == 1;  // a kernel's row is one run
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = 0; column < (joined ? 1 : columns); ++column)
        all.push_back({row * dilation * pitch + column * dilation * channels,
                       joined ? columns * channels : channels});
    for (const Run& run : all) total += run.length;
  }
};

// A band of rows of pictures, as the inner loops want it.
struct Band {
  const float* numbers;
  int64_t pitch;  // floats from a row to the next
};

// ---------------------------------------------------------------- a kernel over a band

template <int pixels, int vectors>
inline void tile(const float* const* bases, const Group& group, const float* weights, bool is_first,
                 float* sums, int64_t step) {
  Vector sum[pixels][vectors];
  for (int p = 0; p < pixels; ++p)
    for (int v = 0; v < vectors; ++v)
      sum[p][v] = is_first ? Vector{} : load(sums + p * step + v * kLanes);
  for (const Run* run = group.first; run < group.second; ++run) {
    const float* at[pixels];
    for (int p = 0; p < pixels; ++p) at[p] = bases[p] + run->offset;
    for (int64_t m = 0; m < run->length; ++m) {
      Vector weight[vectors];
      for (int v = 0; v < vectors; ++v) weight[v] = load(weights + v * kLanes);
#pragma GCC unroll 16
      for (int p = 0; p < pixels; ++p) {
        const Vector number = all(at[p][m]);
        for (int v = 0; v < vectors; ++v) sum[p][v] += number * weight[v];
      }
      weights += vectors * kLanes;
    }
  }
  for (int p = 0; p < pixels; ++p)
    for (int v = 0; v < vectors; ++v) store(sums + p * step + v * kLanes, sum[p][v]);
}

#if LANES == 16 && defined(__AVX512F__)
// One vector of outputs would need a broadcast for each product, and there is one per cycle where
// there are two products. So four numbers are broadcast at once, to the four quarters of a vector:
// sum q holds four parts of each of the outputs q, 4 + q, 8 + q and 12 + q, added up in the end.
#define FOUR_AT_ONCE 1

inline Vector four(const float* from, int64_t count) {
  const __m128 numbers = count >= 4 ? _mm_loadu_ps(from)
                                    : _mm512_castps512_ps128((__m512)load_some(from, count));
  return (Vector)_mm512_broadcast_f32x4(numbers);
}

template <int pixels>
inline void tile_of_one(const float* const* bases, const Group& group, const float* weights,
                        bool is_first, float* sums, int64_t step) {
  Vector sum[pixels][4] = {};
  for (const Run* run = group.first; run < group.second; ++run) {
    const float* at[pixels];
    for (int p = 0; p < pixels; ++p) at[p] = bases[p] + run->offset;
    for (int64_t m = 0; m < run->length; m += 4) {
      Vector weight[4];
      for (int q = 0; q < 4; ++q) weight[q] = load(weights + q * kLanes);
      weights += 4 * kLanes;
      const bool is_whole = m + 4 <= run->length;
#pragma GCC unroll 16
      for (int p = 0; p < pixels; ++p) {
        const Vector numbers = is_whole ? four(at[p] + m, 4) : four(at[p] + m, run->length - m);
        for (int q = 0; q < 4; ++q) sum[p][q] += numbers * weight[q];
      }
    }
  }
#pragma GCC unroll 16
  for (int p = 0; p < pixels; ++p) {
    const __m512 a = (__m512)sum[p][0], b = (__m512)sum[p][1];
    const __m512 c = (__m512)sum[p][2], d = (__m512)sum[p][3];
    const Vector ab = (Vector)_mm512_unpacklo_ps(a, b) + (Vector)_mm512_unpackhi_ps(a, b);
    const Vector cd = (Vector)_mm512_unpacklo_ps(c, d) + (Vector)_mm512_unpackhi_ps(c, d);
    const Vector total = (Vector)_mm512_shuffle_ps((__m512)ab, (__m512)cd, 0x44) +
                         (Vector)_mm512_shuffle_ps((__m512)ab, (__m512)cd, 0xee);
    float* const to = sums + p * step;
    store(to, is_first ? total : load(to) + total);
  }
}

constexpr int kPixelsOfOne = 5;
#else
#define FOUR_AT_ONCE 0
constexpr int kPixelsOfOne = PIXELS;
#endif

template <int vectors>
constexpr int kPixels = vectors == 1 ? kPixelsOfOne : PIXELS;  // whose sums stay in registers

template <int vectors, int pixels = kPixels<vectors>>
inline void some_tile(int64_t count, const float* const* bases, const Group& group,
                      const float* weights, bool is_first, float* sums, int64_t step) {
  if (count != pixels) {
    if constexpr (pixels > 1)
      some_tile<vectors, pixels - 1>(count, bases, group, weights, is_first, sums, step);
    return;
  }
#if FOUR_AT_ONCE
  if constexpr (vectors == 1) {
    tile_of_one<pixels>(bases, group, weights, is_first, sums, step);
    return;
  }
#endif
  tile<pixels, vectors>(bases, group, weights, is_first, sums, step);
}

template <int vectors>
void correlate_group(const Band& band, const Group& group, const float* weights, bool is_first,
                     int64_t high, int64_t wide, int64_t down, int64_t across, float* sums,
                     int64_t step) {
  const float* bases[kPixels<vectors>];
  int64_t filled = 0;
  for (int64_t y = 0; y < high; ++y)
    for (int64_t x = 0; x < wide; ++x) {
      bases[filled++] = band.numbers + y * down * band.pitch + x * across;
      if (filled < kPixels<vectors>) continue;
      some_tile<vectors>(filled, bases, group, weights, is_first, sums, step);
      sums += kPixels<vectors> * step;
      filled = 0;
    }
  if (filled > 0) some_tile<vectors>(filled, bases, group, weights, is_first, sums, step);
}

// How many of a run's numbers are read: with one vector of outputs perhaps four at once.
inline int64_t numbers_read(const Run& run, bool is_pair) {
  return is_pair || !FOUR_AT_ONCE ? run.length : (run.length + 3) / 4 * 4;
}

// Weights in the order in which they are read: two vectors of outputs, then all that reach them.
struct Packed {
  float* weights;  // in memory of the thread that packs them
  int64_t outputs;

  template <typename At>  // at(number within the runs, output)
  Packed(int64_t outputs, const Runs& runs, At at) : outputs(outputs) {
    weights = scratch<2>(whole_vectors(outputs), runs.total + 3 * runs.all.size());
    float* to = weights;
    for (int64_t first = 0; first < outputs; first += 2 * kLanes) {
      const bool is_pair = first + kLanes < outputs;
      const int64_t width = is_pair ? 2 * kLanes : kLanes;
      int64_t start = 0;  // the run's first number
      for (const Run& run : runs.all) {
        for (int64_t m = 0; m < numbers_read(run, is_pair); ++m)
          for (int64_t place = 0; place < width; ++place) {
            int64_t number = m, output = place;
            if (FOUR_AT_ONCE && !is_pair) {
              number = m / 4 * 4 + place % 4;
              output = place / 4 * 4 + m % 4;
            }
            output += first;
            const bool is_there = number < run.length && output < outputs;
            *to++ = is_there ? at(start + number, output) : 0.0f;
          }
        start += run.length;
      }
    }
  }
};

// Sums of high x wide pixels, each of whole_vectors(outputs) floats.
void correlate(const Band& band, const Runs& runs, const Packed& packed, int64_t high, int64_t wide,
               int64_t down, int64_t across, float* sums) {
  const int64_t step = whole_vectors(packed.outputs);
  const float* weights = packed.weights;
  for (int64_t first = 0; first < step; first += 2 * kLanes)
    for (const Group& group : runs.groups()) {
      const bool is_first = group.first == runs.all.data(), is_pair = first + kLanes < step;
      (is_pair ? correlate_group<2> : correlate_group<1>)(band, group, weights, is_first, high,
                                                          wide, down, across, sums + first, step);
      for (const Run* run = group.first; run < group.second; ++run)
        weights += (is_pair ? 2 : 1) * kLanes * numbers_read(*run, is_pair);
    }
}

// ---------------------------------------------------------------- bands of inputs and of slopes

int64_t band_high(const Convolution& c) {  // rows of sums in a band, whole windows
  const int64_t rows = std::max<int64_t>(1, (kBandPixels + c.sums_wide - 1) / c.sums_wide);
  return (rows + c.pool - 1) / c.pool * c.pool;
}

// The rows of inputs that `count` rows of sums from `first` on see, with zeros around.
Band inputs_band(const Convolution& c, const float* image, int64_t first, int64_t count) {
  const int64_t reach = (c.columns - 1) * c.dilation + 1;
  const int64_t wide = (c.sums_wide - 1) * c.stride + reach;  // what the sums see, in pixels
  const int64_t high = (count - 1) * c.stride + (c.rows - 1) * c.dilation + 1;
  const int64_t start = first * c.stride - c.top;
  const int64_t row = c.width * c.channels;
  if (c.left == 0 && wide <= c.width && start >= 0 && start + high <= c.height)
    return {image + start * row, row};
  float* to = scratch<0>(high, wide, c.channels);
  const int64_t pitch = wide * c.channels, before = c.left * c.channels;
  const int64_t copied = std::min(row, pitch - before);
  for (int64_t y = 0; y < high; ++y) {
    float* line = to + y * pitch;
    const int64_t from = start + y;
    if (from < 0 || from >= c.height) {
      std::fill_n(line, pitch, 0.0f);
      continue;
    }
    std::fill_n(line, before, 0.0f);
    std::memcpy(line + before, image + from * row, copied * sizeof(float));
    std::fill_n(line + before + copied, pitch - before - copied, 0.0f);
  }
  return {to, pitch};
}

// Where the slopes by the sums of some rows go: floats from a row to the next, a pixel to the next.
struct Target {
  float* numbers;
  int64_t down, across;
};

// Turns the slopes by one image's outputs into those by its sums, back through pooling and ReLU.
// Rows `first` to `first + count` of the sums are written, up to the last whole window of each.
void slopes_by_sums(const Convolution& c, int64_t image, const float* outputs,
                    const uint8_t* where, const float* slopes, int64_t first, int64_t count,
                    const Target& target) {
  const int64_t start = image * c.high() * c.wide() * c.outputs;
  const int64_t end = std::min(first + count, c.high() * c.pool);
  for (int64_t y = first / c.pool; y * c.pool < end; ++y) {
    const int64_t from = std::max(first, y * c.pool), to = std::min(end, (y + 1) * c.pool);
    for (int64_t x = 0; x < c.wide(); ++x) {
      const int64_t pixel = start + (y * c.wide() + x) * c.outputs;
      float* corner = target.numbers + x * c.pool * target.across;
      for (int64_t k = 0; k < c.outputs; k += kLanes) {
        const int64_t left = c.outputs - k, room = target.across - k;
        Vector slope = load_some(slopes + pixel + k, left);
        if (c.rectify)
          slope = choose(load_some(outputs + pixel + k, left) > 0.0f, slope, Vector{});
        if (c.pool == 1) {
          store_some(corner + (from - first) * target.down + k, slope, room);
          continue;
        }
        const Mask place = load_places(where + pixel + k, left);
        for (int64_t row = from; row < to; ++row)
          for (int64_t column = 0; column < c.pool; ++column) {
            const int64_t window = (row - y * c.pool) * c.pool + column;
            store_some(corner + (row - first) * target.down + column * target.across + k,
                       choose(place == static_cast<int32_t>(window), slope, Vector{}), room);
          }
      }
    }
  }
}

// ---------------------------------------------------------------- forward

void finish_pixel(const Convolution& c, const float* sums, int64_t wide, int64_t step, const float* biases,
                  float* outputs, uint8_t* where) {
  for (int64_t k = 0; k < c.outputs; k += kLanes) {
    const int64_t left = c.outputs - k;
    Vector best = load(sums + k);
    Mask found = {};
    for (int64_t place = 1; place < c.pool * c.pool; ++place) {
      const int64_t pixel = place / c.pool * wide + place % c.pool;
      const Vector sum = load(sums + pixel * step + k);
      const Mask better = (sum > best) | (sum != sum);  // what is not a number wins and stays
      best = choose(better, sum, best);
      found = better ? Mask{} + static_cast<int32_t>(place) : found;
    }
    best += load_some(biases + k, left);
    if (c.rectify) best = choose(best < 0.0f, Vector{}, best);
    store_some(outputs + k, best, left);
    if (c.pool > 1) store_places(where + k, found, left);
  }
}

void forward(const Convolution& c, const float* inputs, const float* kernel, const float* biases,
             float* outputs, uint8_t* where, const Parallel& parallel) {
  const Packed packed(c.outputs, Runs(c.rows, c.columns, c.channels, c.dilation, 0),
                      [&](int64_t m, int64_t k) { return kernel[m * c.outputs + k]; });
  const int64_t used = c.high() * c.pool, wide = c.wide() * c.pool;  // the sums in whole windows
  const int64_t rows = band_high(c), bands = (used + rows - 1) / rows;
  const int64_t step = whole_vectors(c.outputs);
  parallel(c.images * bands, [&](int64_t task) {
    const int64_t image = task / bands, first = task % bands * rows;
    const int64_t count = std::min(rows, used - first);
    const Band band =
        inputs_band(c, inputs + image * c.height * c.width * c.channels, first, count);
    const Runs runs(c.rows, c.columns, c.channels, c.dilation, band.pitch);
    float* sums = scratch<1>(count, wide, step);
    correlate(band, runs, packed, count, wide, c.stride, c.stride * c.channels, sums);
    for (int64_t y = 0; y < count / c.pool; ++y)
      for (int64_t x = 0; x < c.wide(); ++x) {
        const int64_t out =
            ((image * c.high() + first / c.pool + y) * c.wide() + x) * c.outputs;
        const float* corner = sums + (y * wide + x) * c.pool * step;
        finish_pixel(c, corner, wide, step, biases, outputs + out, c.pool > 1 ? where + out : where);
      }
  });
}

// ---------------------------------------------------------------- the kernel's gradient

template <int numbers, int vectors>
inline void contract(const float* inputs, int64_t down, int64_t across, const float* slopes,
                     int64_t step, int64_t high, int64_t wide, float* gradient, int64_t pitch) {
  Vector sum[numbers][vectors] = {};
  for (int64_t y = 0; y < high; ++y) {
    const float* at = inputs + y * down;
    for (int64_t x = 0; x < wide; ++x, at += across, slopes += step) {
      Vector slope[vectors];
      for (int v = 0; v < vectors; ++v) slope[v] = load(slopes + v * kLanes);
#pragma GCC unroll 16
      for (int m = 0; m < numbers; ++m) {
        const Vector number = all(at[m]);
        for (int v = 0; v < vectors; ++v) sum[m][v] += number * slope[v];
      }
    }
  }
  for (int m = 0; m < numbers; ++m)
    for (int v = 0; v < vectors; ++v) {
      float* to = gradient + m * pitch + v * kLanes;
      store(to, load(to) + sum[m][v]);
    }
}

template <int vectors, int numbers = PIXELS>
inline void last_contract(int64_t count, const float* inputs, int64_t down, int64_t across,
                          const float* slopes, int64_t step, int64_t high, int64_t wide,
                          float* gradient, int64_t pitch) {
  if (count == numbers)
    contract<numbers, vectors>(inputs, down, across, slopes, step, high, wide, gradient, pitch);
  else if constexpr (numbers > 1)
    last_contract<vectors, numbers - 1>(count, inputs, down, across, slopes, step, high, wide,
                                        gradient, pitch);
}

template <int vectors>
void contract_block(const Convolution& c, const Band& band, const Runs& runs, const float* slopes,
                    int64_t step, int64_t high, int64_t wide, float* gradient, int64_t pitch) {
  const int64_t down = c.stride * band.pitch, across = c.stride * c.channels;
  for (const Run& run : runs.all) {
    for (int64_t m = 0; m < run.length; m += PIXELS)
      last_contract<vectors>(std::min<int64_t>(PIXELS, run.length - m),
                             band.numbers + run.offset + m, down, across, slopes, step, high,
                             wide, gradient + m * pitch, pitch);
    gradient += run.length * pitch;
  }
}

void kernel_gradient(const Convolution& c, const float* inputs, const float* outputs,
                     const uint8_t* where, const float* slopes, int64_t slots, float* gradient,
                     float* bias_gradient, const Parallel& parallel) {
  const int64_t used = c.high() * c.pool, wide = c.wide() * c.pool;  // the others have no slope
  const int64_t rows = band_high(c), bands = (used + rows - 1) / rows;
  const int64_t tasks = c.images * bands, total = c.rows * c.columns * c.channels;
  const int64_t pitch = whole_vectors(c.outputs), size = (total + 1) * pitch;
  slots = std::min(slots, tasks);
  const bool is_plain = c.pool == 1 && !c.rectify && c.outputs == pitch;
  // the last row of each slot holds the biases' gradient
  float* const partial = scratch<3>(slots, size);

  parallel(slots, [&](int64_t slot) {
    float* own = partial + slot * size;
    std::fill_n(own, size, 0.0f);
    for (int64_t task = tasks * slot / slots; task < tasks * (slot + 1) / slots; ++task) {
      const int64_t image = task / bands, first = task % bands * rows;
      const int64_t count = std::min(rows, used - first);
      const Band band =
          inputs_band(c, inputs + image * c.height * c.width * c.channels, first, count);
      const Runs runs(c.rows, c.columns, c.channels, c.dilation, band.pitch);
      const float* by_sums;
      if (is_plain) {
        by_sums = slopes + (image * c.sums_high + first) * c.sums_wide * c.outputs;
      } else {
        float* to = scratch<1>(count, wide, pitch);
        slopes_by_sums(c, image, outputs, where, slopes, first, count, {to, wide * pitch, pitch});
        by_sums = to;
      }
      for (int64_t k = 0; k < pitch; k += kLanes) {
        Vector sum = {};
        for (int64_t p = 0; p < count * wide; ++p) sum += load(by_sums + p * pitch + k);
        float* to = own + total * pitch + k;
        store(to, load(to) + sum);
      }
      for (int64_t k = 0; k < pitch; k += 2 * kLanes) {
        if (k + kLanes < pitch)
          contract_block<2>(c, band, runs, by_sums + k, pitch, count, wide, own + k, pitch);
        else
          contract_block<1>(c, band, runs, by_sums + k, pitch, count, wide, own + k, pitch);
      }
    }
  });

  for (int64_t m = 0; m <= total; ++m) {
    float* to = m < total ? gradient + m * c.outputs : bias_gradient;
    for (int64_t k = 0; k < c.outputs; k += kLanes) {
      Vector sum = {};
      for (int64_t slot = 0; slot < slots; ++slot)
        sum += load(partial + slot * size + m * pitch + k);
      store_some(to + k, sum, c.outputs - k);
    }
  }
}

// ---------------------------------------------------------------- the inputs' gradient

// The slopes, with `stride - 1` zeros between them and zeros around, seen by the turned kernel.
void inputs_gradient(const Convolution& c, const float* kernel, const float* outputs,
                     const uint8_t* where, const float* slopes, float* gradient,
                     const Parallel& parallel) {
  const int64_t taps = c.rows * c.columns;
  const int64_t above = (c.rows - 1) * c.dilation - c.top;  // may be less than none
  const int64_t before = (c.columns - 1) * c.dilation - c.left;
  const int64_t wide = c.width + (c.columns - 1) * c.dilation, pitch = floats_of(wide, c.outputs);
  const int64_t rows = std::max<int64_t>(1, kSlopePixels / c.width);
  floats_of(rows + (c.rows - 1) * c.dilation, pitch);  // so that no offset below overflows
  const int64_t bands = (c.height + rows - 1) / rows, step = whole_vectors(c.channels);
  const Runs runs(c.rows, c.columns, c.outputs, c.dilation, pitch);
  const Packed packed(c.channels, runs, [&](int64_t m, int64_t channel) {
    const int64_t tap = taps - 1 - m / c.outputs;
    return kernel[(tap * c.channels + channel) * c.outputs + m % c.outputs];
  });

  parallel(c.images * bands, [&](int64_t task) {
    const int64_t image = task / bands, first = task % bands * rows;
    const int64_t count = std::min(rows, c.height - first);
    const int64_t high = count + (c.rows - 1) * c.dilation;
    float* numbers = scratch<0>(high, pitch);
    std::fill_n(numbers, high * pitch, 0.0f);
    // row y of the band lies over row (first - above + y) / stride of the sums, if that is one
    const int64_t start = first - above;
    const int64_t skipped = start > 0 ? (start + c.stride - 1) / c.stride : 0;
    const int64_t end = std::min(c.sums_high, (start + high - 1) / c.stride + 1);
    if (start + high > 0 && skipped < end)
      slopes_by_sums(c, image, outputs, where, slopes, skipped, end - skipped,
                     {numbers + (skipped * c.stride - start) * pitch + before * c.outputs,
                      c.stride * pitch, c.stride * c.outputs});
    float* sums = scratch<1>(count, c.width, step);
    correlate({numbers, pitch}, runs, packed, count, c.width, 1, c.outputs, sums);
    float* to = gradient + (image * c.height + first) * c.width * c.channels;
    for (int64_t p = 0; p < count * c.width; ++p)
      for (int64_t k = 0; k < c.channels; k += kLanes)
        store_some(to + p * c.channels + k, load(sums + p * step + k), c.channels - k);
  });
}

}  // namespace
