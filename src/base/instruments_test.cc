#include "base/instruments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

namespace binnacle {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kBounds[] = {0.1, 1, 2.5};

TEST(Histogram, PutsEachValueIntoItsBucket) {
  Histogram histogram(kBounds);
  for (const double v : {0.05, 0.1, 0.100001, 1.0, 2.5, 2.6, 1e300, -1.0}) histogram.observe(v);
  EXPECT_THAT(histogram.snapshot().cumulative, ElementsAre(3, 5, 6, 8));
  EXPECT_DOUBLE_EQ(histogram.snapshot().sum, 1e300);
}

TEST(Histogram, NanAndInfinityFallIntoTheLastBucket) {
  Histogram histogram(kBounds);
  histogram.observe(std::nan(""));
  histogram.observe(HUGE_VAL);
  EXPECT_THAT(histogram.snapshot().cumulative, ElementsAre(0, 0, 0, 2));
  EXPECT_TRUE(std::isnan(histogram.snapshot().sum));
}

TEST(Histogram, WithoutBoundsCountsAll) {
  Histogram histogram({});
  histogram.observe(3);
  EXPECT_THAT(histogram.snapshot().cumulative, ElementsAre(1));
}

TEST(Instruments, LoseNothingAcrossThreads) {
  Registry registry;
  Counter& counter = registry.counter("c_total", "C.");
  Gauge& gauge = registry.gauge("g", "G.");
  Histogram& histogram = registry.histogram("h", "H.", kBounds);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) {
        counter.add();
        gauge.add(0.5);
        histogram.observe(0.5);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 40'000);
  EXPECT_EQ(gauge.value(), 20'000);
  EXPECT_THAT(histogram.snapshot().cumulative, ElementsAre(0, 40'000, 40'000, 40'000));
  EXPECT_EQ(histogram.snapshot().sum, 20'000);
}

TEST(Registry, GivesTheSameInstrumentForTheSameLabelsInAnyOrder) {
  Registry registry;
  Counter& first = registry.counter("c_total", "C.", {{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(&registry.counter("c_total", "C.", {{"b", "2"}, {"a", "1"}}), &first);
  EXPECT_NE(&registry.counter("c_total", "C.", {{"a", "1"}}), &first);
}

// Prometheus' own libraries write the same samples so.
TEST(Registry, WritesPrometheusText) {
  Registry registry;
  registry.counter("requests_total", "Requests.", {{"route", "/b"}}).add(3);
  registry.counter("requests_total", "Requests.", {{"route", "/a"}}).add(1e6);
  registry.gauge("temperature_celsius", "How warm.").set(-0.5);
  Histogram& histogram = registry.histogram("wait_seconds", "Waiting.", kBounds, {{"zone", "z"}});
  histogram.observe(0.3);
  histogram.observe(7);
  EXPECT_EQ(registry.write(TextFormat::kPrometheus004),
            "# HELP requests_total Requests.\n"
            "# TYPE requests_total counter\n"
            "requests_total{route=\"/a\"} 1e+06\n"
            "requests_total{route=\"/b\"} 3\n"
            "# HELP temperature_celsius How warm.\n"
            "# TYPE temperature_celsius gauge\n"
            "temperature_celsius -0.5\n"
            "# HELP wait_seconds Waiting.\n"
            "# TYPE wait_seconds histogram\n"
            "wait_seconds_bucket{zone=\"z\",le=\"0.1\"} 0\n"
            "wait_seconds_bucket{zone=\"z\",le=\"1\"} 1\n"
            "wait_seconds_bucket{zone=\"z\",le=\"2.5\"} 1\n"
            "wait_seconds_bucket{zone=\"z\",le=\"+Inf\"} 2\n"
            "wait_seconds_sum{zone=\"z\"} 7.3\n"
            "wait_seconds_count{zone=\"z\"} 2\n");
}

TEST(Registry, WritesOpenMetrics) {
  Registry registry;
  registry.counter("requests_total", "Requests.").add(3);
  registry.gauge("ratio", "R.").set(1e6);
  registry.histogram("wait_seconds", "Waiting.", kBounds).observe(0.3);
  EXPECT_EQ(registry.write(TextFormat::kOpenMetrics1),
            "# HELP ratio R.\n"
            "# TYPE ratio gauge\n"
            "ratio 1e+06\n"
            "# HELP requests Requests.\n"
            "# TYPE requests counter\n"
            "requests_total 3.0\n"
            "# HELP wait_seconds Waiting.\n"
            "# TYPE wait_seconds histogram\n"
            "wait_seconds_bucket{le=\"0.1\"} 0\n"
            "wait_seconds_bucket{le=\"1.0\"} 1\n"
            "wait_seconds_bucket{le=\"2.5\"} 1\n"
            "wait_seconds_bucket{le=\"+Inf\"} 1\n"
            "wait_seconds_sum 0.3\n"
            "wait_seconds_count 1\n"
            "# EOF\n");
}

TEST(Registry, EscapesHelpAndLabelValues) {
  Registry registry;
  registry.gauge("g", "Path \\ and \"quote\"\nand more.", {{"l", "a\\b\"c\nd\xFF"}}).set(1);
  const std::string sample = "g{l=\"a\\\\b\\\"c\\nd\xEF\xBF\xBD\"} 1";
  EXPECT_THAT(
      registry.write(TextFormat::kPrometheus004),
      AllOf(HasSubstr("# HELP g Path \\\\ and \"quote\"\\nand more.\n"), HasSubstr(sample)));
  EXPECT_THAT(registry.write(TextFormat::kOpenMetrics1),
              AllOf(HasSubstr("# HELP g Path \\\\ and \\\"quote\\\"\\nand more.\n"),
                    HasSubstr(sample + ".0\n")));
}

TEST(Registry, WritesSpecialFloats) {
  Registry registry;
  Gauge& gauge = registry.gauge("g", "G.");
  for (const auto& [value, text] : std::initializer_list<std::pair<double, const char*>>{
           {HUGE_VAL, "g +Inf\n"}, {-HUGE_VAL, "g -Inf\n"}, {std::nan(""), "g NaN\n"}}) {
    gauge.set(value);
    EXPECT_THAT(registry.write(TextFormat::kPrometheus004), HasSubstr(text));
    EXPECT_THAT(registry.write(TextFormat::kOpenMetrics1), HasSubstr(text));
  }
}

TEST(Registry, AnEmptyOneIsStillAnAnswer) {
  Registry registry;
  EXPECT_EQ(registry.write(TextFormat::kPrometheus004), "");
  EXPECT_EQ(registry.write(TextFormat::kOpenMetrics1), "# EOF\n");
}

TEST(Registry, RefreshesBeforeEachCollection) {
  Registry registry;
  Gauge& gauge = registry.gauge("g", "G.");
  registry.before_collect([&] {
    gauge.add(1);
    registry.gauge("made_late", "Made by the callback.").set(5);
  });
  EXPECT_THAT(registry.write(TextFormat::kPrometheus004),
              AllOf(HasSubstr("\ng 1\n"), HasSubstr("made_late 5\n")));
  EXPECT_THAT(registry.write(TextFormat::kPrometheus004), HasSubstr("\ng 2\n"));
  registry.visit([](auto, auto, double) {});
  EXPECT_EQ(gauge.value(), 3);
}

TEST(Registry, VisitsEachSampleWithSortedLabels) {
  Registry registry;
  registry.counter("c_total", "C.").add(2);
  registry.histogram("h", "H.", std::span(kBounds).first(1), {{"a", "1"}, {"z", "2"}}).observe(5);
  std::vector<std::string> seen;
  registry.visit([&](std::string_view name, auto labels, double value) {
    std::string text(name);
    for (const auto& [label, label_value] : labels) text += "," + label + "=" + label_value;
    seen.push_back(text + " " + std::to_string(static_cast<int>(value)));
  });
  EXPECT_THAT(seen,
              ElementsAre("c_total 2", "h_bucket,a=1,le=0.1,z=2 0", "h_bucket,a=1,le=+Inf,z=2 1",
                          "h_sum,a=1,z=2 5", "h_count,a=1,z=2 1"));
}

TEST(RegistryDeathTest, RefusesWhatProgrammersGetWrong) {
  Registry registry;
  registry.gauge("g", "G.");
  registry.histogram("h", "H.", kBounds);
  EXPECT_DEATH(registry.counter("no_suffix", "C."), "_total");
  EXPECT_DEATH(registry.counter("9_total", "C."), "is_name");
  EXPECT_DEATH(registry.gauge("with-dash", "G."), "is_name");
  EXPECT_DEATH(registry.gauge("x", "G.", {{"a", "1"}, {"a", "2"}}), "labels");
  EXPECT_DEATH(registry.gauge("x", "G.", {{"a:b", "1"}}), "is_free_label");
  EXPECT_DEATH(registry.gauge("x", "G.", {{"__name__", "1"}}), "is_free_label");
  EXPECT_DEATH(registry.histogram("x", "H.", kBounds, {{"le", "1"}}), "is_free_label");
  EXPECT_DEATH(registry.histogram("g", "G.", kBounds), "kind");
  EXPECT_DEATH(registry.gauge("g", "Other."), "help");
  EXPECT_DEATH(registry.histogram("h", "H.", latency_bounds()), "bounds");
  constexpr double kFalling[] = {1, 1};
  EXPECT_DEATH(Histogram{kFalling}, "bounds");
  constexpr double kEndless[] = {1, std::numeric_limits<double>::infinity()};
  EXPECT_DEATH(Histogram{kEndless}, "isfinite");
}

TEST(LatencyBounds, GoFromAMillisecondToTenSeconds) {
  EXPECT_EQ(latency_bounds().front(), 0.001);
  EXPECT_EQ(latency_bounds().back(), 10);
  EXPECT_LE(latency_bounds().size(), 20u);
}

TEST(Negotiation, FollowsTheWishes) {
  const auto is_open_metrics = [](std::string_view accept) {
    return negotiate_text_format(accept) == TextFormat::kOpenMetrics1;
  };
  EXPECT_FALSE(is_open_metrics(""));
  EXPECT_FALSE(is_open_metrics("*/*"));
  EXPECT_FALSE(is_open_metrics("text/html, */*;q=0.1"));
  EXPECT_TRUE(is_open_metrics("application/openmetrics-text"));
  EXPECT_TRUE(is_open_metrics("Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8"));
  EXPECT_FALSE(is_open_metrics("application/openmetrics-text; version=0.0.1"));
  EXPECT_FALSE(is_open_metrics("application/openmetrics-text; version=2.0.0"));
  EXPECT_FALSE(is_open_metrics("application/openmetrics-text;q=0"));
  EXPECT_FALSE(is_open_metrics("application/openmetrics-text;q=x"));
  EXPECT_FALSE(is_open_metrics("application/openmetrics-text;q=0.3,text/plain;q=0.5"));
  EXPECT_TRUE(is_open_metrics("text/plain;q=0.3, application/openmetrics-text;q=0.5"));
  EXPECT_FALSE(is_open_metrics(";;;,=,;q=,\"")) << "nonsense gets the default";
  // What Prometheus 2.42 sends.
  EXPECT_TRUE(
      is_open_metrics("application/openmetrics-text;version=1.0.0,"
                      "application/openmetrics-text;version=0.0.1;q=0.75,"
                      "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
}

TEST(Negotiation, ContentTypesNameTheirVersions) {
  EXPECT_EQ(content_type(TextFormat::kPrometheus004), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(content_type(TextFormat::kOpenMetrics1),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

}  // namespace
}  // namespace binnacle
