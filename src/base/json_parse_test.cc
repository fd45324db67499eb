#include "base/json_parse.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace binnacle {
namespace {

std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(JsonParseTest, GivesTheTreeOrNone) {
  EXPECT_EQ(parse_json(R"({"a":[1,"]["]})"), (nlohmann::json{{"a", {1, "]["}}}));
  EXPECT_TRUE(parse_json("{").is_discarded());
  EXPECT_TRUE(parse_json("").is_discarded());
}

TEST(JsonParseTest, DepthIsBounded) {
  EXPECT_FALSE(parse_json(nested(kMaxJsonDepth)).is_discarded());
  EXPECT_TRUE(parse_json(nested(kMaxJsonDepth + 1)).is_discarded());
  EXPECT_TRUE(parse_json(std::string(1'000'000, '[')).is_discarded());
  EXPECT_FALSE(parse_json("\"" + std::string(1'000, '[') + "\\\"" + "\"").is_discarded());
}

}  // namespace
}  // namespace binnacle
