#include "collect/engines/engine_roster.h"

#include <gmock/gmock.h>

namespace binnacle::collect::engines {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kKeepMs = 600'000;

LocalEngine engine(uint16_t port, int64_t pid) {
  LocalEngine engine;
  engine.url = "http://127.0.0.1:" + std::to_string(port);
  engine.pid = pid;
  return engine;
}

model::LocalProcess process(int64_t pid, uint16_t port) { return {.pid = pid, .ports = {port}}; }

std::vector<int64_t> pids(const std::vector<LocalEngine>& engines) {
  std::vector<int64_t> pids;
  for (const LocalEngine& one : engines) pids.push_back(one.pid);
  return pids;
}

TEST(EngineRoster, OneThatHangsStaysWhileItsProcessLives) {
  EngineRoster roster(kKeepMs);
  EXPECT_THAT(pids(roster.update(0, {engine(8001, 7), engine(8000, 5)},
                                 {process(5, 8000), process(7, 8001)})),
              ElementsAre(5, 7));
  EXPECT_THAT(
      pids(roster.update(10 * kKeepMs, {engine(8001, 7)}, {process(5, 8000), process(7, 8001)})),
      ElementsAre(5, 7));
}

TEST(EngineRoster, OneWhoseProcessEndedIsKeptForAWhile) {
  EngineRoster roster(kKeepMs);
  roster.update(0, {engine(8000, 5)}, {process(5, 8000)});
  EXPECT_THAT(pids(roster.update(kKeepMs, {}, {process(5, 9000)})), ElementsAre(5));
  EXPECT_THAT(pids(roster.update(kKeepMs + 1, {}, {})), IsEmpty());
}

TEST(EngineRoster, OneThatStartedAnewReplacesTheFormer) {
  EngineRoster roster(kKeepMs);
  roster.update(0, {engine(8000, 5)}, {process(5, 8000)});
  EXPECT_THAT(pids(roster.update(1'000, {engine(8000, 6)}, {process(6, 8000)})), ElementsAre(6));
}

}  // namespace
}  // namespace binnacle::collect::engines
