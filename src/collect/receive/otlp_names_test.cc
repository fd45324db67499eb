#include "collect/receive/otlp_names.h"

#include <gtest/gtest.h>

namespace binnacle::collect::receive {
namespace {

constexpr auto kDefault = OtlpTranslation::kUnderscoreEscapingWithSuffixes;
constexpr auto kPlain = OtlpTranslation::kUnderscoreEscapingWithoutSuffixes;
constexpr auto kUtf8 = OtlpTranslation::kNoUtf8EscapingWithSuffixes;
constexpr auto kNone = OtlpTranslation::kNoTranslation;

std::string name(std::string_view metric, std::string_view unit, OtlpKind kind, bool monotonic,
                 OtlpTranslation translation = kDefault) {
  OtlpMetric from;
  from.name = metric;
  from.unit = unit;
  from.kind = kind;
  from.monotonic = monotonic;
  const auto made = otlp_metric_name(from, translation);
  return made ? *made : "error: " + made.error().message;
}

std::string gauge(std::string_view metric, std::string_view unit,
                  OtlpTranslation translation = kDefault) {
  return name(metric, unit, OtlpKind::kGauge, false, translation);
}
std::string counter(std::string_view metric, std::string_view unit,
                    OtlpTranslation translation = kDefault) {
  return name(metric, unit, OtlpKind::kSum, true, translation);
}

TEST(OtlpNames, UnitsAndTypesBecomeSuffixes) {
  EXPECT_EQ(gauge("system.memory.usage", "By"), "system_memory_usage_bytes");
  EXPECT_EQ(counter("system.cpu.time", "s"), "system_cpu_time_seconds_total");
  EXPECT_EQ(counter("requests", "{request}"), "requests_total");
  EXPECT_EQ(gauge("cpu.utilization", "1"), "cpu_utilization_ratio");
  EXPECT_EQ(counter("requests", "1"), "requests_total");
  EXPECT_EQ(gauge("net.speed", "By/s"), "net_speed_bytes_per_second");
  EXPECT_EQ(gauge("used", "%"), "used_percent");
  EXPECT_EQ(gauge("speed", "m/{lap}"), "speed_meters");
  EXPECT_EQ(gauge("speed", "km/fortnight"), "speed_km_per_fortnight");
  EXPECT_EQ(name("lat", "ms", OtlpKind::kHistogram, false), "lat_milliseconds");
  EXPECT_EQ(name("diff", "1", OtlpKind::kSum, false), "diff");
}

TEST(OtlpNames, SuffixesThatAreThereAreNotRepeated) {
  EXPECT_EQ(counter("system.cpu.time.seconds.total", "s"), "system_cpu_time_seconds_total");
  EXPECT_EQ(counter("total.requests", ""), "requests_total");
  EXPECT_EQ(gauge("ratio.of.hits", "1"), "of_hits_ratio");
  EXPECT_EQ(gauge("bytes.free", "By"), "bytes_free");
}

TEST(OtlpNames, CharactersBecomeOneUnderscore) {
  EXPECT_EQ(gauge("a..b--c__d", ""), "a_b_c_d");
  EXPECT_EQ(gauge("gr\xc3\xb6\xc3\x9f"
                  "e:x",
                  ""),
            "gr_e:x");
  EXPECT_EQ(gauge("95th", ""), "_95th");
  EXPECT_TRUE(gauge("\xc3\xb6", "").starts_with("error: metric"));
  EXPECT_TRUE(gauge("", "s").starts_with("error: metric"));
}

TEST(OtlpNames, OtherStrategies) {
  EXPECT_EQ(counter("system.cpu__time", "s", kPlain), "system_cpu__time");
  EXPECT_EQ(counter("system.cpu.time", "s", kUtf8), "system.cpu.time_seconds_total");
  EXPECT_EQ(counter("x_total", "By/s", kUtf8), "x_bytes_per_second_total");
  EXPECT_EQ(gauge("hits.ratio", "1", kUtf8), "hits_ratio");
  EXPECT_EQ(counter("system.cpu.time", "s", kNone), "system.cpu.time");
  EXPECT_EQ(*otlp_translation_from_name("NoTranslation"), kNone);
  EXPECT_FALSE(otlp_translation_from_name("Other"));
}

TEST(OtlpNames, Labels) {
  const auto label = [](std::string_view attribute) {
    const auto made = otlp_label_name(attribute, kDefault);
    return made ? *made : "error: " + made.error().message;
  };
  EXPECT_EQ(label("http.request.method"), "http_request_method");
  EXPECT_EQ(label("a__b"), "a_b");
  EXPECT_EQ(label("__a..b__"), "__a_b__");
  EXPECT_EQ(label("2xx"), "key_2xx");
  EXPECT_EQ(label("_a"), "_a");
  EXPECT_EQ(label("gr\xc3\xb6\xc3\x9f"
                  "e"),
            "gr_e");
  EXPECT_TRUE(label("...").starts_with("error: attribute"));
  EXPECT_TRUE(label("").starts_with("error: attribute"));
  EXPECT_EQ(*otlp_label_name("http.method", kNone), "http.method");
}

TEST(OtlpNames, UnitOfMetadata) {
  EXPECT_EQ(otlp_unit_name("By/s"), "bytes_per_second");
  EXPECT_EQ(otlp_unit_name("{request}"), "");
  EXPECT_EQ(otlp_unit_name("1"), "");
  EXPECT_EQ(otlp_unit_name("ms"), "milliseconds");
}

}  // namespace
}  // namespace binnacle::collect::receive
