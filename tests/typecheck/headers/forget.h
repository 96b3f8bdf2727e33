#define FORGET(name) ((name) = NULL)
