// As much of Qt as the fixtures use.
#pragma once

#define Q_OBJECT
#define Q_SIGNALS public
#define Q_SIGNAL
#define signals public
#define slots
#define emit
#define Q_EMIT
#define SIGNAL(signal) #signal
#define SLOT(slot) #slot

namespace Qt
{
enum ConnectionType { AutoConnection, DirectConnection, QueuedConnection };
}

class QObject
{
public:
    explicit QObject(QObject *parent = nullptr);
    virtual ~QObject();
    void deleteLater();

    template <class From, class Signal, class To, class Slot>
    static void connect(From *from, Signal signal, To *to, Slot slot, Qt::ConnectionType how = Qt::AutoConnection);
    template <class From, class Signal, class Slot> static void connect(From *from, Signal signal, Slot slot);
};

template <class T> class QPointer
{
public:
    QPointer(T *object);
    ~QPointer();
    bool isNull() const;
    explicit operator bool() const;
    T *data() const;
};

template <class T> class QScopedValueRollback
{
public:
    QScopedValueRollback(T &variable, T value);
    ~QScopedValueRollback();
};
