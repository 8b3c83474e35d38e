// How a dense layer is computed: three products of matrices.
//
// Each is the sum over k of left(row, k) * right(k, column). The right factor is put in order first,
// unless it is read only once: panels of two vectors of columns, each with its k one after another,
// so that the inner loop reads straight on; slopes pass back through ReLU on the way. The left
// factor is read where it lies.
// Sums of PIXELS rows by two vectors stay in registers while all k pass by.
#include <algorithm>

#include "dense.h"
#include "vectors.h"

namespace {

constexpr int64_t kDepth = 256;         // k at a time: their panel stays in the nearest cache
constexpr int64_t kPanel = 2 * kLanes;  // columns of a panel
constexpr int64_t kTaskRows = 64;       // rows that one task works on
constexpr double kFew = 1 << 20;        // products: fewer are done before a thread is awake

const Parallel kHere = [](int64_t count, const std::function<void(int64_t)>& work) {
  for (int64_t task = 0; task < count; ++task) work(task);
};

// ---------------------------------------------------------------- factors

struct Left {  // left(row, k) is numbers[row * down + k * across]; one of the two steps is 1
  const float* numbers;
  int64_t down, across;
};

int64_t width_of_panel(int64_t columns, int64_t first) {
  return std::min(kPanel, whole_vectors(columns - first));
}

struct Right {
  const float* numbers;
  int64_t depth, columns;
  bool in_panels;  // one after another, the last one perhaps half as wide; else as a matrix lies

