// A few threads that share one piece of work at a time with the thread that brings it, many
// thousand times a second: a product takes some 10 us, so those who wait look for a moment before
// they sleep. Parts are taken one by one, so a thread that lost its core holds nobody up with more
// than one part. One thread at a time calls run().
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace binnacle::engine {

class ThreadTeam {
 public:
  // The caller is one of `threads`.
  explicit ThreadTeam(int threads);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int threads() const { return static_cast<int>(others_.size()) + 1; }

  // Calls work(part, who) for 0 <= part < parts, 0 <= who < threads(); no two at once have the same
  // `who`. Returns when all are done. Denormals are flushed in the others; the caller sees to
  // itself.
  template <typename Work>
  void run(int64_t parts, const Work& work) {
    if (parts <= 1 || others_.empty()) {
      for (int64_t part = 0; part < parts; ++part) work(part, 0);
      return;
    }
    run_shared(static_cast<uint32_t>(parts), &work, [](const void* what, int64_t part, int who) {
      (*static_cast<const Work*>(what))(part, who);
    });
  }

 private:
  using Call = void (*)(const void* work, int64_t part, int who);

  void run_shared(uint32_t parts, const void* work, Call call);
  void other(int who);
  bool take_part(int who);
  void wait_for_work();

  // The running number of the work above, how many of its parts nobody has taken below. Who takes a
  // part may read call_ and work_ until it has counted the part as done.
  std::atomic<uint64_t> ticket_{0};
  Call call_ = nullptr;
  const void* work_ = nullptr;
  std::atomic<uint32_t> done_{0};
  std::atomic<uint32_t> wake_{0};  // changes with every work
  std::atomic<bool> stopping_{false};

  // Fixed after construction.
  std::vector<std::thread> others_;
};

}  // namespace binnacle::engine
