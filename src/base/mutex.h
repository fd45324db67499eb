// A mutex that clang's -Wthread-safety understands: state shared across threads stands under
// GUARDED_BY.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#define BINNACLE_TSA(x) __attribute__((x))
#define CAPABILITY(x) BINNACLE_TSA(capability(x))
#define SCOPED_CAPABILITY BINNACLE_TSA(scoped_lockable)
#define GUARDED_BY(x) BINNACLE_TSA(guarded_by(x))
#define PT_GUARDED_BY(x) BINNACLE_TSA(pt_guarded_by(x))
#define REQUIRES(...) BINNACLE_TSA(requires_capability(__VA_ARGS__))
#define REQUIRES_SHARED(...) BINNACLE_TSA(requires_shared_capability(__VA_ARGS__))
#define EXCLUDES(...) BINNACLE_TSA(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) BINNACLE_TSA(acquire_capability(__VA_ARGS__))
#define ACQUIRE_SHARED(...) BINNACLE_TSA(acquire_shared_capability(__VA_ARGS__))
#define RELEASE_SHARED(...) BINNACLE_TSA(release_shared_capability(__VA_ARGS__))
#define RELEASE_GENERIC(...) BINNACLE_TSA(release_generic_capability(__VA_ARGS__))
#define RELEASE(...) BINNACLE_TSA(release_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS BINNACLE_TSA(no_thread_safety_analysis)

namespace binnacle {

class CAPABILITY("mutex") Mutex {
 public:
  void lock() ACQUIRE() { mu_.lock(); }
  void unlock() RELEASE() { mu_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mu_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mu) ACQUIRE(mu) : mu_(mu) { mu_.lock(); }
  ~MutexLock() RELEASE() { mu_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

// Many readers or one writer: for what is read in bursts and seldom written. A plain Mutex is
// quicker where it is held for less than some 100 ns.
class CAPABILITY("mutex") SharedMutex {
 public:
  void lock() ACQUIRE() { mu_.lock(); }
  void unlock() RELEASE() { mu_.unlock(); }
  void lock_shared() ACQUIRE_SHARED() { mu_.lock_shared(); }
  void unlock_shared() RELEASE_SHARED() { mu_.unlock_shared(); }

 private:
  std::shared_mutex mu_;
};

class SCOPED_CAPABILITY WriterLock {
 public:
  explicit WriterLock(SharedMutex& mu) ACQUIRE(mu) : mu_(mu) { mu_.lock(); }
  ~WriterLock() RELEASE() { mu_.unlock(); }
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  SharedMutex& mu_;
};

class SCOPED_CAPABILITY ReaderLock {
 public:
  explicit ReaderLock(SharedMutex& mu) ACQUIRE_SHARED(mu) : mu_(mu) { mu_.lock_shared(); }
  ~ReaderLock() RELEASE_GENERIC() { mu_.unlock_shared(); }
  ReaderLock(const ReaderLock&) = delete;
  ReaderLock& operator=(const ReaderLock&) = delete;

 private:
  SharedMutex& mu_;
};

// Wakes may be spurious: wait in a loop over the guarded condition.
class CondVar {
 public:
  void wait(Mutex& mu) REQUIRES(mu) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mu.mu_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }

  // False when the time ran out.
  bool wait_for_ms(Mutex& mu, int64_t ms) REQUIRES(mu) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mu.mu_, std::adopt_lock);
    const auto status = cv_.wait_for(lock, std::chrono::milliseconds(ms));
    lock.release();
    return status == std::cv_status::no_timeout;
  }

  void notify_one() { cv_.notify_one(); }
  void notify_all() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace binnacle
