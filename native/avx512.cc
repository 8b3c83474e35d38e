// Vectors of 16 floats, 32 registers: 16 sums of 8 rows by 2 vectors.
#define LANES 16
#define PIXELS 8
#define ROUTINES kAvx512
#define NAME "AVX-512"
#include "routines.h"
