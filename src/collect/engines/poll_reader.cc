#include "collect/engines/poll_reader.h"

#include <algorithm>
#include <array>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

namespace binnacle::collect::engines {
namespace {

using Json = nlohmann::json;
using Keys = std::vector<std::string>;  // what the stars stood for, outermost first

// Takes the next token off a JSON pointer; our own tables have no escapes.
std::string_view next_token(std::string_view& pointer) {
  pointer.remove_prefix(1);
  const size_t end = std::min(pointer.find('/'), pointer.size());
  const std::string_view token = pointer.substr(0, end);
  pointer.remove_prefix(end);
  return token;
}

const Json* member(const Json& from, std::string_view name) {
  if (!from.is_object()) return nullptr;
  const auto it = from.find(name);
  return it == from.end() ? nullptr : &*it;
}

const Json* resolve(const Json& from, std::string_view pointer) {
  const Json* at = &from;
  while (at != nullptr && !pointer.empty()) at = member(*at, next_token(pointer));
  return at;
}

using Found = std::function<void(const Json& value, const Keys& keys)>;

// False when what a star stands in is no list or object: the answer is not what it should be.
bool walk(const Json& from, std::string_view pointer, Keys& keys, const Found& found) {
  if (pointer.empty()) {
    found(from, keys);
    return true;
  }
  std::string_view rest = pointer;
  const std::string_view token = next_token(rest);
  if (token != "*") {
    const Json* next = member(from, token);
    // Below a star members differ; above the first one it must be there.
    if (next == nullptr) return !keys.empty();
    return walk(*next, rest, keys, found);
  }
  if (!from.is_structured()) return false;
  bool good = true;
  for (const auto& [key, value] : from.items()) {
    keys.push_back(key);
    good = walk(value, rest, keys, found) && good;
    keys.pop_back();
  }
  return good;
}

std::optional<double> number_at(const Json& from, std::string_view pointer) {
  const Json* at = resolve(from, pointer);
  if (at == nullptr || !at->is_number()) return std::nullopt;
  return at->get<double>();
}

std::optional<std::string> text_at(const Json& from, std::string_view pointer) {
  const Json* at = resolve(from, pointer);
  if (at == nullptr || !at->is_string()) return std::nullopt;
  return at->get<std::string>();
}

std::optional<std::string> label_value(const PollLabel& label, const Json& value,
                                       const Keys& keys) {
  if (label.from.starts_with('=')) return std::string(label.from.substr(1));
  if (label.from.starts_with('@')) {
    const size_t back = label.from.size();
    return keys.size() < back ? std::nullopt : std::optional(keys[keys.size() - back]);
  }
  return text_at(value, label.from);
}

std::optional<double> amount(const PollField& field, const Json& value) {
  if (!field.only.empty() && text_at(value, field.only) != std::string(field.only_value)) {
    return std::nullopt;
  }
  if (field.take != Take::kNumber) return 1;
  auto taken = number_at(value, field.value);
  if (!taken) return std::nullopt;
  if (!field.minus.empty()) {
    const auto off = number_at(value, field.minus);
    if (!off) return std::nullopt;
    *taken -= *off;
  }
  return *taken * field.factor;
}

class Reading {
 public:
  Reading(Engine engine, size_t max_series) : engine_(engine), max_series_(max_series) {}

  model::LabelsBuilder labels(std::string_view name) const {
    model::LabelsBuilder builder;
    return builder.set(model::kMetricName, name).set("engine", engine_name(engine_));
  }

  void set(const model::Labels& labels, double value) { values_[labels.packed()] = {value, 1}; }

  // True when the field gave what it should.
  bool take(const PollField& field, const Json& answer) {
    bool any = false;
    Keys keys;
    const bool good = walk(answer, field.pointer, keys, [&](const Json& value, const Keys& at) {
      any = add(field, value, at) || any;
    });
    if (field.take != Take::kCount) return good && any;
    if (good && field.labels[0].name.empty()) add_value(labels(name_of(field)).build(), field, 0);
    return good;
  }

  size_t left_out() const { return left_out_.size(); }

  std::vector<PolledSeries> series() const {
    std::vector<PolledSeries> all;
    for (const auto& [packed, value] : values_) {
      all.push_back({model::Labels(model::LabelsView(packed)),
                     value.sum / static_cast<double>(value.divisor)});
    }
    return all;
  }

 private:
  struct Value {
    double sum = 0;
    size_t divisor = 1;
  };
  static std::string_view name_of(const PollField& field) { return canonical(field.series).name; }

  bool add(const PollField& field, const Json& value, const Keys& keys) {
    const std::optional<double> taken = amount(field, value);
    if (!taken) return false;
    model::LabelsBuilder builder = labels(name_of(field));
    for (const PollLabel& label : field.labels) {
      if (label.name.empty()) break;
      const auto text = label_value(label, value, keys);
      // Without its model a series says nothing.
      if (!text && label.name == "model") return false;
      builder.set(label.name, text.value_or(""));
    }
    add_value(builder.build(), field, *taken);
    return true;
  }

