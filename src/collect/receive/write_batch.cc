#include "collect/receive/write_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/clock.h"

namespace binnacle::collect::receive {
namespace {

using model::LabelsView;
using model::Sample;
using model::SeriesRef;

// Enough to hide the memory's latency, few enough to stay in the first cache.
constexpr size_t kLookUpAtOnce = 64;

// Errors that are about one series; others are about the store.
bool is_of_the_series(Code code) {
  return code == Code::kResourceExhausted || code == Code::kInvalidArgument ||
         code == Code::kOutOfRange || code == Code::kAlreadyExists;
}

}  // namespace

Result<WriteOutcome> WriteBatch::store(const WriteRequest& request, const LabelLimits& limits,
                                       model::Appendable& into) {
  outcome_ = {};
  look_up(request);
  TRY(read_unknown(request, limits));
  const auto appender = into.appender();
  TRY(append_all(request, limits, *appender));
  for (const MetadataEntry& entry : request.metadata) {
    appender->append_metadata(entry.metric,
                              {entry.type, std::string(entry.help), std::string(entry.unit)});
  }
  TRY_ASSIGN(const model::CommitReport report, appender->commit());
  outcome_.stored = report.stored;
  name_refused(request, report);
  for (const Fresh& fresh : fresh_) cache_.insert(fresh.key, fresh.ref);
  return std::move(outcome_);
}

void WriteBatch::look_up(const WriteRequest& request) {
  const size_t count = request.series.size();
  keys_.resize(count);
  refs_.resize(count);
  for (size_t i = 0; i < count; ++i) keys_[i] = cache_.key_of(request.series[i].label_bytes);
  for (size_t begin = 0; begin < count; begin += kLookUpAtOnce) {
    const size_t some = std::min(kLookUpAtOnce, count - begin);
    cache_.find(std::span(keys_).subspan(begin, some), std::span(refs_).subspan(begin, some));
  }
}

Status WriteBatch::read_unknown(const WriteRequest& request, const LabelLimits& limits) {
  unknown_.clear();
  packed_.clear();
  for (size_t i = 0; i < refs_.size(); ++i) {
    if (refs_[i] != model::kNoSeries) continue;
    const LabelVerdict verdict = fields_.read(request.series[i].label_bytes, limits);
    if (verdict == LabelVerdict::kMalformed) {
      return fail(Code::kInvalidArgument,
                  fmt::format("protobuf body: labels of series {} are malformed", i));
    }
    Unknown unknown{static_cast<uint32_t>(i), verdict, static_cast<uint32_t>(packed_.size()), 0};
    if (verdict == LabelVerdict::kGood) {
      const std::string_view packed = fields_.labels().packed();
      packed_ += packed;
      unknown.packed_size = static_cast<uint32_t>(packed.size());
    }
    unknown_.push_back(unknown);
  }
  outcome_.new_series = unknown_.size();
  outcome_.known_series = refs_.size() - unknown_.size();
  return {};
}

Status WriteBatch::append_all(const WriteRequest& request, const LabelLimits& limits,
                              model::Appender& to) {
  fresh_.clear();
  appended_.clear();
  auto unknown = unknown_.begin();
  for (size_t i = 0; i < request.series.size(); ++i) {
    const SeriesEntry& series = request.series[i];
    outcome_.exemplars += series.exemplar_count;
    LabelsView labels;
    if (refs_[i] == model::kNoSeries) {
      const Unknown& read = *unknown++;
      CHECK(read.series == i);
      if (read.verdict != LabelVerdict::kGood) {
        refuse_series(series, reason_of(read.verdict), {});
        continue;
      }
      labels = LabelsView(std::string_view(packed_).substr(read.packed_begin, read.packed_size));
    }
    if (series.histogram_count != 0) refuse_histograms(series);
    TRY(append_series(request, i, labels, limits, to));
  }
  return {};
}

Status WriteBatch::append_series(const WriteRequest& request, size_t series, LabelsView labels,
                                 const LabelLimits& limits, model::Appender& to) {
  const SeriesEntry& entry = request.series[series];
  SeriesRef ref = refs_[series];
  for (uint32_t i = 0; i < entry.sample_count; ++i) {
    const uint32_t at = entry.first_sample + i;
    const auto appended =
        append_sample(request, series, ref, labels, request.samples[at], limits, to);
    if (!appended) {
      if (!is_of_the_series(appended.error().code)) return fail(appended.error());
      // The series will not become better with its next sample.
      SeriesEntry rest = entry;
      rest.sample_count = entry.sample_count - i;
      rest.histogram_count = 0;
      refuse_series(rest, reason_of(appended.error().code), appended.error().message);
      return {};
    }
    appended_.back().sample = at;
    if (*appended != refs_[series] && i == 0) fresh_.push_back({keys_[series], *appended});
    ref = *appended;
  }
  return {};
}

Result<SeriesRef> WriteBatch::append_sample(const WriteRequest& request, size_t series,
                                            SeriesRef ref, LabelsView labels, Sample sample,
                                            const LabelLimits& limits, model::Appender& to) {
  appended_.push_back({static_cast<uint32_t>(series), 0});
  auto appended = to.append(ref, labels, sample);
  if (appended || appended.error().code != Code::kNotFound || !labels.empty()) return appended;
  // The store has forgotten a series that the cache still knew.
  const LabelVerdict verdict = fields_.read(request.series[series].label_bytes, limits);
  if (verdict != LabelVerdict::kGood) {  // the limits have become stricter since
    return fail(Code::kInvalidArgument,
                fmt::format("{}: {}", fields_.describe(),
                            verdict == LabelVerdict::kMalformed ? "malformed"
                                                                : reason_name(reason_of(verdict))));
  }
  appended_.push_back({static_cast<uint32_t>(series), 0});
  return to.append(model::kNoSeries, fields_.labels(), sample);
}

void WriteBatch::refuse_series(const SeriesEntry& series, Refused reason, std::string_view why) {
  const size_t count = series.sample_count + series.histogram_count;
  if (count == 0) return;
  std::string line;
  if (outcome_.report.names_more() && why.empty()) {
    line = fmt::format("{}: {}", describe(series), reason_name(reason));
  } else if (outcome_.report.names_more()) {
    line = why;
  }
  outcome_.report.refuse(reason, count, std::move(line));
}

void WriteBatch::refuse_histograms(const SeriesEntry& series) {
  std::string line;
  if (outcome_.report.names_more())
    line = describe(series) + ": native histograms are not stored: send classic ones";
  outcome_.report.refuse(Refused::kNativeHistogram, series.histogram_count, std::move(line));
}

void WriteBatch::name_refused(const WriteRequest& request, const model::CommitReport& report) {
  for (const auto& [index, error] : report.refused) {
    std::string line;
    if (outcome_.report.names_more()) {
      CHECK(index < appended_.size());
      const auto [series, sample] = appended_[index];
      const std::string name = describe(request.series[series]);
      line = error.message;
      // A store may have named the series itself.
      if (line.find(name) == std::string::npos)
        line = fmt::format("{} at {}: {}", name,
                           format_rfc3339(request.samples[sample].timestamp_ms), error.message);
    }
    outcome_.report.refuse(reason_of(error.code), 1, std::move(line));
  }
}

std::string WriteBatch::describe(const SeriesEntry& series) {
  (void)fields_.read(series.label_bytes, {});
  return fields_.describe();
}

}  // namespace binnacle::collect::receive
