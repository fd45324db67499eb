#include "show/query_answer_json.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <numeric>

#include <fmt/format.h>

#include "base/float_text.h"
#include "base/json_text.h"
#include "show/api_params.h"
#include "show/prometheus_json.h"

namespace binnacle::show {
namespace {

using query::promql::OwnedRow;
using query::promql::QueryAnswer;
using query::promql::SampleSeries;
using query::promql::ValueType;

constexpr std::string_view kTimeEnd = ",\"";
constexpr std::string_view kPointEnd = "\"]";
constexpr size_t kBytesOfSample = 16;  // a time and a value

void append_point(std::string& out, int64_t time_ms, double value) {
  out.push_back('[');
  append_time(out, time_ms);
  out += kTimeEnd;
  append_float_json(out, value);
  out += kPointEnd;
}

}  // namespace

QueryAnswerJson::QueryAnswerJson(QueryAnswer answer, size_t limit, bool stats)
    : answer_(std::move(answer)), stats_(stats), count_(series_count()) {
  if (limit != 0 && count_ > limit) {
    count_ = limit;
    answer_.warnings.emplace_back(kTruncated);
  }
  prepare_times();
}

size_t QueryAnswerJson::series_count() const {
  return answer_.rows.size() + answer_.samples.size();
}

// All series of a range have the same steps, so each step's text is made once.
void QueryAnswerJson::prepare_times() {
  if (answer_.rows.empty()) return;
  const size_t steps = answer_.steps.count();
  time_ends_.reserve(steps);
  times_.resize(steps * (1 + kTimeBytes + kTimeEnd.size()));
  char* to = times_.data();
  for (size_t i = 0; i < steps; ++i) {
    *to++ = '[';
    to = write_time(to, answer_.steps.at(i));
    to = std::ranges::copy(kTimeEnd, to).out;
    time_ends_.push_back(static_cast<uint32_t>(to - times_.data()));
  }
  times_.resize(static_cast<size_t>(to - times_.data()));
}

bool QueryAnswerJson::next(std::string& piece) {
  piece.clear();
  if (done_) return false;
  if (!begun_) write_head(piece);
  begun_ = true;
  while (at_ < count_ && piece.size() < kPieceBytes) write_one(piece);
  if (at_ < count_) return true;
  write_tail(piece);
  done_ = true;
  return true;
}

void QueryAnswerJson::write_head(std::string& out) {
  out += fmt::format(R"({{"status":"success","data":{{"resultType":"{}","result":)",
                     value_type_name(answer_.type));
  if (answer_.type == ValueType::kScalar) {
    append_point(out, answer_.steps.start_ms, answer_.scalar);
  } else if (answer_.type == ValueType::kString) {
    out.push_back('[');
    append_time(out, answer_.steps.start_ms);
    out.push_back(',');
    append_json_string(out, answer_.text);
    out.push_back(']');
  } else {
    out.push_back('[');
    return;
  }
  count_ = 0;
}

void QueryAnswerJson::write_one(std::string& out) {
  if (at_ > 0) out.push_back(',');
  out += "{\"metric\":";
  if (answer_.samples.empty()) {
    write_row(out, answer_.rows[at_]);
    answer_.rows[at_] = {};
  } else {
    write_samples(out, answer_.samples[at_]);
    answer_.samples[at_] = {};
  }
  ++at_;
}

void QueryAnswerJson::write_row(std::string& out, OwnedRow& row) {
  append_labels(out, row.labels);
  const bool matrix = answer_.type == ValueType::kMatrix;
  out += matrix ? ",\"values\":[" : ",\"value\":";
  // Room for the most that can come, so that the loop looks at no bounds.
  const size_t before = out.size();
  out.resize(before + times_.size() + row.values.size() * (kFloatJsonBytes + kPointEnd.size() + 1));
  char* to = out.data() + before;
  uint32_t time_begin = 0;
  for (size_t i = 0; i < row.values.size(); ++i) {
    const uint32_t time_end = time_ends_[i];
    if (!query::promql::is_absent(row.values[i])) {
      std::memcpy(to, times_.data() + time_begin, time_end - time_begin);
      to += time_end - time_begin;
      to = write_float_json(to, row.values[i]);
      *to++ = '"';
      *to++ = ']';
      *to++ = ',';
    }
    time_begin = time_end;
  }
  if (to != out.data() + before) --to;  // the last comma
  out.resize(static_cast<size_t>(to - out.data()));
  out += matrix ? "]}" : "}";
}

void QueryAnswerJson::write_samples(std::string& out, SampleSeries& series) {
  append_labels(out, series.labels);
  out += ",\"values\":[";
  for (size_t i = 0; i < series.values.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_point(out, series.times_ms[i], series.values[i]);
  }
  out += "]}";
}

void QueryAnswerJson::write_tail(std::string& out) {
  if (answer_.type == ValueType::kVector || answer_.type == ValueType::kMatrix) out.push_back(']');
  if (stats_) write_stats(out);
  out.push_back('}');
  append_annotations(out, answer_.warnings, answer_.infos);
  out.push_back('}');
}

// The wait for a turn is over before the query begins and not told here.
void QueryAnswerJson::write_stats(std::string& out) const {
  const auto& stats = answer_.stats;
  const double prepare = stats.parse_seconds + stats.prepare_seconds;
  const std::pair<std::string_view, double> timings[] = {
      {"evalTotalTime", prepare + stats.eval_seconds},
      {"resultSortTime", 0},
      {"queryPreparationTime", prepare},
      {"innerEvalTime", stats.eval_seconds},
      {"execQueueTime", 0},
      {"execTotalTime", prepare + stats.eval_seconds},
  };
  out += ",\"stats\":{\"timings\":{";
  for (const auto& [name, seconds] : timings) {
    if (out.back() != '{') out.push_back(',');
    out += fmt::format("\"{}\":", name);
    append_float_json(out, seconds);
  }
  out += "},\"samples\":{";
  write_sample_counts(out);
  out += "}}";
}

void QueryAnswerJson::write_sample_counts(std::string& out) const {
  const auto& stats = answer_.stats;
  const auto& steps = stats.samples_per_step;
  uint64_t total = stats.samples;
  if (!steps.empty()) {
    out += "\"totalQueryableSamplesPerStep\":";
    for (size_t i = 0; i < steps.size(); ++i) {
      out += i == 0 ? "[[" : ",[";
      append_time(out, answer_.steps.at(i));
      out += fmt::format(",{}]", steps[i]);
    }
    out += "],";
    total = std::accumulate(steps.begin(), steps.end(), uint64_t{0});
  }
  out += fmt::format(R"("totalQueryableSamples":{},"samplesRead":{},"peakSamples":{})", total,
                     stats.samples, stats.peak_bytes / kBytesOfSample);
}

}  // namespace binnacle::show
