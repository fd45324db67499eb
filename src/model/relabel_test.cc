#include "model/relabel.h"

#include <gmock/gmock.h>

namespace binnacle::model {
namespace {

RelabelRule rule(RelabelSpec spec) {
  auto made = RelabelRule::create(std::move(spec));
  EXPECT_TRUE(made.has_value()) << made.error().message;
  return *made;
}

std::string run(RelabelSpec spec, const Labels& labels) {
  const auto out = relabel({rule(std::move(spec))}, labels);
  return out ? out->to_string() : "dropped";
}

const Labels kTarget = {{"__address__", "host-1:9100"}, {"job", "node"}, {"zone", "EU"}};

TEST(Relabel, ReplaceTakesGroupsByNumberAndName) {
  RelabelSpec spec;
  spec.source_labels = {"__address__"};
  spec.regex = "(?P<host>[^:]+):(.*)";
  spec.target_label = "instance";
  spec.replacement = "${host}_${2}_$$_$9";
  EXPECT_EQ(run(spec, kTarget),
            R"({__address__="host-1:9100", instance="host-1_9100_$_", job="node", zone="EU"})");
}

TEST(Relabel, ReplaceLeavesWhatDoesNotMatch) {
  RelabelSpec spec;
  spec.source_labels = {"job"};
  spec.regex = "nod";
  spec.target_label = "x";
  EXPECT_EQ(run(spec, kTarget), kTarget.to_string());
}

TEST(Relabel, AnEmptyReplacementRemovesTheLabel) {
  RelabelSpec spec;
  spec.source_labels = {"job"};
  spec.target_label = "zone";
  spec.replacement = "";
  EXPECT_EQ(run(spec, kTarget), R"({__address__="host-1:9100", job="node"})");
}

TEST(Relabel, KeepAndDropJoinSourcesBySeparator) {
  RelabelSpec spec;
  spec.source_labels = {"job", "zone"};
  spec.regex = "node;EU";
  spec.action = RelabelAction::kKeep;
  EXPECT_EQ(run(spec, kTarget), kTarget.to_string());
  spec.action = RelabelAction::kDrop;
  EXPECT_EQ(run(spec, kTarget), "dropped");
}

TEST(Relabel, KeepEqualAndDropEqual) {
  RelabelSpec spec;
  spec.source_labels = {"job"};
  spec.target_label = "zone";
  spec.action = RelabelAction::kKeepEqual;
  EXPECT_EQ(run(spec, kTarget), "dropped");
  spec.action = RelabelAction::kDropEqual;
  EXPECT_EQ(run(spec, kTarget), kTarget.to_string());
}

TEST(Relabel, HashModIsThatOfPrometheus) {
  RelabelSpec spec;
  spec.source_labels = {"c"};
  spec.target_label = "d";
  spec.separator = ";";
  spec.modulus = 1000;
  spec.action = RelabelAction::kHashMod;
  // md5("baz") = 73feffa4b7f6bb68 e44cf984c85f6e88; the second half modulo 1000.
  EXPECT_EQ(run(spec, Labels{{"c", "baz"}}), R"({c="baz", d="976"})");
}

TEST(Relabel, MapsDropsAndKeepsNames) {
  RelabelSpec spec;
  spec.regex = "z(.*)";
  spec.replacement = "my_$1";
  spec.action = RelabelAction::kLabelMap;
  EXPECT_EQ(run(spec, kTarget),
            R"({__address__="host-1:9100", job="node", my_one="EU", zone="EU"})");
  spec.action = RelabelAction::kLabelDrop;
  EXPECT_EQ(run(spec, kTarget), R"({__address__="host-1:9100", job="node"})");
  spec.action = RelabelAction::kLabelKeep;
  EXPECT_EQ(run(spec, kTarget), R"({zone="EU"})");
}

TEST(Relabel, ChangesCase) {
  RelabelSpec spec;
  spec.source_labels = {"zone"};
  spec.target_label = "zone";
  spec.action = RelabelAction::kLowercase;
  EXPECT_EQ(relabel({rule(spec)}, kTarget)->get("zone"), "eu");
  spec.source_labels = {"job"};
  spec.action = RelabelAction::kUppercase;
  EXPECT_EQ(relabel({rule(spec)}, kTarget)->get("zone"), "NODE");
}

TEST(Relabel, AMapToNoNameIsLeftOut) {
  RelabelSpec spec;
  spec.regex = "zone(.*)";
  spec.action = RelabelAction::kLabelMap;
  EXPECT_EQ(run(spec, kTarget), kTarget.to_string());
}

// Rules that double what is there, of which thirty would fill any memory.
TEST(Relabel, WhatRulesBlowUpIsDropped) {
  RelabelSpec longer;
  longer.source_labels = {"zone"};
  longer.target_label = "zone";
  longer.replacement = "$1$1";
  EXPECT_EQ(relabel(std::vector(10, rule(longer)), kTarget)->get("zone").size(), 2048U);
  EXPECT_FALSE(relabel(std::vector(40, rule(longer)), kTarget).has_value());

  RelabelSpec twice;
  twice.source_labels = {"zone", "zone"};
  twice.target_label = "zone";
  twice.action = RelabelAction::kUppercase;
  EXPECT_FALSE(relabel(std::vector(40, rule(twice)), kTarget).has_value());

  RelabelSpec before;
  before.regex = "(z.*)";
  before.replacement = "${1}x";
  before.action = RelabelAction::kLabelMap;
  RelabelSpec after = before;
  after.replacement = "${1}y";
  std::vector<RelabelRule> more;
  for (int i = 0; i < 20; ++i) {
    more.push_back(rule(before));
    more.push_back(rule(after));
  }
  EXPECT_FALSE(relabel(more, kTarget).has_value());
}

// RE2 takes \C for one byte of a character; what came of it would be no text.
TEST(Relabel, ARegexMatchesWholeCharacters) {
  RelabelSpec spec;
  spec.source_labels = {"job"};
  spec.target_label = "x";
  for (const char* bad : {"(\\C).*", "\\\\\\C", "\\Qa\\E\\C"}) {
    spec.regex = bad;
    const auto made = RelabelRule::create(spec);
    ASSERT_FALSE(made.has_value()) << bad;
    EXPECT_THAT(made.error().message, testing::HasSubstr("\\C"));
  }
  for (const char* good : {"C", "\\\\C", "\\Q\\C\\E", "\\Q\\\\C\\E"}) {
    spec.regex = good;
    EXPECT_TRUE(RelabelRule::create(spec).has_value()) << good;
  }
}

TEST(Relabel, ImpossibleRulesAreRefusedWhenMade) {
  RelabelSpec no_target;
  EXPECT_FALSE(RelabelRule::create(no_target).has_value());
  RelabelSpec no_modulus;
  no_modulus.action = RelabelAction::kHashMod;
  no_modulus.target_label = "x";
  EXPECT_FALSE(RelabelRule::create(no_modulus).has_value());
  RelabelSpec bad_regex;
  bad_regex.target_label = "x";
  bad_regex.regex = "(";
  EXPECT_FALSE(RelabelRule::create(bad_regex).has_value());
  EXPECT_EQ(relabel_action_from_name("labelmap"), RelabelAction::kLabelMap);
  EXPECT_FALSE(relabel_action_from_name("explode").has_value());
}

}  // namespace
}  // namespace binnacle::model
