#include "engine/pipeline/scheduler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/check.h"

namespace binnacle::engine {
namespace {

using namespace scheduler_action;  // NOLINT: the machine speaks in them throughout

// A step's weight in the learned cost fades by this with each later one.
constexpr double kFade = 0.98;

}  // namespace

std::string_view end_reason_name(EndReason reason) {
  switch (reason) {
    case EndReason::kStop:
      return "stop";
    case EndReason::kLength:
      return "length";
    case EndReason::kCancelled:
      return "abort";
    case EndReason::kFailed:
      break;
  }
  return "error";
}

struct Scheduler::Sequence {
  Generation asked;
  std::vector<int32_t> known;  // prompt, then what was generated
  int64_t cached = 0;          // of `known`
  int64_t reserved = 0;        // positions in whole pages
  int64_t prompt_seen = 0;     // of the prompt, that was computed at least once
  uint64_t arrival = 0;
  uint64_t batch = 0;  // 0: in none
  bool running = false;
  bool leaving = false;  // ends with its micro-batch
  EndReason leaves_as = EndReason::kCancelled;
  Error leaves_with;
  int32_t bad_results = 0;

  int64_t generated() const {
    return static_cast<int64_t>(known.size()) - static_cast<int64_t>(asked.prompt.size());
  }
  int64_t missing() const { return static_cast<int64_t>(known.size()) - cached; }
};

struct Scheduler::Batch {
  struct Part {
    SequenceId sequence = 0;
    int32_t rows = 0;
    bool chooses = false;
  };
  std::vector<Part> parts;
  int32_t rows = 0;
};

Scheduler::Scheduler(SchedulerOptions options) : options_(options) {
  CHECK(options_.max_running > 0 && options_.prefill_rows > 0 && options_.kv_page > 0);
}
Scheduler::~Scheduler() = default;

SchedulerActions Scheduler::step(int64_t now_ns, SchedulerEvent event) {
  actions_.clear();
  std::visit([&](auto& e) { on(now_ns, e); }, event);
  expire(now_ns);
  admit();
  fill();
  return std::move(actions_);
}

Status Scheduler::admission() const {
  if (static_cast<int64_t>(waiting_.size()) < options_.max_waiting) return {};
  return fail(
      Code::kResourceExhausted,
      fmt::format("{} requests wait already (max_waiting): try again later", waiting_.size()));
}

void Scheduler::on(int64_t /*now*/, scheduler_event::Submit& event) {
  auto sequence = std::make_unique<Sequence>();
  sequence->asked = std::move(event.generation);
  const SequenceId id = sequence->asked.id;
  CHECK(!sequence->asked.prompt.empty() && !sequences_.contains(id));
  sequence->known = sequence->asked.prompt;
  sequence->known.insert(sequence->known.end(), sequence->asked.given.begin(),
                         sequence->asked.given.end());
  sequence->arrival = next_arrival_++;
  const bool complete = sequence->generated() >= sequence->asked.max_tokens;
  sequences_.emplace(id, std::move(sequence));
  waiting_.push_back(id);
  if (complete) end(id, EndReason::kLength);
}

void Scheduler::on(int64_t /*now*/, scheduler_event::Cancel& event) {
  if (sequences_.contains(event.sequence)) end(event.sequence, EndReason::kCancelled);
}

void Scheduler::on(int64_t /*now*/, scheduler_event::Opened& event) {
  CHECK(event.stages > 0 && batches_.empty());
  stages_ = event.stages;
  kv_capacity_ = event.kv_positions / options_.kv_page * options_.kv_page;
  cost_ = {};
}

void Scheduler::on(int64_t /*now*/, scheduler_event::Closed& /*event*/) {
  stages_ = 0;
  kv_capacity_ = 0;
  kv_used_ = 0;
  batches_.clear();
  ready_.clear();
  std::vector<Sequence*> running;
  std::vector<SequenceId> gone;
  for (auto& [id, sequence] : sequences_) {
    totals_.replayed_tokens += sequence->cached;
    sequence->cached = 0;
    sequence->reserved = 0;
    sequence->batch = 0;
    if (sequence->leaving) gone.push_back(id);
    if (sequence->running && !sequence->leaving) running.push_back(sequence.get());
  }
  std::ranges::sort(running, {}, &Sequence::arrival);
  for (const Sequence* sequence : running) ready_.push_back(sequence->asked.id);
  for (const SequenceId id : gone) {
    const Sequence& sequence = *sequences_.at(id);
    end(id, sequence.leaves_as, sequence.leaves_with);
  }
}

void Scheduler::on(int64_t /*now*/, scheduler_event::StepDone& event) {
  const auto found = batches_.find(event.batch);
  if (found == batches_.end()) return;  // of a pipeline that is gone
  const Batch batch = std::move(found->second);
  batches_.erase(found);
  learn(batch, event.times);
  size_t next_choice = 0;
  for (const Batch::Part& part : batch.parts) {
    Sequence& sequence = *sequences_.at(part.sequence);
    sequence.batch = 0;
    sequence.cached += part.rows;
    const auto prompt = static_cast<int64_t>(sequence.asked.prompt.size());
    const int64_t seen = std::min(sequence.cached, prompt);
    totals_.prompt_tokens += std::max<int64_t>(0, seen - sequence.prompt_seen);
    sequence.prompt_seen = std::max(sequence.prompt_seen, seen);
    const TokenChoice* choice = nullptr;
    if (part.chooses) {
      CHECK(next_choice < event.choices.size());
      choice = &event.choices[next_choice++];
    }
    if (sequence.leaving) {
      end(part.sequence, sequence.leaves_as, sequence.leaves_with);
      continue;
    }
    ready_.push_back(part.sequence);
    if (choice != nullptr) take_choice(sequence, *choice);
  }
}

void Scheduler::take_choice(Sequence& sequence, const TokenChoice& choice) {
  const SequenceId id = sequence.asked.id;
  sequence.bad_results = 0;
  if (std::ranges::find(sequence.asked.end_tokens, choice.token) !=
      sequence.asked.end_tokens.end()) {
    return end(id, EndReason::kStop);
  }
  sequence.known.push_back(choice.token);
  actions_.push_back(Give{id, choice});
  if (sequence.generated() >= sequence.asked.max_tokens) end(id, EndReason::kLength);
}

// The workers count pages as we do, so that this happens only where they round otherwise or other
// sequences linger there: what does not fit now waits for what ends.
void Scheduler::on(int64_t /*now*/, scheduler_event::StepFull& event) {
  const auto found = batches_.find(event.batch);
  if (found == batches_.end()) return;
  const Batch batch = std::move(found->second);
  batches_.erase(found);
  for (const Batch::Part& part : batch.parts) {
    Sequence& sequence = *sequences_.at(part.sequence);
    sequence.batch = 0;
    if (sequence.leaving) {
      end(part.sequence, sequence.leaves_as, sequence.leaves_with);
    } else {
      ready_.push_front(part.sequence);
    }
  }
  kv_capacity_ = std::max<int64_t>(kv_used_ - options_.kv_page, options_.kv_page);
  Sequence* youngest = nullptr;
  for (const SequenceId id : ready_) {
    Sequence& sequence = *sequences_.at(id);
    if (youngest == nullptr || sequence.arrival > youngest->arrival) youngest = &sequence;
  }
  if (youngest == nullptr) return;
  if (running_ == 1) {
    return end(youngest->asked.id, EndReason::kFailed,
               {Code::kResourceExhausted,
                fmt::format("the KV cache is full: {} positions of this request do not fit; give "
                            "the engine more (--kv-positions)",
                            youngest->known.size())});
  }
  preempt(*youngest);
}

void Scheduler::on(int64_t /*now*/, scheduler_event::StepBad& event) {
  const auto found = batches_.find(event.batch);
  if (found == batches_.end()) return;
  for (const Batch::Part& part : found->second.parts) {
    Sequence& sequence = *sequences_.at(part.sequence);
    if (++sequence.bad_results < options_.max_bad_results || sequence.leaving) continue;
    sequence.leaving = true;
    sequence.leaves_as = EndReason::kFailed;
    sequence.leaves_with = event.error;
  }
}

void Scheduler::on(int64_t /*now*/, scheduler_event::Hold& event) { held_ = event.on; }

void Scheduler::on(int64_t /*now*/, scheduler_event::Abandon& event) {
  for (const SequenceId id : sequences()) end(id, EndReason::kFailed, event.error);
}

void Scheduler::on(int64_t /*now*/, scheduler_event::Tick& /*event*/) {}

void Scheduler::end(SequenceId id, EndReason reason, Error error) {
  Sequence& sequence = *sequences_.at(id);
  if (sequence.batch != 0) {  // a release now would overtake its rows in the later stages
    if (sequence.leaving) return;
    sequence.leaving = true;
    sequence.leaves_as = reason;
    sequence.leaves_with = std::move(error);
    return;
  }
  if (sequence.reserved > 0) actions_.push_back(Release{{id}});
  kv_used_ -= sequence.reserved;
  if (sequence.running) --running_;
  std::erase(sequence.running ? ready_ : waiting_, id);
  actions_.push_back(End{id, reason, std::move(error)});
  sequences_.erase(id);
}

void Scheduler::expire(int64_t now) {
  for (const SequenceId id : sequences()) {
    const Sequence& sequence = *sequences_.at(id);
    if (sequence.asked.deadline_ns > now || sequence.leaving) continue;
    const std::string_view where = stages_ == 0       ? "no worker held the model's layers"
                                   : sequence.running ? "it was being generated"
                                                      : "it waited for its turn";
    end(id, EndReason::kFailed,
        {Code::kDeadlineExceeded, fmt::format("the request's time was over while {}", where)});
  }
}

int64_t Scheduler::next_deadline_ns() const {
  int64_t next = INT64_MAX;
  for (const auto& [id, sequence] : sequences_) {
    if (!sequence->leaving) next = std::min(next, sequence->asked.deadline_ns);
  }
  return next;
}

int64_t Scheduler::pages(int64_t positions) const {
  return (positions + options_.kv_page - 1) / options_.kv_page * options_.kv_page;
}

void Scheduler::admit() {
  if (stages_ == 0) return;
  while (!waiting_.empty() && running_ < options_.max_running) {
    Sequence& sequence = *sequences_.at(waiting_.front());
    if (held_ && sequence.prompt_seen == 0) return;
    // With one page beyond what is known: who is begun shall not be put back by his first tokens.
    const int64_t needed = pages(static_cast<int64_t>(sequence.known.size()) + 1);
    if (running_ > 0 && kv_used_ + needed > kv_capacity_) return;
    sequence.running = true;
    ++running_;
    ready_.push_back(waiting_.front());
    waiting_.pop_front();
  }
}

// Puts the youngest others back until `positions` more fit.
bool Scheduler::make_room(int64_t positions, SequenceId for_sequence) {
  while (kv_used_ + positions > kv_capacity_) {
    const uint64_t own_arrival = sequences_.at(for_sequence)->arrival;
    Sequence* youngest = nullptr;
    for (const SequenceId id : ready_) {
      Sequence& other = *sequences_.at(id);
      if (id == for_sequence || other.reserved == 0 || other.arrival < own_arrival) continue;
      if (youngest == nullptr || other.arrival > youngest->arrival) youngest = &other;
    }
    if (youngest == nullptr) return false;
    preempt(*youngest);
  }
  return true;
}

void Scheduler::preempt(Sequence& sequence) {
  const SequenceId id = sequence.asked.id;
  ++totals_.preemptions;
  totals_.replayed_tokens += sequence.cached;
  kv_used_ -= sequence.reserved;
  sequence.reserved = 0;
  sequence.cached = 0;
  sequence.running = false;
  --running_;
  std::erase(ready_, id);
  // Before all that came later.
  const auto later = std::ranges::find_if(
      waiting_, [&](SequenceId other) { return sequences_.at(other)->arrival > sequence.arrival; });
  waiting_.insert(later, id);
  actions_.push_back(Release{{id}});
}

bool Scheduler::add_slice(SequenceId id, int32_t max_rows, Batch& batch, Step& step) {
  Sequence& sequence = *sequences_.at(id);
  const auto rows = static_cast<int32_t>(std::min<int64_t>(sequence.missing(), max_rows));
  CHECK(rows > 0);
  const int64_t more = pages(sequence.cached + rows) - sequence.reserved;
  if (more > 0 && !make_room(more, id)) return false;
  kv_used_ += std::max<int64_t>(more, 0);
  sequence.reserved += std::max<int64_t>(more, 0);
  Slice slice;
  slice.sequence = id;
  slice.first_position = static_cast<int32_t>(sequence.cached);
  slice.rows = rows;
  const bool chooses = rows == sequence.missing();
  if (chooses) slice.sampling = sequence.asked.sampling;
  step.slices.push_back(std::move(slice));
  const auto first = sequence.known.begin() + static_cast<std::ptrdiff_t>(sequence.cached);
  step.tokens.insert(step.tokens.end(), first, first + rows);
  batch.parts.push_back({id, rows, chooses});
  batch.rows += rows;
  return true;
}

void Scheduler::fill() {
  if (stages_ == 0) return;
  while (static_cast<int32_t>(batches_.size()) < wanted_batches() && !ready_.empty()) {
    const int64_t share = (running_ + wanted_batches() - 1) / wanted_batches();
    Batch batch;
    Step step;
    int64_t decoding = 0;
    int32_t prefill_left = options_.prefill_rows;
    for (const SequenceId id : std::vector<SequenceId>(ready_.begin(), ready_.end())) {
      if (std::ranges::find(ready_, id) == ready_.end()) continue;  // put back meanwhile
      const bool decodes = sequences_.at(id)->missing() == 1;
      if (decodes ? decoding >= share : prefill_left == 0) continue;
      if (!add_slice(id, decodes ? 1 : prefill_left, batch, step)) continue;
      decoding += decodes ? 1 : 0;
      if (!decodes) prefill_left -= batch.parts.back().rows;
      std::erase(ready_, id);
    }
    if (batch.parts.empty()) return give_up_misfit();
    const uint64_t number = next_batch_++;
    for (const Batch::Part& part : batch.parts) sequences_.at(part.sequence)->batch = number;
    batches_.emplace(number, std::move(batch));
    actions_.push_back(RunBatch{number, std::move(step)});
  }
}

// Nothing of what is ready fits into the KV cache. Where nothing is under way that could make room,
// the oldest is larger than the whole cache.
void Scheduler::give_up_misfit() {
  if (!batches_.empty()) return;
  const SequenceId id = ready_.front();
  end(id, EndReason::kFailed,
      {Code::kResourceExhausted,
       fmt::format("the KV cache is full: {} positions of this request do not fit into {}; give "
                   "the engine more (--kv-positions)",
                   sequences_.at(id)->known.size(), kv_capacity_)});
}

void Scheduler::learn(const Batch& batch, const scheduler_event::StepTimes& times) {
  const double rows = batch.rows;
  cost_.weight = cost_.weight * kFade + 1;
  cost_.rows = cost_.rows * kFade + rows;
  cost_.rows2 = cost_.rows2 * kFade + rows * rows;
  cost_.seconds = cost_.seconds * kFade + times.slowest_stage_seconds;
  cost_.rows_seconds = cost_.rows_seconds * kFade + rows * times.slowest_stage_seconds;
  cost_.way = cost_.way * kFade + times.way_seconds;
}

// With m micro-batches of R / m rows, a round takes m stage times where stages are always busy, and
// one pass through all stages with its ways where they are not. The m with the shortest round: as
// few as there are stages where weights are the cost (each batch streams them), more where rows
// are, so that nobody waits for the hop.
int32_t Scheduler::wanted_batches() const {
  const int32_t most = 2 * stages_;
  if (running_ <= stages_ || cost_.weight < 4) return most;
  const double mean_rows = cost_.rows / cost_.weight;
  const double spread = cost_.rows2 / cost_.weight - mean_rows * mean_rows;
  const double mean_seconds = cost_.seconds / cost_.weight;
  double per_row = 0;
  if (spread > 1e-3) {
    per_row = (cost_.rows_seconds / cost_.weight - mean_rows * mean_seconds) / spread;
  }
  per_row = std::clamp(per_row, 0.0, mean_seconds / std::max(mean_rows, 1.0));
  const double base = mean_seconds - per_row * mean_rows;
  const double way = cost_.way / cost_.weight;
  int32_t best = most;
  double best_round = std::numeric_limits<double>::infinity();
  for (int32_t m = stages_; m <= most; ++m) {
    const auto r = static_cast<double>(running_);
    const double busy = m * base + per_row * r;
    const double pass = stages_ * (base + per_row * std::ceil(r / m)) + way;
    const double round = std::max(busy, pass);
    if (round < best_round * 0.999) {
      best = m;
      best_round = round;
    }
  }
  return best;
}

SchedulerCounts Scheduler::counts() const {
  SchedulerCounts counts = totals_;
  counts.running = running_;
  counts.waiting = static_cast<int64_t>(waiting_.size());
  counts.in_flight = static_cast<int64_t>(batches_.size());
  counts.kv_positions = kv_used_;
  counts.kv_capacity = kv_capacity_;
  for (const auto& [id, sequence] : sequences_) {
    counts.begun += sequence->running || sequence->prompt_seen > 0 ? 1 : 0;
    counts.outstanding += sequence->missing() + sequence->asked.max_tokens - sequence->generated();
  }
  return counts;
}

std::vector<SequenceId> Scheduler::sequences() const {
  std::vector<std::pair<uint64_t, SequenceId>> order;
  order.reserve(sequences_.size());
  for (const auto& [id, sequence] : sequences_) order.emplace_back(sequence->arrival, id);
  std::ranges::sort(order);
  std::vector<SequenceId> ids;
  ids.reserve(order.size());
  for (const auto& [arrival, id] : order) ids.push_back(id);
  return ids;
}

std::vector<Generation> Scheduler::take_all() {
  CHECK(stages_ == 0);
  std::vector<Generation> all;
  for (const SequenceId id : sequences()) {
    Sequence& sequence = *sequences_.at(id);
    Generation generation = std::move(sequence.asked);
    generation.given.assign(
        sequence.known.begin() + static_cast<std::ptrdiff_t>(generation.prompt.size()),
        sequence.known.end());
    all.push_back(std::move(generation));
  }
  sequences_.clear();
  waiting_.clear();
  ready_.clear();
  running_ = 0;
  return all;
}

}  // namespace binnacle::engine
