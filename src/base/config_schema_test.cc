#include "base/config_schema.h"

#include "base/config.h"
#include "base/fault_file_system.h"

#include <gtest/gtest.h>

namespace binnacle {
namespace {

ConfigKey key(std::string path, ConfigType type = ConfigType::kString, std::string text = "") {
  return {
      .path = std::move(path), .type = type, .default_text = std::move(text), .meaning = "A key."};
}

TEST(ConfigSchema, TakesListsOfObjectsBeforeTheirKeys) {
  const ConfigSchema schema({key("s.list", ConfigType::kObjects, "[]"), key("s.list[].name"),
                             key("s.list[].tls.file"),
                             key("s.list[].inner", ConfigType::kObjects, "[{}]"),
                             key("s.list[].inner[].x", ConfigType::kInt, "1")});
  EXPECT_EQ(schema.keys().size(), 5u);
  const auto& list = schema.root().children.at(0).children.at(0);
  EXPECT_TRUE(list.is_list());
  EXPECT_EQ(list.children.size(), 3u);
}

using ConfigSchemaDeathTest = ::testing::Test;

TEST(ConfigSchemaDeathTest, RefusesMistakesInTheTable) {
  const auto make = [](std::vector<ConfigKey> keys) { ConfigSchema schema(std::move(keys)); };
  EXPECT_DEATH(make({key("a.b"), key("a.b")}), "CHECK");
  EXPECT_DEATH(make({key("a"), key("a.b")}), "CHECK");  // a value and a section
  EXPECT_DEATH(make({key("a.b"), key("a")}), "CHECK");
  EXPECT_DEATH(make({key("list[].x")}), "CHECK");  // no such list
  EXPECT_DEATH(make({key("a..b")}), "CHECK");
  EXPECT_DEATH(make({key("n", ConfigType::kInt, "many")}), "CHECK");  // bad default
  EXPECT_DEATH(make({key("n", ConfigType::kDuration, "30")}), "CHECK");
  EXPECT_DEATH(make({key("list", ConfigType::kObjects, "[{a: 1}]")}), "CHECK");
  EXPECT_DEATH(make({key("e", ConfigType::kEnum, "x")}), "CHECK");  // no choices
  ConfigKey low = key("n", ConfigType::kInt, "0");
  low.min = "1";
  EXPECT_DEATH(make({low}), "CHECK");
  ConfigKey mute = key("a");
  mute.meaning = "";
  EXPECT_DEATH(make({mute}), "CHECK");
}

class NearestTest : public ::testing::Test {
 protected:
  std::string nearest(std::string_view name) { return schema_.nearest(schema_.root(), "", name); }

  ConfigSchema schema_{{key("server.listen", ConfigType::kObjects, "[]"),
                        key("server.listen[].address"), key("server.data_dir"), key("log.level"),
                        key("log.file")}};
};

TEST_F(NearestTest, IsASlipAway) {
  const auto& server = schema_.root().children.at(0);
  EXPECT_EQ(schema_.nearest(server, "server", "listn"), "server.listen");
  EXPECT_EQ(schema_.nearest(server, "server", "lisetn"), "server.listen");  // neighbours swapped
  EXPECT_EQ(schema_.nearest(server, "server", "datadir"), "server.data_dir");
  EXPECT_EQ(schema_.nearest(server.children.at(0), "server.listen[]", "adress"),
            "server.listen[].address");
  EXPECT_EQ(nearest("sevrer"), "server");
  EXPECT_EQ(nearest("lgo"), "log");  // in a short name only one slip is forgiven
  EXPECT_EQ(nearest("lxx"), "");
}

TEST_F(NearestTest, FindsTheRightNameInAnotherSection) {
  EXPECT_EQ(nearest("level"), "log.level");
  EXPECT_EQ(nearest("address"), "server.listen[].address");
}

TEST_F(NearestTest, DoesNotGuessWildly) {
  EXPECT_EQ(nearest("colour"), "");
  EXPECT_EQ(nearest(""), "");
  EXPECT_EQ(nearest(std::string(1'000'000, 'x')), "");
}

}  // namespace
}  // namespace binnacle
