#include "base/log_line.h"

#include "base/random.h"
#include "base/utf8.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>

namespace binnacle {
namespace {

constexpr int64_t kWhen = 1'767'322'985'678;

LogEvent event(std::string_view message, LogFields fields = {}) {
  return {.wall_ms = kWhen,
          .level = LogLevel::kWarn,
          .service = "binnacle",
          .component = "net",
          .message = message,
          .request_id = {},
          .fields = fields};
}

TEST(LogLineJson, HasItsKeysInOrder) {
  LogEvent with_id = event("slow client");
  with_id.request_id = "r-1";
  EXPECT_EQ(log_line_json(with_id),
            R"({"timestamp":"2026-01-02T03:03:05.678Z","level":"warn","service":"binnacle",)"
            R"("component":"net","message":"slow client","request_id":"r-1"})");
  EXPECT_EQ(log_line_json(event("no id")),
            R"({"timestamp":"2026-01-02T03:03:05.678Z","level":"warn","service":"binnacle",)"
            R"("component":"net","message":"no id"})");
}

std::string fields_json(LogFields fields) {
  const std::string line = log_line_json(event("m", fields));
  constexpr std::string_view kBefore = "\"message\":\"m\",";
  return line.substr(line.find(kBefore) + kBefore.size());
}

TEST(LogLineJson, FieldsKeepTheirTypes) {
  EXPECT_EQ(fields_json({{"s", "text"}, {"n", -5}, {"b", true}, {"f", 0.25}}),
            R"("s":"text","n":-5,"b":true,"f":0.25})");
  EXPECT_EQ(fields_json({{"big", ~uint64_t{0}}, {"small", std::numeric_limits<int64_t>::min()}}),
            R"("big":18446744073709551615,"small":-9223372036854775808})");
  EXPECT_EQ(fields_json({{"nan", std::nan("")}, {"inf", -HUGE_VAL}}),
            R"("nan":"NaN","inf":"-Inf"})");
}

TEST(LogLineJson, AFieldCannotPassForAFixedKey) {
  EXPECT_EQ(fields_json({{"level", "x"}, {"request_id", 1}, {"timestamp", 2}}),
            R"("field_level":"x","field_request_id":1,"field_timestamp":2})");
}

TEST(LogLineJson, IsOneLineOfValidJsonWhateverTheBytes) {
  SeededRandom random(9);
  for (int round = 0; round < 1000; ++round) {
    std::string bytes(random.below(24), '\0');
    random.fill(bytes);
    const std::string key = "k" + bytes;
    const std::string line = log_line_json(event(bytes, {{key, bytes}}));
    ASSERT_EQ(line.find('\n'), std::string::npos);
    const auto parsed = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(parsed.is_object()) << line;
    EXPECT_EQ(parsed.at("message"), to_valid_utf8(bytes));
    EXPECT_EQ(parsed.at(to_valid_utf8(key)), to_valid_utf8(bytes));
  }
}

TEST(LogLineText, ReadsWellForPeople) {
  LogEvent with_id = event("listening", {});
  with_id.level = LogLevel::kInfo;
  with_id.request_id = "r 1";
  EXPECT_EQ(log_line_text(with_id, false),
            "2026-01-02T03:03:05.678Z INFO  net: listening request_id=\"r 1\"");
  EXPECT_EQ(
      log_line_text(event("m", {{"a", "bare"}, {"b", "two words"}, {"c", ""}, {"d", 7}}), false),
      "2026-01-02T03:03:05.678Z WARN  net: m a=bare b=\"two words\" c=\"\" d=7");
}

TEST(LogLineText, ColoursOnlyWhenAsked) {
  EXPECT_EQ(log_line_text(event("m", {{"a", 1}}), false).find('\x1b'), std::string::npos);
  const std::string coloured = log_line_text(event("m", {{"a", 1}}), true);
  EXPECT_NE(coloured.find("\x1b[33mWARN \x1b[0m"), std::string::npos);
  EXPECT_TRUE(coloured.ends_with("=\x1b[0m1"));
}

TEST(LogLineText, SendsNothingToTheTerminalButText) {
  // An escape code, a line end, DEL, and the one-character form of an escape code (U+009B).
  const std::string evil =
      "a\x1b[2J\nb\x7f\xC2\x9B"
      "c\xFF";
  const std::string r(kReplacementCharacter);
  const std::string shown = "a\\u001b[2J\\nb" + r + r + "c" + r;
  EXPECT_EQ(
      log_line_text(event(evil, {{"v", evil}, {"grün", "ja grün"}}), false),
      "2026-01-02T03:03:05.678Z WARN  net: " + shown + " v=\"" + shown + "\" grün=\"ja grün\"");
}

}  // namespace
}  // namespace binnacle