  const float* panel(int64_t first) const { return numbers + (in_panels ? first * depth : first); }
  int64_t step(int64_t first) const {  // from a panel's k to the next
    return in_panels ? width_of_panel(columns, first) : columns;
  }
};

int64_t panels_of(int64_t columns) { return (columns + kPanel - 1) / kPanel; }

float* memory_of_panels(int64_t depth, int64_t columns) {
  return scratch<4>(whole_vectors(columns), depth);
}

// Panels of a matrix (depth, columns), which is read once for every PIXELS of so many rows.
Right in_order(const float* matrix, int64_t depth, int64_t columns, int64_t rows,
               const Parallel& parallel) {
  const bool is_in_order = columns == kPanel || columns == kLanes;  // one panel already
  if (is_in_order || (rows <= PIXELS && columns % kLanes == 0))
    return {matrix, depth, columns, false};
  float* const panels = memory_of_panels(depth, columns);
  parallel(panels_of(columns), [&](int64_t panel) {
    const int64_t first = panel * kPanel, width = width_of_panel(columns, first);
    float* to = panels + first * depth;
    for (int64_t k = 0; k < depth; ++k, to += width)
      for (int64_t column = 0; column < width; column += kLanes)
        store(to + column,
              load_some(matrix + k * columns + first + column, columns - first - column));
  });
  return {panels, depth, columns, true};
}

// Panels of the slopes by the sums, (samples, units), and their sums over the samples.
Right in_order(const Dense& d, const float* outputs, const float* slopes, float* sums,
               const Parallel& parallel) {
  float* const panels = memory_of_panels(d.samples, d.units);
  parallel(panels_of(d.units), [&](int64_t panel) {
    const int64_t first = panel * kPanel, width = width_of_panel(d.units, first);
    float* const to = panels + first * d.samples;
    for (int64_t column = 0; column < width; column += kLanes) {
      const int64_t at = first + column, left = d.units - at;
      Vector sum = {};
      for (int64_t sample = 0; sample < d.samples; ++sample) {
        const int64_t place = sample * d.units + at;
        Vector slope = load_some(slopes + place, left);
        if (d.rectify) slope = choose(load_some(outputs + place, left) > 0.0f, slope, Vector{});
        store(to + sample * width + column, slope);
        sum += slope;
      }
      store_some(sums + at, sum, left);
    }
  });
  return {panels, d.samples, d.units, true};
}

// Panels of a matrix (columns, depth), which is turned on the way.
Right turned(const float* matrix, int64_t depth, int64_t columns, const Parallel& parallel) {
  float* const panels = memory_of_panels(depth, columns);
  parallel(panels_of(columns), [&](int64_t panel) {
    const int64_t first = panel * kPanel, width = width_of_panel(columns, first);
    float* const to = panels + first * depth;
    int64_t column = 0;
    for (; column + kSide <= std::min(width, columns - first); column += kSide) {
      const float* const from = matrix + (first + column) * depth;
      int64_t k = 0;
      for (; k + kSide <= depth; k += kSide)
        turn_square(from + k, depth, to + k * width + column, width);
      for (; k < depth; ++k)
        for (int64_t c = 0; c < kSide; ++c) to[k * width + column + c] = from[c * depth + k];
    }
    for (; column < width; ++column)
      for (int64_t k = 0; k < depth; ++k)
        to[k * width + column] =
            first + column < columns ? matrix[(first + column) * depth + k] : 0.0f;
  });
  return {panels, depth, columns, true};
}

// ---------------------------------------------------------------- the product

struct Output {  // (rows, columns); what is added to each row at the end, and whether ReLU follows
  float* numbers;
  int64_t columns;
  const float* biases;  // or null
  bool rectify;
};

template <int rows, int vectors, bool is_turned>
inline void product_tile(const Left& left, const float* right, int64_t step, int64_t depth,
                         bool is_first, bool is_last, const Output& out, float* to,
                         int64_t column) {
  Vector sum[rows][vectors];
  for (int p = 0; p < rows; ++p)
    for (int v = 0; v < vectors; ++v) {
      const int64_t room = out.columns - column - v * kLanes;
      sum[p][v] = is_first ? Vector{} : load_some(to + p * out.columns + v * kLanes, room);
    }
  const float* at[rows];
  for (int p = 0; p < rows; ++p) at[p] = left.numbers + p * left.down;
  for (int64_t k = 0; k < depth; ++k) {
    Vector factor[vectors];
    for (int v = 0; v < vectors; ++v) factor[v] = load(right + v * kLanes);
    right += step;
#pragma GCC unroll 16
    for (int p = 0; p < rows; ++p) {
      const Vector number = all(is_turned ? at[0][k * left.across + p] : at[p][k]);
      for (int v = 0; v < vectors; ++v) sum[p][v] += number * factor[v];
    }
  }
  for (int p = 0; p < rows; ++p)
    for (int v = 0; v < vectors; ++v) {
      const int64_t room = out.columns - column - v * kLanes;
      if (is_last && out.biases != nullptr) {
        sum[p][v] += load_some(out.biases + column + v * kLanes, room);
        if (out.rectify) sum[p][v] = choose(sum[p][v] < 0.0f, Vector{}, sum[p][v]);
      }
      store_some(to + p * out.columns + v * kLanes, sum[p][v], room);
    }
}

template <int vectors, bool is_turned, int rows = PIXELS>
inline void last_rows(int64_t count, const Left& left, const float* right, int64_t step,
                      int64_t depth, bool is_first, bool is_last, const Output& out, float* to,
                      int64_t column) {
  if (count == rows)
    product_tile<rows, vectors, is_turned>(left, right, step, depth, is_first, is_last, out, to,
                                           column);
  else if constexpr (rows > 1)
    last_rows<vectors, is_turned, rows - 1>(count, left, right, step, depth, is_first, is_last,
                                            out, to, column);
}

// Some rows of one panel's columns.
template <int vectors, bool is_turned>
void product_rows(const Left& left, const Right& right, const Output& out, int64_t first,
                  int64_t end, int64_t column) {
  for (int64_t k = 0; k < right.depth; k += kDepth) {
    const int64_t depth = std::min(kDepth, right.depth - k);
    const int64_t step = right.step(column);
    const float* const panel = right.panel(column) + k * step;
    for (int64_t row = first; row < end; row += PIXELS)
      last_rows<vectors, is_turned>(
          std::min<int64_t>(PIXELS, end - row),
          {left.numbers + row * left.down + k * left.across, left.down, left.across}, panel,
          step, depth, k == 0, k + depth == right.depth, out, out.numbers + row * out.columns + column, column);
  }
}

template <bool is_turned>
void product(const Left& left, int64_t rows, const Right& right, const Output& out,
             const Parallel& parallel) {
  const int64_t blocks = (rows + kTaskRows - 1) / kTaskRows;
  parallel(panels_of(right.columns) * blocks, [&](int64_t task) {
    const int64_t column = task / blocks * kPanel, first = task % blocks * kTaskRows;
    const int64_t end = std::min(rows, first + kTaskRows);
    if (width_of_panel(right.columns, column) == kPanel)
      product_rows<2, is_turned>(left, right, out, first, end, column);
    else
      product_rows<1, is_turned>(left, right, out, first, end, column);
  });
}

// ---------------------------------------------------------------- a dense layer

void dense_forward(const Dense& d, const float* inputs, const float* weights, const float* biases,
                   float* outputs, const Parallel& parallel) {
  const Parallel& threads = d.products() < kFew ? kHere : parallel;
  const Right right = in_order(weights, d.features, d.units, d.samples, threads);
  product<false>({inputs, d.features, 1}, d.samples, right, {outputs, d.units, biases, d.rectify},
                 threads);
}

void dense_weights_gradient(const Dense& d, const float* inputs, const float* outputs,
                            const float* slopes, float* weights_gradient, float* biases_gradient,
                            const Parallel& parallel) {
  const Parallel& threads = d.products() < kFew ? kHere : parallel;
  const Right right = in_order(d, outputs, slopes, biases_gradient, threads);
  product<true>({inputs, 1, d.features}, d.features, right,
                {weights_gradient, d.units, nullptr, false}, threads);
}

void dense_inputs_gradient(const Dense& d, const float* weights, const float* outputs,
                           const float* slopes, float* inputs_gradient, const Parallel& parallel) {
  const Parallel& threads = d.products() < kFew ? kHere : parallel;
  const float* by_sums = slopes;
  if (d.rectify) {
    float* const to = scratch<5>(d.samples, d.units);
    threads((d.samples + kTaskRows - 1) / kTaskRows, [&](int64_t task) {
      const int64_t first = task * kTaskRows * d.units;
      const int64_t end = std::min(first + kTaskRows * d.units, d.samples * d.units);
      for (int64_t place = first; place < end; place += kLanes) {
        const Vector output = load_some(outputs + place, end - place);
        const Vector slope = load_some(slopes + place, end - place);
        store_some(to + place, choose(output > 0.0f, slope, Vector{}), end - place);
      }
    });
    by_sums = to;
  }
  const Right right = turned(weights, d.units, d.features, threads);
  product<false>({by_sums, d.units, 1}, d.samples, right,
                 {inputs_gradient, d.features, nullptr, false}, threads);
}

}  // namespace
