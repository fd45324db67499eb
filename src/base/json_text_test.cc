#include "base/json_text.h"

#include "base/random.h"
#include "base/utf8.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace binnacle {
namespace {

std::string json_of(std::string_view bytes) {
  std::string out;
  append_json_string(out, bytes);
  return out;
}

TEST(JsonText, EscapesWhatJsonAsksFor) {
  EXPECT_EQ(json_of("plain"), "\"plain\"");
  EXPECT_EQ(json_of(""), "\"\"");
  EXPECT_EQ(json_of("\"\\\n\r\t"), R"("\"\\\n\r\t")");
  EXPECT_EQ(json_of(std::string_view("\0\x1f\x1b", 3)), R"("\u0000\u001f\u001b")");
  EXPECT_EQ(json_of("grün"), "\"grün\"");
}

TEST(JsonText, AppendsToWhatIsThere) {
  std::string out = "{";
  append_json_string(out, "a");
  EXPECT_EQ(out, "{\"a\"");
}

TEST(JsonText, AnyBytesReadBackAsTheirValidUtf8) {
  SeededRandom random(5);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes(random.below(20), '\0');
    random.fill(bytes);
    const auto parsed = nlohmann::json::parse(json_of(bytes), nullptr, false);
    ASSERT_TRUE(parsed.is_string()) << json_of(bytes);
    ASSERT_EQ(parsed.get<std::string>(), to_valid_utf8(bytes));
  }
}

}  // namespace
}  // namespace binnacle
