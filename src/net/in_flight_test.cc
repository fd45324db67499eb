#include "net/in_flight.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace binnacle::net {
namespace {

TEST(InFlight, ItsEndCancelsAndWaitsForWhatIsLeft) {
  std::atomic<int> ended = 0;
  std::vector<std::thread> threads;
  std::atomic<bool> cancelled = false;
  {
    InFlight all;
    all.remove(all.add([] { FAIL() << "it has ended already"; }));
    for (int i = 0; i < 4; ++i) {
      const uint64_t id = all.add([&cancelled] {
        cancelled = true;
        cancelled.notify_all();
      });
      threads.emplace_back([&, id] {
        cancelled.wait(false);
        ++ended;
        all.remove(id);
      });
    }
  }
  EXPECT_EQ(ended, 4);
  for (auto& thread : threads) thread.join();
}

TEST(InFlight, WorkMayEndInsideItsCancelling) {
  auto all = std::make_unique<InFlight>();
  InFlight& flying = *all;
  uint64_t id = 0;
  id = flying.add([&] { flying.remove(id); });
  all.reset();
}

}  // namespace
}  // namespace binnacle::net
