#include <windows.h>

class OwnedHandle {
public:
    explicit OwnedHandle(HANDLE handle = nullptr);
    OwnedHandle(OwnedHandle &&other);
    OwnedHandle &operator=(OwnedHandle &&other);
    ~OwnedHandle();
    bool valid() const;
    void reset(HANDLE handle);
};
