#include "collect/receive/write_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/clock.h"

namespace binnacle::collect::receive {
namespace {

using model::LabelsView;
using model::SeriesRef;

// Enough to hide the memory's latency, few enough to stay in the first cache.
constexpr size_t kLookUpAtOnce = 64;

// Errors that are about one series; others are about the store.
bool is_of_the_series(Code code) {
  return code == Code::kResourceExhausted || code == Code::kInvalidArgument ||
         code == Code::kOutOfRange || code == Code::kAlreadyExists;
}

Unexpected malformed(size_t series) {
  return fail(Code::kInvalidArgument,
              fmt::format("protobuf body: labels of series {} are malformed", series));
}

}  // namespace

Result<WriteOutcome> WriteBatch::store(WriteRequest& request, const LabelLimits& limits,
                                       model::Appendable& into) {
  outcome_ = {};
  look_up(request);
  TRY(settle_unknown(request));
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
  std::array<std::string_view, kLookUpAtOnce> label_bytes;
  for (size_t begin = 0; begin < count; begin += kLookUpAtOnce) {
    const size_t some = std::min(kLookUpAtOnce, count - begin);
    for (size_t i = 0; i < some; ++i) label_bytes[i] = request.series[begin + i].label_bytes;
    cache_.find({label_bytes.data(), some}, std::span(keys_).subspan(begin, some),
                std::span(refs_).subspan(begin, some));
  }
}

// The cache holds nothing but labels that were taken apart once: a guess that it knows is right.
Status WriteBatch::settle_unknown(WriteRequest& request) {
  for (size_t i = 0; i < refs_.size(); ++i) {
    SeriesEntry& series = request.series[i];
    if (refs_[i] != model::kNoSeries || series.guessed_behind == 0) continue;
    const std::string_view guess = series.label_bytes;
    TRY(request.settle(i));
    if (series.label_bytes.data() == guess.data() && series.label_bytes.size() == guess.size())
      continue;
    cache_.find({&series.label_bytes, 1}, {&keys_[i], 1}, {&refs_[i], 1});
  }
  return {};
}

Status WriteBatch::read_unknown(const WriteRequest& request, const LabelLimits& limits) {
  unknown_.clear();
  packed_.clear();
  for (size_t i = 0; i < refs_.size(); ++i) {
    if (refs_[i] != model::kNoSeries) continue;
    const LabelVerdict verdict = fields_.read(request.series[i].label_bytes, limits);
    if (verdict == LabelVerdict::kMalformed) return malformed(i);
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
  known_.clear();
  known_at_.clear();
  auto unknown = unknown_.begin();
  for (uint32_t i = 0; i < request.series.size(); ++i) {
    const SeriesEntry& series = request.series[i];
    outcome_.exemplars += series.exemplar_count;
    const bool known = refs_[i] != model::kNoSeries;
    const Unknown* read = known ? nullptr : &*unknown++;
    CHECK(known || read->series == i);
    if (!known && read->verdict != LabelVerdict::kGood) {
      refuse_series(series, reason_of(read->verdict), {});
      continue;
    }
    if (series.histogram_count != 0) refuse_histograms(series);
    if (known) {
      gather_known(request, i);
      continue;
    }
    // Samples go in as they came: two sets of label bytes may be one series.
    TRY(append_known(request, limits, to));
    const std::string_view labels =
        std::string_view(packed_).substr(read->packed_begin, read->packed_size);
    TRY(append_series(request, i, series, LabelsView(labels), to));
  }
  return append_known(request, limits, to);
}

void WriteBatch::gather_known(const WriteRequest& request, uint32_t series) {
  const SeriesEntry& entry = request.series[series];
  for (uint32_t i = 0; i < entry.sample_count; ++i) {
    const uint32_t at = entry.first_sample + i;
    // In place: loads as wide as a copy's would wait for the narrower stores just before them.
    model::KnownSample& known = known_.emplace_back();
    known.ref = refs_[series];
    known.sample = request.samples[at];
    Appended& known_at = known_at_.emplace_back();
    known_at.series = series;
    known_at.sample = at;
  }
}

Status WriteBatch::append_known(const WriteRequest& request, const LabelLimits& limits,
                                model::Appender& to) {
  for (size_t begin = 0; begin < known_.size();) {
    const size_t in = to.append_known(std::span(known_).subspan(begin));
    const size_t tried = std::min(begin + in + 1, known_.size());
    appended_.insert(appended_.end(), known_at_.begin() + static_cast<ptrdiff_t>(begin),
                     known_at_.begin() + static_cast<ptrdiff_t>(tried));
    begin += in;
    if (begin == known_.size()) break;
    const auto [series, sample] = known_at_[begin];
    SeriesEntry rest = request.series[series];
    rest.sample_count -= sample - rest.first_sample;
    rest.first_sample = sample;
    rest.histogram_count = 0;  // refused already
    TRY(append_forgotten(request, series, rest, limits, to));
    begin += rest.sample_count;
  }
  known_.clear();
  known_at_.clear();
  return {};
}

// The store has forgotten a series that the cache still knew.
Status WriteBatch::append_forgotten(const WriteRequest& request, uint32_t series,
                                    const SeriesEntry& entry, const LabelLimits& limits,
                                    model::Appender& to) {
  const LabelVerdict verdict = fields_.read(entry.label_bytes, limits);
  if (verdict == LabelVerdict::kMalformed) return malformed(series);
  if (verdict == LabelVerdict::kGood)
    return append_series(request, series, entry, fields_.labels(), to);
  refuse_series(entry, reason_of(verdict), {});  // the limits have become stricter since
  return {};
}

Status WriteBatch::append_series(const WriteRequest& request, uint32_t series,
                                 const SeriesEntry& entry, LabelsView labels, model::Appender& to) {
  SeriesRef ref = model::kNoSeries;
  for (uint32_t i = 0; i < entry.sample_count; ++i) {
    const uint32_t at = entry.first_sample + i;
    appended_.push_back({series, at});
    const auto appended = to.append(ref, labels, request.samples[at]);
    if (!appended) {
      if (!is_of_the_series(appended.error().code)) return fail(appended.error());
      // The series will not become better with its next sample.
      SeriesEntry rest = entry;
      rest.sample_count = entry.sample_count - i;
      rest.histogram_count = 0;
      refuse_series(rest, reason_of(appended.error().code), appended.error().message);
      return {};
    }
    if (i == 0) fresh_.push_back({keys_[series], *appended});
    ref = *appended;
  }
  return {};
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
