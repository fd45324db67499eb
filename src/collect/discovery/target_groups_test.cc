#include "collect/discovery/target_groups.h"

#include <gmock/gmock.h>

namespace binnacle::collect::discovery {
namespace {

using testing::HasSubstr;

std::string problem_of(std::string_view json) {
  const auto groups = parse_target_groups(json, "f");
  return groups ? "" : groups.error().message;
}

TEST(TargetGroups, ReadsJson) {
  auto groups = parse_target_groups(
      R"([{"targets":["a:1","b:2"],"labels":{"x":"y"}},{"targets":[]},{"labels":null}])", "f.json");
  ASSERT_TRUE(groups) << groups.error().message;
  ASSERT_EQ(groups->size(), 3U);
  add_group_label(*groups, "__meta_filepath", "f.json");
  EXPECT_EQ(groups->at(0).source, "f.json:0");
  EXPECT_EQ(groups->at(0).targets.at(1), (model::Labels{{"__address__", "b:2"}}));
  EXPECT_EQ(groups->at(0).labels, (model::Labels{{"__meta_filepath", "f.json"}, {"x", "y"}}));
  EXPECT_EQ(groups->at(2).source, "f.json:2");
  EXPECT_TRUE(parse_target_groups("[]", "f")->empty());
}

TEST(TargetGroups, RefusesTheWholeListForOneMistake) {
  EXPECT_THAT(problem_of("<html>"), HasSubstr("not JSON"));
  EXPECT_THAT(problem_of("{}"), HasSubstr("a list of objects"));
  EXPECT_THAT(problem_of(R"([{"targets":["a"]},null])"), HasSubstr("[1]: an object"));
  EXPECT_THAT(problem_of(R"([{"targets":"a"}])"), HasSubstr("[0].targets"));
  EXPECT_THAT(problem_of(R"([{"targets":[1]}])"), HasSubstr("only text"));
  EXPECT_THAT(problem_of(R"([{"labels":{"a":1}}])"), HasSubstr("[0].labels.a"));
  EXPECT_THAT(problem_of(R"([{"target":["a"]}])"), HasSubstr("unknown field target"));
  EXPECT_THAT(problem_of("[{\"targets\":[\"\xff\"]}]"), HasSubstr("not JSON"));
}

}  // namespace
}  // namespace binnacle::collect::discovery
