#include <winsock2.h>

#define LINK_NONE INVALID_SOCKET
