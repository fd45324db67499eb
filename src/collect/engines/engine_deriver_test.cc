#include "collect/engines/engine_deriver.h"

#include <cmath>

#include <fmt/format.h>

#include "collect/engines/scrape_fixture.h"

namespace binnacle::collect::engines {
namespace {

constexpr const char* kRunning = R"(llm_requests_running{engine="vllm", model="m"})";

TEST(EngineDeriverTest, TakesNoInterestInWhatIsNoEngines) {
  FixtureTarget target;
  EXPECT_TRUE(target.scrape("node_load1 0.5\nhttp_requests_total{code=\"200\"} 7\n").empty());
  EXPECT_EQ(target.interesting(), 0u);
}

TEST(EngineDeriverTest, AnEnginesOtherSeriesCostNothingButTellWhoItIs) {
  FixtureTarget target;
  const SeriesValues values = target.scrape("vllm:lora_requests_info{max_lora=\"4\"} 1\n");
  EXPECT_EQ(target.interesting(), 0u);
  EXPECT_EQ(values.at(R"(binnacle_engine_info{engine="vllm", version="unknown"})"), 1);
  EXPECT_EQ(values.at(R"(binnacle_engine_expected_series_absent{engine="vllm", )"
                      R"(series="llm_requests_running"})"),
            1);
}

TEST(EngineDeriverTest, ColonsUnderscoresAndTotalsAreOne) {
  for (const char* name : {"vllm:prompt_tokens_total", "vllm_prompt_tokens_total",
                           "vllm:prompt_tokens", "vllm_prompt_tokens"}) {
    FixtureTarget target;
    const SeriesValues values =
        target.scrape(fmt::format("{}{{model_name=\"m\",engine=\"0\"}} 12\n", name));
    EXPECT_EQ(values.at(R"(llm_prompt_tokens_total{engine="vllm", model="m"})"), 12) << name;
    EXPECT_EQ(values.at(fmt::format("binnacle_engine_alias_info{{alias=\"{}\", engine=\"vllm\", "
                                    "series=\"llm_prompt_tokens_total\"}}",
                                    name)),
              1);
  }
}

// A histogram whose name ends as a counter's, beside the counter that it must not become.
TEST(EngineDeriverTest, AHistogramNamedTotalIsNoCounter) {
  FixtureTarget target;
  const SeriesValues values = target.scrape(
      "# TYPE vllm:iteration_tokens_total histogram\n"
      "vllm:iteration_tokens_total_bucket{model_name=\"m\",le=\"+Inf\"} 3\n"
      "vllm:iteration_tokens_total_sum{model_name=\"m\"} 90\n"
      "vllm:iteration_tokens_total_count{model_name=\"m\"} 3\n");
  EXPECT_EQ(target.interesting(), 0u);
  for (const auto& [series, value] : values) EXPECT_FALSE(series.starts_with("llm_")) << series;
}

TEST(EngineDeriverTest, OfCopiesByProcessTheYoungestCounts) {
  FixtureTarget target;
  const SeriesValues values = target.scrape(
      "vllm:num_requests_running{model_name=\"m\",pid=\"41\"} 3\n"
      "vllm:num_requests_running{model_name=\"m\",pid=\"9\"} 8\n");
  EXPECT_EQ(values.at(kRunning), 3);
}

TEST(EngineDeriverTest, WhatHasNoProcessOfItsOwnComesBeforeCopies) {
  FixtureTarget target;
  const SeriesValues values = target.scrape(
      "vllm:num_requests_running{model_name=\"m\",pid=\"41\"} 3\n"
      "vllm:num_requests_running{model_name=\"m\"} 5\n");
  EXPECT_EQ(values.at(kRunning), 5);
}

TEST(EngineDeriverTest, WhatIsGoneIsNotRepeated) {
  FixtureTarget target;
  EXPECT_TRUE(target.scrape("vllm:num_requests_running{model_name=\"m\"} 3\n").contains(kRunning));
  const SeriesValues after = target.scrape("vllm:num_requests_waiting{model_name=\"m\"} 1\n");
  EXPECT_FALSE(after.contains(kRunning));
  EXPECT_EQ(after.at(R"(binnacle_engine_expected_series_absent{engine="vllm", )"
                     R"(series="llm_requests_running"})"),
            1);
}

TEST(EngineDeriverTest, AFailedScrapeIsVoid) {
  FixtureTarget target;
  target.scrape_that_fails("vllm:num_requests_running{model_name=\"m\"} 3\n");
  EXPECT_FALSE(target.scrape("up 1\n").contains(kRunning));
}

TEST(EngineDeriverTest, NotANumberIsAsIfItWereNotThere) {
  FixtureTarget target;
  const SeriesValues values = target.scrape("vllm:num_requests_running{model_name=\"m\"} NaN\n");
  EXPECT_FALSE(values.contains(kRunning));
}

TEST(EngineDeriverTest, ModelsAreKeptApart) {
  FixtureTarget target;
  const SeriesValues values = target.scrape(
      "vllm:num_requests_running{model_name=\"m\"} 3\n"
      "vllm:num_requests_running{model_name=\"n\"} 4\n");
  EXPECT_EQ(values.at(kRunning), 3);
  EXPECT_EQ(values.at(R"(llm_requests_running{engine="vllm", model="n"})"), 4);
  EXPECT_EQ(values.at(R"(llm_model_info{engine="vllm", model="n"})"), 1);
}

// A lazy engine has not shown its counters before the first request, which is no fault.
TEST(EngineDeriverTest, BeforeTheFirstRequestNothingOfRequestsIsMissed) {
  FixtureTarget target;
  const SeriesValues values =
      target.scrape("sglang:num_running_reqs{model_name=\"m\",tp_rank=\"0\"} 0\n");
  const auto missed = [&](const char* series) {
    return values.contains(fmt::format(
        "binnacle_engine_expected_series_absent{{engine=\"sglang\", series=\"{}\"}}", series));
  };
  EXPECT_FALSE(missed("llm_prompt_tokens_total"));
  EXPECT_FALSE(missed("llm_time_to_first_token_seconds"));
  EXPECT_TRUE(missed("llm_requests_waiting"));
}

TEST(EngineDeriverTest, AShareOfNothingIsNotGiven) {
  FixtureTarget target;
  const SeriesValues values =
      target.scrape("tgi_batch_current_max_tokens 0\ntgi_batch_max_total_tokens 0\n");
  EXPECT_FALSE(values.contains(R"(llm_kv_cache_usage_ratio{engine="tgi"})"));
}

TEST(EngineDeriverTest, TheOperatorNamesEngineAndVersion) {
  const model::Labels labels{{"__engine__", "vllm"}, {"__engine_version__", "0.13.1"}};
  FixtureTarget target(labels);
  const SeriesValues values =
      target.scrape("up_to_something 1\nsglang:num_running_reqs{model_name=\"m\"} 3\n");
  EXPECT_EQ(target.interesting(), 0u);  // not the engine that was named
  EXPECT_EQ(values.at(R"(binnacle_engine_info{engine="vllm", version="0.13.1"})"), 1);
  EXPECT_EQ(values.at(R"(binnacle_engine_expected_series_absent{engine="vllm", )"
                      R"(series="llm_kv_cache_usage_ratio"})"),
            1);
}

TEST(EngineDeriverTest, TheTargetsOwnEngineLabelIsNotRepeated) {
  FixtureTarget target(model::Labels{{"engine", "vllm"}});
  const SeriesValues values = target.scrape("vllm:num_requests_running{model_name=\"m\"} 3\n");
  EXPECT_EQ(values.at(R"(llm_requests_running{model="m"})"), 3);
}

TEST(EngineDeriverTest, SeriesBeyondTheLimitAreCountedAndLeftOut) {
  FixtureTarget target({}, {.max_inputs = 2});
  const SeriesValues values = target.scrape(
      "vllm:num_requests_running{model_name=\"a\"} 1\n"
      "vllm:num_requests_running{model_name=\"b\"} 1\n"
      "vllm:num_requests_running{model_name=\"c\"} 1\n");
  EXPECT_FALSE(values.contains(R"(llm_requests_running{engine="vllm", model="c"})"));
  EXPECT_EQ(target.refused(), 1);
}

TEST(EngineTest, ReadsVersions) {
  EXPECT_EQ(parse_version("0.10.2rc1"), version(0, 10));
  EXPECT_EQ(parse_version("v1.2"), version(1, 2));
  EXPECT_EQ(parse_version("3"), version(3, 0));
  EXPECT_EQ(parse_version("b9300"), 0u);
  EXPECT_EQ(parse_version(""), 0u);
  EXPECT_LT(version(0, 9), version(0, 10));
}

}  // namespace
}  // namespace binnacle::collect::engines
