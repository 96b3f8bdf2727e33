#include <windows.h>

#include <cstdlib>

#define EXPECT_FAILURE(result) (FAILED(result) ? (void)0 : std::abort())
#define VERIFY_WIN32_BOOL_SUCCEEDED(result) ((result) ? (void)0 : std::abort())
