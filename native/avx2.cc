// Vectors of 8 floats, 16 registers: 12 sums of 6 pixels by 2 vectors leave room for their factors.
#ifndef LANES
#define LANES 8
#define PIXELS 6
#endif
#define ROUTINES kAvx2
#define NAME "AVX2"
#include "routines.h"
