// What all calls from XLA have in common: which routines serve here, and XLA's threads.
#pragma once

#include "kernel.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;
using FloatBuffer = ffi::Buffer<ffi::F32>;

// Those for this processor, or null where it has none of the instructions.
const Routines* routines();

Parallel on_threads_of(ffi::ThreadPool& pool);
