#include "watch/heartbeat/drift.h"

#include <gtest/gtest.h>

namespace binnacle::watch::heartbeat {
namespace {

NodeFacts node(std::string name, std::string role, std::map<std::string, std::string> facts) {
  return {std::move(name), std::move(role), std::move(facts)};
}

TEST(DriftTest, TheOneThatDiffersFromTheMostIsNamed) {
  const auto drift = find_drift({node("a", "worker", {{"kernel", "6.1"}, {"model", "x"}}),
                                 node("b", "worker", {{"kernel", "6.1"}, {"model", "x"}}),
                                 node("c", "worker", {{"kernel", "5.10"}, {"model", "x"}})});
  ASSERT_EQ(drift.size(), 1u);
  EXPECT_EQ(drift[0], (Drift{"c", "kernel", "5.10", "6.1", 2, 3}));
  EXPECT_EQ(drift_text(drift[0]), "kernel is 5.10, but 6.1 on 2 of 3 nodes of its role");
}

TEST(DriftTest, RolesAreComparedApart) {
  EXPECT_TRUE(
      find_drift({node("a", "worker", {{"agent", "1"}}), node("b", "worker", {{"agent", "1"}}),
                  node("c", "worker", {{"agent", "1"}}), node("d", "trainer", {{"agent", "2"}})})
          .empty());
}

TEST(DriftTest, WhatEachNodeHoldsIsItsOwn) {
  const std::string hash = "model_hash/demo/0-8";
  const auto drift = find_drift({node("a", "engine-worker", {{"layers", "0 to 8"}, {hash, "1"}}),
                                 node("b", "engine-worker", {{"layers", "0 to 8"}, {hash, "1"}}),
                                 node("c", "engine-worker", {{"layers", "8 to 16"}, {hash, "2"}})});
  ASSERT_EQ(drift.size(), 1u);
  EXPECT_EQ(drift[0], (Drift{"c", hash, "2", "1", 2, 3}));
}

TEST(DriftTest, WithoutAMajorityNobodyDeviates) {
  EXPECT_TRUE(
      find_drift({node("a", "w", {{"agent", "1"}}), node("b", "w", {{"agent", "2"}})}).empty());
  EXPECT_TRUE(find_drift({node("a", "w", {{"agent", "1"}}), node("b", "w", {{"agent", "2"}}),
                          node("c", "w", {{"agent", "1"}}), node("d", "w", {{"agent", "2"}})})
                  .empty());
}

TEST(DriftTest, WhoDoesNotTellIsNotCounted) {
  const auto drift = find_drift({node("a", "w", {{"gpu_driver", "550"}}), node("b", "w", {}),
                                 node("c", "w", {{"gpu_driver", "550"}}),
                                 node("d", "w", {{"gpu_driver", "535"}})});
  ASSERT_EQ(drift.size(), 1u);
  EXPECT_EQ(drift[0].of, 3u);
}

}  // namespace
}  // namespace binnacle::watch::heartbeat
