#include "collect/scrape/page_appender.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "collect/scrape/sample_labels.h"

namespace binnacle::collect::scrape {
namespace {

using exposition::Entry;
using model::Appender;
using model::Sample;
using model::SeriesRef;

constexpr size_t kKnownAtOnce = 512;  // few enough to stay in the first cache
constexpr size_t kSlackSlots = 100;   // slots of gone series are kept up to a quarter and these

// Errors that are about one series; others are about the store.
bool is_of_the_series(Code code) {
  return code == Code::kResourceExhausted || code == Code::kInvalidArgument ||
         code == Code::kOutOfRange || code == Code::kAlreadyExists;
}

}  // namespace

PageAppender::PageAppender(const Target& target, PageLimits limits, model::Appendable& store,
                           const Clock& clock, ScrapeInstruments& instruments,
                           std::unique_ptr<TargetDeriver> deriver)
    : target_(target),
      limits_(limits),
      store_(store),
      clock_(clock),
      instruments_(instruments),
      deriver_(std::move(deriver)),
      report_series_(target.labels, limits.extra_metrics),
      derived_(target.labels) {}

PageResult PageAppender::store(const std::shared_ptr<const JobConfig>& job,
                               const FetchedPage& page) {
  use_job(job);
  ++pass_;
  time_ms_ = page.time_ms;
  scraped_ = kept_ = added_ = appended_ = refused_ = 0;
  over_sample_limit_ = false;
  auto appender = store_.appender();
  PageResult result{.status = page.status, .outcome = page.outcome};
  if (result.status) {
    result.status = read_page(page, *appender);
    if (!result.status && result.outcome == ScrapeOutcome::kGood) {
      result.outcome = result.status.error().code == Code::kResourceExhausted
                           ? ScrapeOutcome::kLimit
                           : ScrapeOutcome::kBody;
    }
  }
  if (result.status) {
    finish_good(page.time_ms, *appender);
  } else {
    appender->rollback();
    appender = store_.appender();
    end_series(page.time_ms, *appender);
    if (deriver_ != nullptr) deriver_->failed(page.time_ms);
  }
  report(page, result, *appender);
  if (auto committed = commit(*appender); !committed) {
    result.status = fail(std::move(committed).error().with_context("store"));
    result.outcome = ScrapeOutcome::kStore;
  } else if (refused_ != 0) {
    result.left_out = fmt::format("{} samples not stored, the first: {}", refused_, first_refusal_);
  }
  instruments_.scrapes(result.outcome).add();
  return result;
}

void PageAppender::report(const FetchedPage& page, PageResult& result, Appender& to) {
  result.duration_seconds = static_cast<double>(clock_.monotonic_ns() - page.started_ns) / 1e9;
  instruments_.duration_seconds.observe(result.duration_seconds);
  instruments_.body_bytes.add(static_cast<double>(page.body.size()));
  instruments_.samples.add(static_cast<double>(scraped_));
  instruments_.series_added.add(static_cast<double>(added_));
  report_series_.append(
      {.up = result.status.has_value(),
       .duration_seconds = result.duration_seconds,
       .scraped = scraped_,
       .kept = kept_,
       .added = added_,
       .timeout_seconds = static_cast<double>(target_.timeout_ms) / 1000,
       .sample_limit = job_->sample_limit,
       .body_bytes = page.over_size_limit ? -1.0 : static_cast<double>(page.body.size())},
      page.time_ms, to);
}

Status PageAppender::commit(Appender& to) {
  TRY_ASSIGN(const model::CommitReport report, to.commit());
  for (const model::Refusal& refusal : report.refused) note_refused(refusal.error);
  return {};
}

// What the job says of labels and limits may be new: all series are read anew, and those that the
// store has under the old rules alone end.
void PageAppender::use_job(const std::shared_ptr<const JobConfig>& job) {
  if (job_ == job) return;
  job_ = job;
  for (const SeriesSlot& slot : slots_.all()) {
    if (slot.live) former_.insert(slot.ref);
  }
  slots_.clear();
}

void PageAppender::adopt(PageAppender& other) {
  for (const SeriesSlot& slot : other.slots_.all()) {
    if (slot.live) former_.insert(slot.ref);
  }
  former_.merge(other.former_);
  other.slots_.clear();
  other.former_.clear();
  std::swap(report_series_, other.report_series_);
  derived_.adopt(other.derived_);
}

// Whether the page has too many samples, before the store hears of the first: a series that a batch
// names takes room in the store even when the batch is rolled back, and millions of them would take
// that of the neighbours. Most pages are too short for that, or have too few lines.
Status PageAppender::check_size(const FetchedPage& page) {
  constexpr size_t kShortestLine = 4;  // "a 1\n"
  const auto is_over = [this](size_t samples) { return samples > limits_.max_samples; };
  if (!is_over(page.body.size() / kShortestLine + 1)) return {};
  if (!is_over(static_cast<size_t>(std::ranges::count(page.body, '\n')) + 1)) return {};
  reader_.begin(page.body, page.format);
  for (Entry entry; !is_over(scraped_);) {
    // What is wrong with the page is told when it is read for good.
    if (!reader_.next(entry) || entry.kind == Entry::Kind::kEnd) {
      scraped_ = 0;
      return {};
    }
    if (entry.kind == Entry::Kind::kSample) ++scraped_;
  }
  instruments_.max_samples.add();
  return fail(Code::kResourceExhausted,
              fmt::format("the page has more than {} samples (collect.scrape.max_samples): {} MiB "
                          "of text; have the target expose less, or raise the limit",
                          limits_.max_samples, page.body.size() >> 20));
}

Status PageAppender::read_page(const FetchedPage& page, Appender& to) {
  if (page.body.empty()) return {};
  TRY(check_size(page));
  format_ = page.format;
  reader_.begin(page.body, page.format);
  slots_.rewind();
  known_.clear();
  pending_.clear();
  for (Entry entry;;) {
    uint32_t at = slots_.guess(reader_.rest());
    if (at != SeriesSlots::kNone) {
      TRY(reader_.next_known(slots_[at].bytes, entry));
    } else {
      TRY(reader_.next(entry));
      if (entry.kind == Entry::Kind::kEnd) break;
      if (entry.kind != Entry::Kind::kSample) {
        families_.note(entry, pass_);
        continue;
      }
      at = slots_.find(entry.series);
    }
    ++scraped_;
    TRY(take_sample(entry, at, to));
    if (known_.size() == kKnownAtOnce) TRY(append_known(to));
  }
  TRY(append_known(to));
  if (over_sample_limit_) {
    instruments_.sample_limit.add();
    return fail(Code::kResourceExhausted,
                fmt::format("sample limit exceeded: the page has more than {} samples "
                            "(sample_limit)",
                            job_->sample_limit));
  }
  return {};
}

Status PageAppender::take_sample(const Entry& entry, uint32_t at, Appender& to) {
  const bool is_new = at == SeriesSlots::kNone;
  if (is_new) {
    TRY_ASSIGN(at, add_series(entry));
  }
  SeriesSlot& slot = slots_[at];
  // One that was refused, or over the limit, before.
  if (!is_new && slot.ref == model::kNoSeries && !slot.dropped)
    TRY(read_labels(entry.series, slot));
  const bool has_time = entry.timestamp_ms.has_value() && job_->honor_timestamps;
  const bool again = slot.seen == pass_ && !has_time;
  const bool was_seen = slot.seen == pass_;
  slot.seen = pass_;
  if (slot.token != 0 && !again) deriver_->sample(slot.token, entry.value);
  if (slot.dropped) return {};
  ++kept_;
  if (again) {
    instruments_.duplicates.add();
    return {};
  }
  if (job_->sample_limit != 0 && appended_ >= job_->sample_limit) over_sample_limit_ = true;
  if (over_sample_limit_) return {};
  ++appended_;
  slot.tracked = !has_time || job_->track_timestamps_staleness;
  const Sample sample{has_time ? *entry.timestamp_ms : time_ms_, entry.value};
  if (slot.ref == model::kNoSeries) return append_new(at, sample, to);
  if (!was_seen && (slot.good_seen == 0 || slot.good_seen != good_pass_)) ++added_;
  known_.push_back({slot.ref, sample});
  pending_.push_back({at, entry.series.data()});
  return {};
}

Result<uint32_t> PageAppender::add_series(const Entry& entry) {
  const uint32_t at = slots_.add(entry.series);
  TRY(read_labels(entry.series, slots_[at]));
  if (deriver_ != nullptr)
    slots_[at].token = deriver_->series(exposed_.build(), reader_.last_type());
  return at;
}

Status PageAppender::read_labels(std::string_view series, SeriesSlot& slot) {
  TRY(exposition::read_series_labels(series, format_, reader_.last_type(), exposed_)
          .map_error([this](Error error) {
            return std::move(error).with_context(fmt::format("line {}", reader_.line()));
          }));
  auto labels = sample_labels(*job_, exposed_.build(), target_.labels);
  if (!labels) {
    if (labels.error().code == Code::kResourceExhausted) instruments_.label_limits.add();
    return fail(std::move(labels).error());
  }
  slot.dropped = !labels->has_value();
  if (*labels) labels_ = std::move(**labels);
  return {};
}

Status PageAppender::check_labels() const {
  size_t count = 0;
  for (const model::Label& label : labels_) {
    if (++count <= limits_.max_labels && label.name.size() <= limits_.max_label_name_bytes &&
        label.value.size() <= limits_.max_label_value_bytes)
      continue;
    return fail(Code::kInvalidArgument,
                fmt::format("labels: more than {}, a name longer than {} bytes or a value longer "
                            "than {} (label {})",
                            limits_.max_labels, limits_.max_label_name_bytes,
                            limits_.max_label_value_bytes, label.name.substr(0, 50)));
  }
  return {};
}

Status PageAppender::append_new(uint32_t at, Sample sample, Appender& to) {
  if (auto good = check_labels(); !good) {
    refuse(good.error());
    return {};
  }
  const auto ref = to.append(model::kNoSeries, labels_, sample);
  if (!ref) {
    if (refuse(ref.error())) return {};
    return fail(ref.error());
  }
  slots_[at].ref = *ref;
  if (!former_.contains(*ref)) ++added_;
  return {};
}

// True: counted, and the rest of the page goes on.
bool PageAppender::refuse(const Error& error) {
  if (!is_of_the_series(error.code)) return false;
  note_refused(error);
  return true;
}

// The log has the first of a page: there may be millions.
void PageAppender::note_refused(const Error& error) {
  instruments_.refused(error.code).add();
  if (++refused_ > 1) return;
  first_refusal_ = error.message;
  log_.debug("series refused", {{"url", target_.url}, {"reason", error.message}});
}

Status PageAppender::append_known(Appender& to) {
  for (size_t begin = 0; begin < known_.size();) {
    begin += to.append_known(std::span(known_).subspan(begin));
    if (begin == known_.size()) break;
    TRY(append_forgotten(pending_[begin], known_[begin].sample, to));
    ++begin;
  }
  known_.clear();
  pending_.clear();
  return {};
}

// The store has forgotten a series that its slot still knew.
Status PageAppender::append_forgotten(const Pending& pending, Sample sample, Appender& to) {
  SeriesSlot& slot = slots_[pending.slot];
  TRY(read_labels({pending.series, slot.bytes}, slot));
  slot.ref = model::kNoSeries;
  return slot.dropped ? Status() : append_new(pending.slot, sample, to);
}

void PageAppender::mark_stale(SeriesRef ref, int64_t time_ms, Appender& to) {
  // kNotFound: forgotten by the store, so that there is nothing to end.
  if (to.append(ref, {}, {time_ms, model::stale_nan()})) instruments_.stale_markers.add();
}

void PageAppender::finish_good(int64_t time_ms, Appender& to) {
  size_t gone = 0;
  for (SeriesSlot& slot : slots_.all()) {
    if (slot.seen == pass_) {
      slot.good_seen = pass_;
      slot.live = slot.tracked && !slot.dropped && slot.ref != model::kNoSeries;
      if (!former_.empty()) former_.erase(slot.ref);
      continue;
    }
    ++gone;
    if (slot.live) mark_stale(slot.ref, time_ms, to);
    slot.live = false;
  }
  for (const SeriesRef ref : former_) mark_stale(ref, time_ms, to);
  former_.clear();
  // An empty page is no reason to look at all series anew when they are back.
  if (scraped_ != 0) {
    good_pass_ = pass_;
    if (gone > slots_.size() / 4 + kSlackSlots) slots_.keep_only(pass_);
  }
  for (const auto& [metric, metadata] : families_.take_news(pass_))
    to.append_metadata(metric, metadata);
  if (deriver_ != nullptr) {
    derived_.begin(time_ms, to);
    deriver_->finish(time_ms, derived_);
    instruments_.stale_markers.add(static_cast<double>(derived_.finish()));
  }
}

void PageAppender::end_series(int64_t time_ms, Appender& to) {
  for (SeriesSlot& slot : slots_.all()) {
    if (slot.live) mark_stale(slot.ref, time_ms, to);
    slot.live = false;
  }
  for (const SeriesRef ref : former_) mark_stale(ref, time_ms, to);
  former_.clear();
  instruments_.stale_markers.add(static_cast<double>(derived_.end_all(time_ms, to)));
}

void PageAppender::end(int64_t time_ms) {
  const auto appender = store_.appender();
  end_series(time_ms, *appender);
  report_series_.append_stale(time_ms, *appender);
  // Nobody is left to be told that the markers did not get in; the counter of refusals and the
  // store's own say it.
  if (auto committed = commit(*appender); !committed)
    log_.warn("stale markers not stored",
              {{"url", target_.url}, {"error", committed.error().message}});
}

}  // namespace binnacle::collect::scrape
