/* Of the header that a POSIX system on Windows has, what fixtures use. */
typedef void *HANDLE;
typedef int BOOL;

#ifdef __cplusplus
extern "C"
#endif
BOOL SetEvent(HANDLE event);
