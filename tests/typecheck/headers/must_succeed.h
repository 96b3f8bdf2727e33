#include <stdlib.h>

#define MUST_SUCCEED(status) ((status) == 0 ? (void)0 : abort())
