#include <stdlib.h>

#define ASSERT(condition) ((condition) ? (void)0 : abort())
