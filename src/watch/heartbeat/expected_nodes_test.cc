#include "watch/heartbeat/expected_nodes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace binnacle::watch::heartbeat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ExpectedNodesTest, AreReadFromYamlAndJsonAlike) {
  const auto yaml = read_expected_nodes("nodes.yml", R"(
nodes:
  - name: mini-1
    address: 10.0.0.1:7000
    role: worker
    layers: [0-15, 16]
  - {name: mini-2, layers: 17-31}
)");
  ASSERT_TRUE(yaml) << yaml.error().message;
  ASSERT_EQ(yaml->size(), 2u);
  EXPECT_EQ((*yaml)[0].address, "10.0.0.1:7000");
  EXPECT_EQ((*yaml)[0].role, "worker");
  EXPECT_THAT((*yaml)[0].layers, ElementsAre("0-15", "16"));
  EXPECT_THAT((*yaml)[1].layers, ElementsAre("17-31"));
  const auto json = read_expected_nodes("nodes.json", R"([{"name": "a"}, {"name": "b"}])");
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ((*json)[1].name, "b");
}

TEST(ExpectedNodesTest, MistakesAreNamedAllAtOnce) {
  const auto bad = read_expected_nodes("nodes.yml", R"(
- name: a
  adress: 10.0.0.1
- name: a
- role: worker
)");
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().message, HasSubstr("adress"));
  EXPECT_THAT(bad.error().message, HasSubstr("twice"));
  EXPECT_THAT(bad.error().message, HasSubstr("needs a name"));
  EXPECT_THAT(bad.error().message, HasSubstr("nodes.yml"));
}

TEST(ExpectedNodesTest, OneNameInBothPlacesIsRefused) {
  EXPECT_TRUE(join_expected_nodes({{.name = "a"}}, {{.name = "b"}}));
  const auto twice = join_expected_nodes({{.name = "a"}}, {{.name = "a"}});
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, HasSubstr("a stands twice"));
}

TEST(ExpectedNodesTest, WhoIsNotSeenIsMissingAndThenOverdue) {
  ExpectedNodes expected({{.name = "b"}, {.name = "a"}}, 1'000, 50'000);
  ASSERT_EQ(expected.missing().size(), 2u);
  EXPECT_EQ(expected.missing()[0]->name, "a");
  expected.seen("a");
  expected.seen("stranger");
  ASSERT_EQ(expected.missing().size(), 1u);
  EXPECT_FALSE(expected.overdue(50'999));
  EXPECT_TRUE(expected.overdue(51'000));
  EXPECT_NE(expected.find("a"), nullptr);
  EXPECT_EQ(expected.find("stranger"), nullptr);
}

}  // namespace
}  // namespace binnacle::watch::heartbeat
