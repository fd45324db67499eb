// Units and types of the canonical series against a table of its own, read from what the fixtures
// give: knows neither the alias table nor the schema's.
#include <cmath>

#include <re2/re2.h>

#include "collect/engines/scrape_fixture.h"

namespace binnacle::collect::engines {
namespace {

enum class Kind { kGauge, kCounter, kHistogram };

struct Reference {
  const char* name;
  Kind kind;
  // What any value of a real engine lies between: of histograms the mean of what was observed.
  double low;
  double high;
};

constexpr double kManyTokens = 1e15;
constexpr Reference kReferences[] = {
    {"llm_requests_running", Kind::kGauge, 0, 1e5},
    {"llm_requests_waiting", Kind::kGauge, 0, 1e6},
    {"llm_kv_cache_usage_ratio", Kind::kGauge, 0, 1},
    {"llm_kv_cache_capacity_tokens", Kind::kGauge, 1000, 1e10},
    {"llm_prompt_tokens_total", Kind::kCounter, 0, kManyTokens},
    {"llm_generation_tokens_total", Kind::kCounter, 0, kManyTokens},
    {"llm_time_to_first_token_seconds", Kind::kHistogram, 0.001, 60},
    {"llm_inter_token_latency_seconds", Kind::kHistogram, 0.0005, 2},
    {"llm_request_time_per_output_token_seconds", Kind::kHistogram, 0.0005, 2},
    {"llm_request_duration_seconds", Kind::kHistogram, 0.01, 600},
    {"llm_request_queue_seconds", Kind::kHistogram, 0.0001, 60},
    {"llm_request_prefill_seconds", Kind::kHistogram, 0.001, 60},
    {"llm_request_decode_seconds", Kind::kHistogram, 0.01, 600},
    {"llm_prefill_seconds_total", Kind::kCounter, 0, 1e9},
    {"llm_decode_seconds_total", Kind::kCounter, 0, 1e9},
    {"llm_requests_finished_total", Kind::kCounter, 0, 1e12},
    {"llm_request_errors_total", Kind::kCounter, 0, 1e12},
    {"llm_preemptions_total", Kind::kCounter, 0, 1e12},
    {"llm_prefix_cache_hits_total", Kind::kCounter, 0, kManyTokens},
    {"llm_prefix_cache_queries_total", Kind::kCounter, 0, kManyTokens},
    {"llm_prefix_cache_hit_ratio", Kind::kGauge, 0, 1},
    {"llm_spec_decode_drafts_total", Kind::kCounter, 0, kManyTokens},
    {"llm_spec_decode_draft_tokens_total", Kind::kCounter, 0, kManyTokens},
    {"llm_spec_decode_accepted_tokens_total", Kind::kCounter, 0, kManyTokens},
    {"llm_spec_decode_accepted_tokens_per_position_total", Kind::kCounter, 0, kManyTokens},
    {"llm_spec_decode_acceptance_ratio", Kind::kGauge, 0, 1},
    {"llm_spec_decode_acceptance_length_tokens", Kind::kGauge, 0, 100},
    {"llm_model_info", Kind::kGauge, 1, 1},
    {"llm_model_load_seconds", Kind::kGauge, 0.1, 1e5},
    {"llm_model_memory_bytes", Kind::kGauge, 0, 1e13},
};

const Reference* reference_of(std::string_view name) {
  for (const Reference& reference : kReferences) {
    if (reference.name == name) return &reference;
    if (reference.kind != Kind::kHistogram || !name.starts_with(reference.name)) continue;
    const std::string_view rest = name.substr(std::string_view(reference.name).size());
    if (rest == "_bucket" || rest == "_sum" || rest == "_count") return &reference;
  }
  return nullptr;
}

// Buckets of one histogram rise with their bounds up to the count; bounds are in seconds.
struct Histogram {
  std::map<double, double> buckets;
  double sum = NAN;
  double count = NAN;
};

void check_histogram(const std::string& name, const Histogram& one, const Reference& reference) {
  ASSERT_FALSE(std::isnan(one.sum)) << name;
  ASSERT_GT(one.count, 0) << name;
  const double mean = one.sum / one.count;
  EXPECT_GE(mean, reference.low) << name;
  EXPECT_LE(mean, reference.high) << name;
  if (one.buckets.empty()) return;  // known by sum and count alone
  EXPECT_EQ(one.buckets.rbegin()->second, one.count) << name;
  double before = 0;
  double below_mean = 0;
  for (const auto& [bound, count] : one.buckets) {
    EXPECT_GE(count, before) << name << " up to " << bound;
    before = count;
    if (bound <= mean * 4) below_mean = count;
  }
  // Most of what was observed lies within a few times the mean, if bounds and sum are of one unit.
  EXPECT_GE(below_mean, one.count / 2) << name;
}

class SchemaTest : public testing::TestWithParam<std::string> {};

TEST_P(SchemaTest, UnitsAndTypesAreTheReferences) {
  CollectingSink sink;
  std::map<std::string, Histogram> histograms;
  for (const auto& [text, value] : FixtureTarget().scrape(fixture_text(GetParam() + ".prom"))) {
    if (text.starts_with("binnacle_")) continue;
    const std::string name = text.substr(0, text.find('{'));
    const Reference* reference = reference_of(name);
    ASSERT_NE(reference, nullptr) << "not in the schema: " << text;
    if (reference->kind != Kind::kHistogram) {
      EXPECT_EQ(name.ends_with("_total"), reference->kind == Kind::kCounter) << name;
      EXPECT_GE(value, reference->low) << text;
      EXPECT_LE(value, reference->high) << text;
      continue;
    }
    std::string model;
    std::string bound;
    RE2::PartialMatch(text, "model=\"([^\"]*)\"", &model);
    RE2::PartialMatch(text, "[{, ]le=\"([^\"]*)\"", &bound);
    Histogram& home = histograms[std::string(reference->name) + " " + model];
    if (name.ends_with("_sum")) home.sum = value;
    if (name.ends_with("_count")) home.count = value;
    if (name.ends_with("_bucket")) home.buckets[std::stod(bound)] = value;
  }
  for (const auto& [name, one] : histograms) {
    check_histogram(GetParam() + " " + name, one, *reference_of(name.substr(0, name.find(' '))));
  }
}

INSTANTIATE_TEST_SUITE_P(All, SchemaTest, testing::ValuesIn(fixtures(".prom")),
                         [](const testing::TestParamInfo<std::string>& info) {
                           std::string name = info.param;
                           RE2::GlobalReplace(&name, "[^a-zA-Z0-9]", "_");
                           return name;
                         });

}  // namespace
}  // namespace binnacle::collect::engines
