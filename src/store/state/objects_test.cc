#include "store/state/objects.h"

#include "store/state/testing/state_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace binnacle::store::state {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Object file_object(std::string name, std::string file) {
  return {.kind = "rule", .name = std::move(name), .file = std::move(file), .data = "{}"};
}

class ObjectStoreTest : public testing::Test {
 protected:
  std::vector<std::string> names(ObjectStore& objects) {
    std::vector<std::string> names;
    const auto listed = objects.list("rule");
    for (const Object& object : *listed) {
      names.push_back(object.name + ":" + std::string(object_origin_name(object.origin)));
    }
    return names;
  }

  StateFixture state_;
  SimulatedClock clock_;
  ObjectStore objects_{*state_.store, clock_};
};

TEST_F(ObjectStoreTest, ApiObjectsAreKeptAndReplaced) {
  ASSERT_TRUE(objects_.put_api("rule", "a", R"({"v":1})"));
  clock_.advance_ms(10);
  ASSERT_TRUE(objects_.put_api("rule", "a", R"({"v":2})"));
  const auto found = objects_.find("rule", "a");
  ASSERT_TRUE(found && found->has_value());
  EXPECT_EQ((*found)->data, R"({"v":2})");
  EXPECT_EQ((*found)->updated_ms, clock_.wall_ms());
  EXPECT_FALSE(objects_.find("key", "a")->has_value());
  ASSERT_TRUE(objects_.remove_api("rule", "a"));
  EXPECT_EQ(objects_.remove_api("rule", "a").error().code, Code::kNotFound);
}

TEST_F(ObjectStoreTest, FileObjectsAreReadOnlyToTheApi) {
  ASSERT_TRUE(objects_.set_files({file_object("a", "rules.yml:3")}));
  for (const Status& refused :
       {objects_.put_api("rule", "a", "{}"), objects_.remove_api("rule", "a")}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kFailedPrecondition);
    EXPECT_THAT(refused.error().message, HasSubstr("rules.yml:3"));
  }
}

TEST_F(ObjectStoreTest, AClashIsRefusedByBothNamesAndTheOldSetStays) {
  ASSERT_TRUE(objects_.set_files({file_object("old", "rules.yml:1")}));
  ASSERT_TRUE(objects_.put_api("rule", "made", "{}"));
  const Status clash =
      objects_.set_files({file_object("new", "x.yml:1"), file_object("made", "x.yml:9")});
  ASSERT_FALSE(clash);
  EXPECT_THAT(clash.error().message,
              AllOf(HasSubstr("\"made\" in x.yml:9"), HasSubstr("made over the API")));
  const Status twice =
      objects_.check_files({file_object("b", "x.yml:1"), file_object("b", "y.yml:2")});
  ASSERT_FALSE(twice);
  EXPECT_THAT(twice.error().message, AllOf(HasSubstr("x.yml:1"), HasSubstr("y.yml:2")));
  EXPECT_THAT(names(objects_), testing::ElementsAre("made:api", "old:file"));
}

TEST_F(ObjectStoreTest, AFileMayLetAnObjectGo) {
  ASSERT_TRUE(objects_.set_files({file_object("a", "rules.yml:3")}));
  ASSERT_TRUE(objects_.set_files({}));
  EXPECT_TRUE(objects_.put_api("rule", "a", "{}"));
  EXPECT_THAT(names(objects_), testing::ElementsAre("a:api"));
}

TEST_F(ObjectStoreTest, BrokenDataIsRefused) {
  EXPECT_EQ(objects_.put_api("rule", "a", "{").error().code, Code::kInvalidArgument);
  EXPECT_EQ(objects_.put_api("rule", "", "{}").error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace binnacle::store::state
