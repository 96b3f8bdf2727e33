#define IS_GOOD_STATUS(status) ((status) >= 0)
