#include "watch/health/engines/engine_reading.h"

#include <gtest/gtest.h>

namespace binnacle::watch::health {
namespace {

TEST(EngineReading, SaysTheStateAndItsEvidence) {
  EngineReport report{.engine = "vllm", .instance = "127.0.0.1:8000"};
  report.state = EngineState::kWedged;
  report.evidence = {"8 in flight and no progress for 6.1 s", "its processes use 0.00 cores"};
  const Reading reading = reading_of(report);
  EXPECT_EQ(reading.health, Health::kFailed);
  EXPECT_EQ(reading.message,
            "wedged: 8 in flight and no progress for 6.1 s; its processes use 0.00 cores");
  const CheckSpec spec = engine_check(report, "n1");
  EXPECT_EQ(spec.name, "n1/engine:127.0.0.1:8000");
  EXPECT_EQ(spec.component, "engine:127.0.0.1:8000");
}

TEST(EngineReading, NothingKnownIsNotHealthy) {
  EXPECT_EQ(health_of(EngineState::kUnknown), Health::kUnknown);
  EXPECT_EQ(health_of(EngineState::kDegraded), Health::kDegraded);
  EXPECT_EQ(reading_of({.state = EngineState::kIdle}).message, "idle");
}

TEST(EngineReading, EndsAndBeginningsOfFailureAreEvents) {
  const auto kind = [](EngineState before, EngineState state) {
    const auto event =
        engine_event({.instance = "127.0.0.1:8000", .state = state, .before = before});
    return event ? event->kind : "";
  };
  EXPECT_EQ(kind(EngineState::kServing, EngineState::kWedged), "engine.wedged");
  EXPECT_EQ(kind(EngineState::kWedged, EngineState::kDown), "engine.down");
  EXPECT_EQ(kind(EngineState::kDown, EngineState::kLoading), "");
  EXPECT_EQ(kind(EngineState::kDown, EngineState::kIdle), "engine.recovered");
  EXPECT_EQ(kind(EngineState::kWedged, EngineState::kWedged), "");
  EXPECT_EQ(kind(EngineState::kIdle, EngineState::kDegraded), "");
}

}  // namespace
}  // namespace binnacle::watch::health
