#include <windows.h>

struct session {
    struct {
        HANDLE stop;
        struct {
            HANDLE event;
            int count;
        } ready;
    } events;
    int count;
    struct {
        HANDLE thread;
        HANDLE pipe;
    } work;
};

void session_run(struct session *session);
void session_close(struct session *session);
