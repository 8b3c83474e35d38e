// The calls that XLA makes for convolutions, through its foreign-function interface.
#include <algorithm>

#include "calls.h"

using Places = ffi::Buffer<ffi::U8>;

namespace {

constexpr int64_t kLongest = int64_t{1} << 31;  // of a side: products of two have 64 bits
constexpr int64_t kLargestPool = 16;            // whose places are numbers of eight bits

struct Geometry {  // what the arrays' shapes do not tell
  int64_t stride, dilation, top, left, sums_high, sums_wide, pool, rectify;
};

using Shape = ffi::Span<const int64_t>;

Convolution described(const Geometry& g, Shape inputs, Shape kernel) {
  return {inputs[0], inputs[1], inputs[2], inputs[3], kernel[0], kernel[1], kernel[3],
          g.stride, g.dilation, g.top, g.left, g.sums_high, g.sums_wide, g.pool, g.rectify != 0};
}

// Whether sums of one axis see nothing behind the zeros that `before` and the picture leave.
bool is_axis(const Geometry& g, int64_t side, int64_t taps, int64_t before, int64_t sums) {
  if (side < 1 || taps < 1 || sums < g.pool || before < 0) return false;
  if (side > kLongest || taps > kLongest || sums > kLongest || before > kLongest) return false;
  const int64_t reach = (taps - 1) * g.dilation, last = (sums - 1) * g.stride;
  return reach <= kLongest && last <= kLongest && before <= reach && last - before < side;
}

// Null, or what does not belong together.
const char* misfit(const Geometry& g, Shape inputs, Shape kernel) {
  if (inputs.size() != 4 || kernel.size() != 4) return "arrays need four axes";
  if (inputs[3] != kernel[2]) return "the kernel has other channels than the pictures";
  if (inputs[0] < 1 || inputs[3] < 1 || kernel[3] < 1) return "an array is empty";
  if (g.stride < 1 || g.stride > kLongest || g.dilation < 1 || g.dilation > kLongest)
    return "a stride or dilation out of range";
  if (g.pool < 1 || g.pool > kLargestPool) return "windows out of range";
  if (!is_axis(g, inputs[1], kernel[0], g.top, g.sums_high) ||
      !is_axis(g, inputs[2], kernel[1], g.left, g.sums_wide))
    return "the sums lie beside the pictures";
  return nullptr;
}

// Whether an array has the shape of the outputs; `where` is looked at where windows are pooled.
bool is_output(const Convolution& c, Shape found) {
  return found.size() == 4 && found[0] == c.images && found[1] == c.high() &&
         found[2] == c.wide() && found[3] == c.outputs;
}

// Null, or which array has another shape than the others ask for. A ReLU looks at the outputs.
const char* misfit(const Convolution& c, Shape outputs, Shape where, Shape slopes) {
  if (c.rectify && !is_output(c, outputs)) return "the outputs have another shape";
  if (c.pool > 1 && !is_output(c, where)) return "the places have another shape";
  if (!is_output(c, slopes)) return "the gradient has another shape";
  return nullptr;
}

#define GEOMETRY_ATTRIBUTES                                                                     \
  .Attr<int64_t>("stride").Attr<int64_t>("dilation").Attr<int64_t>("top").Attr<int64_t>("left") \
      .Attr<int64_t>("sums_high").Attr<int64_t>("sums_wide").Attr<int64_t>("pool")              \
      .Attr<int64_t>("rectify")
#define GEOMETRY_ARGUMENTS                                                                   \
  int64_t stride, int64_t dilation, int64_t top, int64_t left, int64_t sums_high,            \
      int64_t sums_wide, int64_t pool, int64_t rectify
#define GEOMETRY {stride, dilation, top, left, sums_high, sums_wide, pool, rectify}

ffi::Error forward(ffi::ThreadPool threads, FloatBuffer inputs, FloatBuffer kernel,
                   FloatBuffer biases, GEOMETRY_ARGUMENTS, ffi::Result<FloatBuffer> outputs,
                   ffi::Result<Places> where) {
  return guarded([&]() -> ffi::Error {
    const Geometry g = GEOMETRY;
    if (const char* what = misfit(g, inputs.dimensions(), kernel.dimensions())) return mismatch(what);
    const Convolution c = described(g, inputs.dimensions(), kernel.dimensions());
    const Shape results = outputs->dimensions();
    if (const char* what = misfit(c, results, where->dimensions(), results)) return mismatch(what);
    if (biases.dimensions().size() != 1 || biases.dimensions()[0] != c.outputs)
      return mismatch("the biases have another shape");
    routines()->convolution.forward(c, inputs.typed_data(), kernel.typed_data(),
                                    biases.typed_data(), outputs->typed_data(),
                                    where->typed_data(), on_threads_of(threads));
    return ffi::Error::Success();
  });
}

ffi::Error kernel_gradient(ffi::ThreadPool threads, FloatBuffer inputs, FloatBuffer outputs,
                           Places where, FloatBuffer slopes, GEOMETRY_ARGUMENTS,
                           ffi::Result<FloatBuffer> gradient,
                           ffi::Result<FloatBuffer> bias_gradient) {
  return guarded([&]() -> ffi::Error {
    const Geometry g = GEOMETRY;
    const Shape kernel = gradient->dimensions();
    if (const char* what = misfit(g, inputs.dimensions(), kernel)) return mismatch(what);
    const Convolution c = described(g, inputs.dimensions(), kernel);
    if (const char* what =
            misfit(c, outputs.dimensions(), where.dimensions(), slopes.dimensions()))
      return mismatch(what);
    if (bias_gradient->dimensions().size() != 1 || bias_gradient->dimensions()[0] != c.outputs)
      return mismatch("the biases have another shape");
    const int64_t slots = 2 * std::max<int64_t>(threads.num_threads(), 1);
    routines()->convolution.kernel_gradient(
        c, inputs.typed_data(), outputs.typed_data(), where.typed_data(), slopes.typed_data(),
        slots, gradient->typed_data(), bias_gradient->typed_data(), on_threads_of(threads));
    return ffi::Error::Success();
  });
}

ffi::Error inputs_gradient(ffi::ThreadPool threads, FloatBuffer kernel, FloatBuffer outputs,
                           Places where, FloatBuffer slopes, GEOMETRY_ARGUMENTS,
                           ffi::Result<FloatBuffer> gradient) {
  return guarded([&]() -> ffi::Error {
    const Geometry g = GEOMETRY;
    const Shape inputs = gradient->dimensions();
    if (const char* what = misfit(g, inputs, kernel.dimensions())) return mismatch(what);
    const Convolution c = described(g, inputs, kernel.dimensions());
    if (const char* what =
            misfit(c, outputs.dimensions(), where.dimensions(), slopes.dimensions()))
      return mismatch(what);
    routines()->convolution.inputs_gradient(c, kernel.typed_data(), outputs.typed_data(),
                                            where.typed_data(), slopes.typed_data(),
                                            gradient->typed_data(), on_threads_of(threads));
    return ffi::Error::Success();
  });
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(downslope_forward, forward,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<FloatBuffer>().Arg<FloatBuffer>().Arg<FloatBuffer>()
                                  GEOMETRY_ATTRIBUTES.Ret<FloatBuffer>().Ret<Places>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(downslope_kernel_gradient, kernel_gradient,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<FloatBuffer>().Arg<FloatBuffer>().Arg<Places>().Arg<FloatBuffer>()
                                  GEOMETRY_ATTRIBUTES.Ret<FloatBuffer>().Ret<FloatBuffer>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(downslope_inputs_gradient, inputs_gradient,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<FloatBuffer>().Arg<FloatBuffer>().Arg<Places>().Arg<FloatBuffer>()
                                  GEOMETRY_ATTRIBUTES.Ret<FloatBuffer>());
