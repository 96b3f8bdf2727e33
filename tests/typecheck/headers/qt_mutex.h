#pragma once

// As much of Qt's locks as the fixtures use.
class QMutex
{
public:
    void lock();
    void unlock();
};

template <typename Mutex = QMutex>
class QMutexLocker
{
public:
    explicit QMutexLocker(Mutex *mutex);
    ~QMutexLocker();
    void unlock();
    void relock();
};
