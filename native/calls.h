// What all calls from XLA have in common: which routines serve here, and XLA's threads.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "kernel.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;
using FloatBuffer = ffi::Buffer<ffi::F32>;

// Those for this processor, or null where it has none of the instructions.
const Routines* routines();

Parallel on_threads_of(ffi::ThreadPool& pool);

// Shapes and attributes that do not belong together: the call's own, or forged.
inline ffi::Error mismatch(const char* what) {
  return ffi::Error(ffi::ErrorCode::kInvalidArgument, std::string("downslope: ") + what);
}

// What `work` returns; XLA is compiled without exceptions, so none may pass through it.
template <typename Work>
ffi::Error guarded(Work work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return ffi::Error(ffi::ErrorCode::kResourceExhausted, "downslope: out of memory");
  } catch (const std::exception& error) {
    return ffi::Error(ffi::ErrorCode::kInternal, std::string("downslope: ") + error.what());
  }
}
