#include "store/metrics/pair_table.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"

namespace binnacle::store::metrics {
namespace {

TEST(PairTable, AnEmptyOneFindsNothing) {
  PairTable table;
  EXPECT_EQ(table.find("x"), PairTable::kNone);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.end(), 0u);
}

TEST(PairTable, OneLabelHasOneNumber) {
  PairTable table;
  const PairId id = table.intern("x");
  EXPECT_EQ(table.intern("x"), id);
  EXPECT_EQ(table.find("x"), id);
  EXPECT_EQ(table.bytes(id), "x");
  EXPECT_EQ(table.size(), 1u);
}

TEST(PairTable, NumbersAreGivenAgain) {
  PairTable table;
  const PairId id = table.intern("x");
  table.release(id);
  EXPECT_EQ(table.find("x"), PairTable::kNone);
  EXPECT_EQ(table.intern("y"), id);
  EXPECT_EQ(table.end(), 1u);
}

TEST(PairTable, MemoryIsGivenBackWithTheLabels) {
  PairTable table;
  const size_t before = table.memory_bytes();
  const PairId id = table.intern(std::string(100'000, 'x'));
  EXPECT_GE(table.memory_bytes(), before + 100'000);
  table.release(id);
  EXPECT_EQ(table.memory_bytes(), before);
}

// Few distinct labels, so that chains of slots form, break and form again; then many, so that the
// table grows past its first page.
TEST(PairTable, DoesWhatAMapDoes) {
  for (const uint64_t distinct : {50u, 900u, 20'000u}) {
    SeededRandom random(distinct);
    PairTable table;
    std::map<std::string, PairId> map;
    for (int step = 0; step < 60'000; ++step) {
      const std::string label = fmt::format("label-{}", random.below(distinct));
      const auto at = map.find(label);
      switch (random.below(4)) {
        case 0:
        case 1: {
          const PairId id = table.intern(label);
          if (at != map.end()) {
            ASSERT_EQ(id, at->second);
          } else {
            map.emplace(label, id);
          }
          break;
        }
        case 2:
          ASSERT_EQ(table.find(label), at == map.end() ? PairTable::kNone : at->second);
          break;
        default:
          if (at == map.end()) break;
          table.release(at->second);
          map.erase(at);
      }
      ASSERT_EQ(table.size(), map.size());
    }
    std::set<PairId> ids;
    for (const auto& [label, id] : map) {
      ASSERT_EQ(table.find(label), id);
      ASSERT_EQ(table.bytes(id), label);
      ASSERT_LT(id, table.end());
      ASSERT_TRUE(ids.insert(id).second) << "two labels have one number";
    }
  }
}

TEST(PairTable, BytesStayWhereTheyAreWhileItGrows) {
  PairTable table;
  const PairId first = table.intern("first");
  const char* const at = table.bytes(first).data();
  for (int i = 0; i < 10'000; ++i) table.intern(std::to_string(i));
  EXPECT_EQ(table.bytes(first).data(), at);
  EXPECT_EQ(table.size(), 10'001u);
}

}  // namespace
}  // namespace binnacle::store::metrics
