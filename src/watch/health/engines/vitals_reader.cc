#include "watch/health/engines/vitals_reader.h"

#include <algorithm>

#include "collect/engines/canonical.h"

namespace binnacle::watch::health {
namespace {

using collect::engines::canonical;
using collect::engines::Series;
using collect::exposition::Entry;

constexpr size_t kMaxKnownSeries = 50'000;

void add(std::optional<double>& sum, double value) { sum = sum.value_or(0) + value; }

bool ended_well(model::LabelsView labels) {
  const std::string_view reason = labels.get("reason");
  return reason != "abort" && reason != "error";
}

// The use of the cache is averaged by no weight: any change of it is what counts.
void take(model::LabelsView labels, double value, Vitals& vitals) {
  const std::string_view name = labels.metric_name();
  if (name == canonical(Series::kGenerationTokens).name) {
    add(vitals.generated_tokens, value);
  } else if (name == canonical(Series::kPromptTokens).name) {
    add(vitals.prompt_tokens, value);
  } else if (name == canonical(Series::kRequestsFinished).name) {
    if (ended_well(labels)) add(vitals.finished, value);
  } else if (name == canonical(Series::kRequestsRunning).name) {
    add(vitals.running, value);
  } else if (name == canonical(Series::kRequestsWaiting).name) {
    add(vitals.waiting, value);
  } else if (name == canonical(Series::kKvCacheUsage).name) {
    add(vitals.kv_usage, value);
  }
}

class VitalsSink final : public collect::scrape::DerivedSink {
 public:
  explicit VitalsSink(Vitals& vitals) : vitals_(vitals) {}
  void append(model::LabelsView labels, double value) override { take(labels, value, vitals_); }

 private:
  Vitals& vitals_;
};

}  // namespace

VitalsReader::VitalsReader(collect::engines::Engine engine, Registry& registry)
    : derivers_(registry, {.repeat_native = true}),
      deriver_(derivers_.for_target(
          model::Labels{{"engine", std::string(collect::engines::engine_name(engine))}}, {})) {}

Result<Vitals> VitalsReader::read_page(std::string_view body, std::string_view content_type) {
  TRY_ASSIGN(const auto format, collect::exposition::format_of(content_type));
  if (tokens_.size() > kMaxKnownSeries) tokens_.clear();
  collect::exposition::Reader reader;
  reader.begin(body, format);
  Entry entry;
  model::LabelsBuilder labels;
  for (;;) {
    if (auto read = reader.next(entry); !read) {
      deriver_->failed(0);
      return fail(std::move(read).error());
    }
    if (entry.kind == Entry::Kind::kEnd) break;
    if (entry.kind != Entry::Kind::kSample) continue;
    auto known = tokens_.find(std::string(entry.series));
    if (known == tokens_.end()) {
      const bool readable = reader.read_labels(labels).has_value();
      const uint32_t token = readable ? deriver_->series(labels.build(), reader.last_type()) : 0;
      known = tokens_.emplace(entry.series, token).first;
    }
    if (known->second != 0) deriver_->sample(known->second, entry.value);
  }
  Vitals vitals;
  VitalsSink sink(vitals);
  deriver_->finish(0, sink);
  return vitals;
}

Vitals vitals_of_poll(const collect::engines::PollResult& result) {
  using collect::engines::PollFault;
  Vitals vitals;
  for (const auto& series : result.series) take(series.labels, series.value, vitals);
  if (result.up) return vitals;
  vitals.answer = Vitals::Answer::kUseless;
  if (result.faults.empty()) return vitals;
  const PollFault fault = result.faults.front().fault;
  if (fault == PollFault::kNoAnswer) vitals.answer = Vitals::Answer::kSilent;
  if (fault == PollFault::kUnreachable) vitals.answer = Vitals::Answer::kRefused;
  return vitals;
}

}  // namespace binnacle::watch::health
