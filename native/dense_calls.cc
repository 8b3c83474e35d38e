// The calls that XLA makes for dense layers, of one network or of several side by side.
#include <algorithm>
#include <initializer_list>
#include <vector>

#include "calls.h"

namespace {

// Where the arrays of each member begin. Several members have axes before those of a layer's own;
// an array that they share has length 1 there.
class Members {
 public:
  explicit Members(ffi::Span<const int64_t> result, size_t own)
      : axes_(result.begin(), result.end() - own) {
    for (int64_t length : axes_) count_ *= length;
  }

  int64_t count() const { return count_; }

  // Whether an array has the members' axes, or 1 where they share it, and then its own.
  bool have(ffi::Span<const int64_t> array, std::initializer_list<int64_t> own) const {
    if (array.size() != axes_.size() + own.size()) return false;
    for (size_t axis = 0; axis < axes_.size(); ++axis)
      if (array[axis] != axes_[axis] && array[axis] != 1) return false;
    return std::equal(own.begin(), own.end(), array.begin() + axes_.size());
  }

  // The number of floats before those of a member in an array with `own` axes of its own.
  int64_t before(int64_t member, ffi::Span<const int64_t> array, size_t own) const {
    int64_t step = 1, found = 0;
    for (size_t axis = array.size() - own; axis < array.size(); ++axis) step *= array[axis];
    for (size_t axis = axes_.size(); axis-- > 0;) {
      const int64_t place = member % axes_[axis];
      member /= axes_[axis];
      if (array[axis] > 1) found += place * step;
      step *= array[axis];
    }
    return found;
  }

  template <typename Buffer>
  auto of(int64_t member, Buffer& buffer, size_t own) const {
    return buffer.typed_data() + before(member, buffer.dimensions(), own);
  }

 private:
  std::vector<int64_t> axes_;
  int64_t count_ = 1;
};

constexpr const char* kMisfit = "arrays of a dense layer do not fit each other";

int64_t from_end(ffi::Span<const int64_t> dimensions, size_t axis) {
  return dimensions[dimensions.size() - axis];
}

ffi::Error forward(ffi::ThreadPool threads, FloatBuffer inputs, FloatBuffer weights,
                   FloatBuffer biases, int64_t rectify, ffi::Result<FloatBuffer> outputs) {
  return guarded([&]() -> ffi::Error {
    const auto shape = outputs->dimensions();
    if (shape.size() < 2 || weights.dimensions().size() < 2) return mismatch(kMisfit);
    const Dense dense = {from_end(shape, 2), from_end(weights.dimensions(), 2), from_end(shape, 1),
                         rectify != 0};
    const Members members(shape, 2);
    if (!members.have(inputs.dimensions(), {dense.samples, dense.features}) ||
        !members.have(weights.dimensions(), {dense.features, dense.units}) ||
        !members.have(biases.dimensions(), {dense.units}))
      return mismatch(kMisfit);
    const Parallel parallel = on_threads_of(threads);
    for (int64_t member = 0; member < members.count(); ++member)
      routines()->dense.forward(dense, members.of(member, inputs, 2), members.of(member, weights, 2),
                                members.of(member, biases, 1), members.of(member, *outputs, 2),
                                parallel);
    return ffi::Error::Success();
  });
}

ffi::Error weights_gradient(ffi::ThreadPool threads, FloatBuffer inputs, FloatBuffer outputs,
                            FloatBuffer slopes, int64_t rectify, ffi::Result<FloatBuffer> gradient,
                            ffi::Result<FloatBuffer> biases_gradient) {
  return guarded([&]() -> ffi::Error {
    const auto shape = gradient->dimensions();
    if (shape.size() < 2 || slopes.dimensions().size() < 2) return mismatch(kMisfit);
    const Dense dense = {from_end(slopes.dimensions(), 2), from_end(shape, 2), from_end(shape, 1),
                         rectify != 0};
    const Members members(shape, 2);
    if (!members.have(inputs.dimensions(), {dense.samples, dense.features}) ||
        !members.have(outputs.dimensions(), {dense.samples, dense.units}) ||
        !members.have(slopes.dimensions(), {dense.samples, dense.units}) ||
        !members.have(biases_gradient->dimensions(), {dense.units}))
      return mismatch(kMisfit);
    const Parallel parallel = on_threads_of(threads);
    for (int64_t member = 0; member < members.count(); ++member)
      routines()->dense.weights_gradient(
          dense, members.of(member, inputs, 2), members.of(member, outputs, 2),
          members.of(member, slopes, 2), members.of(member, *gradient, 2),
          members.of(member, *biases_gradient, 1), parallel);
    return ffi::Error::Success();
  });
}

ffi::Error inputs_gradient(ffi::ThreadPool threads, FloatBuffer weights, FloatBuffer outputs,
                           FloatBuffer slopes, int64_t rectify, ffi::Result<FloatBuffer> gradient) {
  return guarded([&]() -> ffi::Error {
    const auto shape = gradient->dimensions();
    if (shape.size() < 2 || slopes.dimensions().size() < 2) return mismatch(kMisfit);
    const Dense dense = {from_end(shape, 2), from_end(shape, 1), from_end(slopes.dimensions(), 1),
                         rectify != 0};
    const Members members(shape, 2);
    if (!members.have(weights.dimensions(), {dense.features, dense.units}) ||
        !members.have(outputs.dimensions(), {dense.samples, dense.units}) ||
        !members.have(slopes.dimensions(), {dense.samples, dense.units}))
      return mismatch(kMisfit);
    const Parallel parallel = on_threads_of(threads);
    for (int64_t member = 0; member < members.count(); ++member)
      routines()->dense.inputs_gradient(dense, members.of(member, weights, 2),
                                        members.of(member, outputs, 2),
                                        members.of(member, slopes, 2),
                                        members.of(member, *gradient, 2), parallel);
    return ffi::Error::Success();
  });
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(downslope_dense_forward, forward,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<FloatBuffer>().Arg<FloatBuffer>().Arg<FloatBuffer>()
                                  .Attr<int64_t>("rectify").Ret<FloatBuffer>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(downslope_dense_weights_gradient, weights_gradient,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<FloatBuffer>().Arg<FloatBuffer>().Arg<FloatBuffer>()
                                  .Attr<int64_t>("rectify")
                                  .Ret<FloatBuffer>().Ret<FloatBuffer>());

XLA_FFI_DEFINE_HANDLER_SYMBOL(downslope_dense_inputs_gradient, inputs_gradient,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<FloatBuffer>().Arg<FloatBuffer>().Arg<FloatBuffer>()
                                  .Attr<int64_t>("rectify").Ret<FloatBuffer>());