  void add_value(const model::Labels& labels, const PollField& field, double taken) {
    if (taken_ >= max_series_ && !values_.contains(labels.packed())) {
      left_out_.insert(labels.packed());
      return;
    }
    const auto [it, fresh] = values_.try_emplace(labels.packed(), Value{taken, 1});
    if (fresh) ++taken_;
    if (fresh || field.take == Take::kOne) return;
    it->second.sum += taken;
    if (canonical(field.series).combine == Combine::kAverage) ++it->second.divisor;
  }

  const Engine engine_;
  const size_t max_series_;
  std::map<std::string, Value> values_;
  size_t taken_ = 0;  // series of fields among them
  std::set<std::string> left_out_;
};

struct Parsed {
  std::string_view path;
  Json json;
};

// Those that are JSON; what is not becomes a fault.
std::vector<Parsed> parse(std::vector<PollAnswer>& answers, std::string_view health) {
  std::vector<Parsed> good;
  for (PollAnswer& answer : answers) {
    if (answer.fault != PollFault::kNone) continue;
    Json json = Json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded() || !json.is_structured()) {
      answer.fault = PollFault::kNotJson;
      answer.problem = "not a JSON object" + std::string(answer.path == health ? " (health)" : "");
      continue;
    }
    good.push_back({answer.path, std::move(json)});
  }
  return good;
}

const Json* answer_of(const std::vector<Parsed>& parsed, std::string_view path) {
  const auto it = std::ranges::find(parsed, path, &Parsed::path);
  return it == parsed.end() ? nullptr : &it->json;
}

// No answer where one request is served at a time: it is working on another one.
bool is_busy(const PollEngine& engine, const std::vector<PollAnswer>& answers) {
  return engine.one_at_a_time && std::ranges::any_of(answers, [&](const PollAnswer& answer) {
           return answer.path == engine.health_path && answer.fault == PollFault::kNoAnswer;
         });
}

void take_fields(const PollEngine& engine, const std::vector<Parsed>& parsed, Reading& reading) {
  std::array<bool, kSeries> due{};
  std::array<bool, kSeries> given{};
  for (const PollField& field : poll_fields()) {
    if (field.engine != engine.engine) continue;
    const Json* answer = answer_of(parsed, field.path);
    const auto at = static_cast<size_t>(field.series);
    if (field.need == Need::kAlways) due[at] = true;
    if (answer != nullptr && reading.take(field, *answer)) given[at] = true;
  }
  for (size_t i = 0; i < kSeries; ++i) {
    if (!due[i]) continue;
    const std::string_view name = canonical(static_cast<Series>(i)).name;
    reading.set(
        reading.labels("binnacle_engine_expected_series_absent").set("series", name).build(),
        given[i] ? 0 : 1);
  }
}

}  // namespace

std::string_view poll_fault_name(PollFault fault) {
  switch (fault) {
    case PollFault::kNone:
      return "none";
    case PollFault::kUnreachable:
      return "unreachable";
    case PollFault::kNoAnswer:
      return "no_answer";
    case PollFault::kStatus:
      return "status";
    case PollFault::kNotJson:
      return "not_json";
  }
  return "";
}

std::vector<std::string_view> poll_paths(Engine engine) {
  std::vector<std::string_view> paths;
  const PollEngine* polled = poll_engine(engine);
  if (polled == nullptr) return paths;
  paths.push_back(polled->health_path);
  for (const PollField& field : poll_fields()) {
    if (field.engine != engine) continue;
    if (std::ranges::find(paths, field.path) == paths.end()) paths.push_back(field.path);
  }
  return paths;
}

PollResult read_answers(Engine engine, std::vector<PollAnswer> answers, size_t max_series) {
  PollResult result;
  const PollEngine* polled = poll_engine(engine);
  if (polled == nullptr) return result;
  const std::vector<Parsed> parsed = parse(answers, polled->health_path);
  const bool busy = is_busy(*polled, answers);
  result.up = busy || answer_of(parsed, polled->health_path) != nullptr;

  Reading reading(engine, max_series);
  reading.set(reading.labels("binnacle_engine_up").build(), result.up ? 1 : 0);
  if (polled->one_at_a_time && result.up) {
    reading.set(reading.labels("binnacle_engine_busy").build(), busy ? 1 : 0);
    reading.set(reading.labels(canonical(Series::kRequestsRunning).name).build(), busy ? 1 : 0);
  }
  if (result.up) {
    const Json* answer = answer_of(parsed, polled->version_path);
    const auto version = answer ? text_at(*answer, polled->version_pointer) : std::nullopt;
    reading.set(
        reading.labels("binnacle_engine_info").set("version", version.value_or("unknown")).build(),
        1);
  }
  // While it is busy nothing can be due.
  if (result.up && !busy) take_fields(*polled, parsed, reading);
  result.series = reading.series();
  result.left_out = reading.left_out();
  std::ranges::copy_if(answers, std::back_inserter(result.faults),
                       [](const PollAnswer& answer) { return answer.fault != PollFault::kNone; });
  return result;
}

}  // namespace binnacle::collect::engines
