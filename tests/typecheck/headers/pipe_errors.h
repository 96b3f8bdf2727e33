enum { PIPE_EIO = 5, PIPE_EBUSY = 16 };
