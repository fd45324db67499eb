#include "watch/alerts/inhibitor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "watch/alerts/matcher_text.h"

namespace binnacle::watch::alerts {
namespace {

using model::Labels;

InhibitRule rule(std::string_view source, std::string_view target,
                 std::vector<std::string> equal = {}) {
  return {*parse_matchers(source), *parse_matchers(target), std::move(equal)};
}

TEST(Inhibitor, ASourceInhibitsTargetsWithEqualLabels) {
  Inhibitor inhibitor({rule(R"(s="1")", R"(t="1")", {"cluster"})});
  const Labels target{{"t", "1"}, {"cluster", "a"}};
  EXPECT_FALSE(inhibitor.inhibited_by(target, 0));
  inhibitor.set(7, Labels{{"s", "1"}, {"cluster", "b"}}, 0);
  EXPECT_FALSE(inhibitor.inhibited_by(target, 0));
  inhibitor.set(8, Labels{{"s", "1"}, {"cluster", "a"}}, 0);
  EXPECT_EQ(inhibitor.inhibited_by(target, 0), 8U);
  EXPECT_FALSE(inhibitor.inhibited_by(Labels{{"t", "2"}, {"cluster", "a"}}, 0));
  inhibitor.remove(8);
  EXPECT_FALSE(inhibitor.inhibited_by(target, 0));
  EXPECT_EQ(inhibitor.sources(), 1U);
}

TEST(Inhibitor, AMissingLabelEqualsAnEmptyOne) {
  Inhibitor inhibitor({rule(R"(s="1")", R"(t="1")", {"cluster", "zone"})});
  inhibitor.set(7, Labels{{"s", "1"}, {"zone", "z"}}, 0);
  EXPECT_TRUE(inhibitor.inhibited_by(Labels{{"t", "1"}, {"zone", "z"}}, 0));
  EXPECT_FALSE(inhibitor.inhibited_by(Labels{{"t", "1"}, {"zone", "z"}, {"cluster", "a"}}, 0));
}

TEST(Inhibitor, AlertsOfBothSidesDoNotInhibitEachOther) {
  Inhibitor inhibitor({rule(R"(s="1")", R"(t="1")")});
  const Labels both{{"s", "1"}, {"t", "1"}, {"n", "a"}};
  const Labels other{{"s", "1"}, {"t", "1"}, {"n", "b"}};
  inhibitor.set(1, both, 0);
  EXPECT_FALSE(inhibitor.inhibited_by(both, 0));
  EXPECT_FALSE(inhibitor.inhibited_by(other, 0));
  EXPECT_EQ(inhibitor.inhibited_by(Labels{{"t", "1"}}, 0), 1U);
  inhibitor.set(2, Labels{{"s", "1"}}, 0);  // of one side alone
  EXPECT_EQ(inhibitor.inhibited_by(both, 0), 2U);
  EXPECT_EQ(inhibitor.inhibited_by(Labels{{"t", "1"}}, 0), 1U);
}

TEST(Inhibitor, WhatHasEndedInhibitsNothing) {
  Inhibitor inhibitor({rule(R"(s="1")", R"(t="1")")});
  const Labels target{{"t", "1"}};
  inhibitor.set(1, Labels{{"s", "1"}}, 100);
  EXPECT_TRUE(inhibitor.inhibited_by(target, 99));
  EXPECT_FALSE(inhibitor.inhibited_by(target, 100));
  inhibitor.set(1, Labels{{"s", "1"}}, 200);  // renewed
  EXPECT_TRUE(inhibitor.inhibited_by(target, 100));
}

TEST(Inhibitor, EmptySidesMatchEverything) {
  Inhibitor inhibitor({rule("", R"(t="1")", {"n"})});
  inhibitor.set(1, Labels{{"n", "a"}}, 0);
  EXPECT_EQ(inhibitor.inhibited_by(Labels{{"t", "1"}, {"n", "a"}}, 0), 1U);
  inhibitor.set(2, Labels{{"t", "1"}, {"n", "b"}}, 0);  // of both sides
  EXPECT_FALSE(inhibitor.inhibited_by(Labels{{"t", "1"}, {"n", "b"}}, 0));
  Inhibitor other({rule(R"(s="1")", "")});
  other.set(1, Labels{{"s", "1"}}, 0);
  EXPECT_EQ(other.inhibited_by(Labels{{"x", "y"}}, 0), 1U);
}

TEST(Inhibitor, TheFirstRuleThatHasASourceDecides) {
  Inhibitor inhibitor({rule(R"(s="1")", R"(t=~"a|b")"), rule(R"(s="2")", R"(t="a")"),
                       rule(R"(s="3")", R"(t="a")")});
  inhibitor.set(3, Labels{{"s", "3"}}, 0);
  inhibitor.set(2, Labels{{"s", "2"}}, 0);
  EXPECT_EQ(inhibitor.inhibited_by(Labels{{"t", "a"}}, 0), 2U);
  inhibitor.set(9, Labels{{"s", "1"}}, 0);
  EXPECT_EQ(inhibitor.inhibited_by(Labels{{"t", "a"}}, 0), 9U);
}

// What a look at every pair finds, for generated alerts.
TEST(Inhibitor, AgreesWithALookAtEveryPair) {
  std::vector<InhibitRule> rules = {rule(R"(a="1")", R"(b="1")", {"c"}),
                                    rule(R"(a=~"1|2")", R"(a!="1")", {"b", "c"}),
                                    rule(R"(c="2")", R"(a="2",b!="2")")};
  std::vector<Labels> alerts;
  for (int i = 0; i < 64; ++i) {
    const auto value = [](int digit) { return digit == 0 ? "" : std::to_string(digit); };
    alerts.push_back(model::LabelsBuilder()
                         .set("a", value(i % 4))
                         .set("b", value(i / 4 % 4))
                         .set("c", value(i / 16))
                         .build());
  }
  Inhibitor inhibitor(rules);
  std::vector<bool> active(alerts.size(), false);
  for (size_t step = 0; step < 200; ++step) {
    const size_t changed = step * 37 % alerts.size();
    active[changed] = !active[changed];
    if (active[changed]) {
      inhibitor.set(changed, alerts[changed], 0);
    } else {
      inhibitor.remove(changed);
    }
    for (const Labels& target : alerts) {
      bool expected = false;
      for (const InhibitRule& one : rules) {
        if (!model::matches_all(one.target, target)) continue;
        for (size_t i = 0; i < alerts.size(); ++i) {
          const bool equal = std::ranges::all_of(one.equal, [&](const std::string& name) {
            return alerts[i].get(name) == target.get(name);
          });
          const bool both =
              model::matches_all(one.source, target) && model::matches_all(one.target, alerts[i]);
          expected |= active[i] && equal && !both && model::matches_all(one.source, alerts[i]);
        }
      }
      ASSERT_EQ(inhibitor.inhibited_by(target, 0).has_value(), expected) << target.to_string();
    }
  }
}

}  // namespace
}  // namespace binnacle::watch::alerts
