#include "engine/model/thread_team.h"

#include "base/check.h"
#include "engine/model/flush_denormals.h"

namespace binnacle::engine {
namespace {

// Some 20 us with the processor's pause of about 60 ns.
constexpr int kLooks = 400;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

constexpr uint64_t parts_left(uint64_t ticket) { return ticket & 0xffffffff; }

}  // namespace

ThreadTeam::ThreadTeam(int threads) {
  CHECK(threads >= 1);
  for (int who = 1; who < threads; ++who) {
    others_.emplace_back([this, who] { other(who); });
  }
}

ThreadTeam::~ThreadTeam() {
  stopping_.store(true, std::memory_order_release);
  wake_.fetch_add(1, std::memory_order_release);
  wake_.notify_all();
  for (std::thread& thread : others_) thread.join();
}

bool ThreadTeam::take_part(int who) {
  uint64_t ticket = ticket_.load(std::memory_order_acquire);
  do {
    if (parts_left(ticket) == 0) return false;
  } while (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acquire));
  call_(work_, static_cast<int64_t>(parts_left(ticket)) - 1, who);
  done_.fetch_add(1, std::memory_order_release);
  done_.notify_one();
  return true;
}

void ThreadTeam::run_shared(uint32_t parts, const void* work, Call call) {
  call_ = call;
  work_ = work;
  done_.store(0, std::memory_order_relaxed);
  const uint64_t number = (ticket_.load(std::memory_order_relaxed) >> 32) + 1;
  ticket_.store(number << 32 | parts, std::memory_order_release);
  wake_.fetch_add(1, std::memory_order_release);
  wake_.notify_all();
  while (take_part(0)) {
  }
  int looks = kLooks;
  for (;;) {
    const uint32_t done = done_.load(std::memory_order_acquire);
    if (done == parts) return;
    if (looks-- > 0) {
      pause();
    } else {
      done_.wait(done, std::memory_order_acquire);
    }
  }
}

void ThreadTeam::wait_for_work() {
  const uint32_t seen = wake_.load(std::memory_order_acquire);
  for (int look = 0; look < kLooks; ++look) {
    if (parts_left(ticket_.load(std::memory_order_relaxed)) > 0) return;
    if (wake_.load(std::memory_order_acquire) != seen) return;
    pause();
  }
  if (stopping_.load(std::memory_order_acquire)) return;
  wake_.wait(seen, std::memory_order_acquire);
}

void ThreadTeam::other(int who) {
  const FlushDenormals flush;
  while (!stopping_.load(std::memory_order_acquire)) {
    if (!take_part(who)) wait_for_work();
  }
}

}  // namespace binnacle::engine
