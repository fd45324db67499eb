#include "watch/health/check_factory.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/nearest_name.h"
#include "base/yaml_reader.h"
#include "watch/health/checks/kinds.h"

namespace binnacle::watch::health {
namespace {

constexpr size_t kMaxChecks = 10'000;
constexpr size_t kMaxNameBytes = 200;
constexpr int64_t kMinIntervalMs = 100;
constexpr int64_t kMaxTimeoutMs = 10 * 60'000;
constexpr int kMaxStreak = 1'000;
constexpr std::string_view kPushed = "pushed";

enum class Needs : uint8_t { kNothing, kStore, kPrograms };

struct Kind {
  std::string_view name;
  std::unique_ptr<Check> (*read)(const KindInput& input);  // null: pushed from outside
  Needs needs = Needs::kNothing;
};

constexpr Kind kKinds[] = {
    {"http", read_http_check},
    {"tcp", read_tcp_check},
    {"tls", read_tls_check},
    {"dns", read_dns_check},
    {"models", read_models_check},
    {"grpc", read_grpc_check},
    {"postgres", read_postgres_check},
    {"redis", read_redis_check},
    {"queue_depth", read_queue_depth_check},
    {"exec", read_exec_check, Needs::kPrograms},
    {"promql", read_promql_check, Needs::kStore},
    {"disk", read_preset_check, Needs::kStore},
    {"memory", read_preset_check, Needs::kStore},
    {"swap", read_preset_check, Needs::kStore},
    {"cpu", read_preset_check, Needs::kStore},
    {"load", read_preset_check, Needs::kStore},
    {"temperature", read_preset_check, Needs::kStore},
    {"gpu", read_preset_check, Needs::kStore},
    {"process", read_preset_check, Needs::kStore},
    {"systemd", read_preset_check, Needs::kStore},
    {"container", read_preset_check, Needs::kStore},
    {kPushed, nullptr},
};

std::vector<std::string_view> kind_names() {
  std::vector<std::string_view> out;
  for (const Kind& kind : kKinds) out.push_back(kind.name);
  std::ranges::sort(out);
  return out;
}

const Kind* find_kind(const YamlValue& at, const std::string& name) {
  const auto* found = std::ranges::find(kKinds, name, &Kind::name);
  if (found != std::end(kKinds)) return found;
  const auto names = kind_names();
  const std::string near = nearest_name(name, names);
  std::string all;
  for (const auto& one : names) all += (all.empty() ? "" : ", ") + std::string(one);
  at.problem("unknown type of check", name,
             near.empty() ? "one of " + all : fmt::format("did you mean {}?", near));
  return nullptr;
}

bool is_name(std::string_view name) {
  constexpr std::string_view kOthers = "_.:/-";
  return !name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

void read_streak(YamlMap& map, std::string_view name, int& out) {
  int64_t value = out;
  map.read(name, value);
  if (value < 1 || value > kMaxStreak) {
    map.field(name)->problem("out of bounds", std::to_string(value), "write 1 to 1000");
  } else {
    out = static_cast<int>(value);
  }
}

void read_criticality(YamlMap& map, Criticality& out) {
  constexpr std::string_view kWords[] = {"critical", "contributing", "informative"};
  std::string word(kWords[static_cast<size_t>(out)]);
  map.choice("criticality", word, kWords);
  out = static_cast<Criticality>(std::ranges::find(kWords, word) - std::begin(kWords));
}

// What may stand in `defaults`, too.
void read_common(YamlMap& map, CheckSpec& spec) {
  map.read("component", spec.component);
  map.read("node", spec.node);
  map.duration("interval", spec.interval_ms);
  map.duration("timeout", spec.timeout_ms);
  read_streak(map, "rise", spec.rise);
  read_streak(map, "fall", spec.fall);
  read_criticality(map, spec.criticality);
  map.duration("ttl", spec.ttl_ms);
  if (spec.interval_ms < kMinIntervalMs) map.value().problem("interval is below 100ms");
  if (spec.timeout_ms < 1 || spec.timeout_ms > kMaxTimeoutMs)
    map.value().problem("timeout is out of bounds: write 1ms to 10m");
}

// Reads one file; everything it finds wrong goes into the document's problems.
class Reader {
 public:
  Reader(const std::string& file_name, std::string_view yaml, const CheckTools& tools, bool trusted)
      : file_name_(file_name), tools_(tools), trusted_(trusted), document_(file_name, yaml) {}

  Result<std::vector<ConfiguredCheck>> read() {
    YamlMap map(document_.root());
    CheckSpec defaults;
    if (const auto field = map.field("defaults")) {
      YamlMap common(*field);
      read_common(common, defaults);
      common.finish();
    }
    if (const auto list = map.field("checks")) read_list(*list, defaults);
    map.finish();
    look_at_dependencies();
    TRY(document_.status());
    return std::move(checks_);
  }

 private:
  void read_list(const YamlValue& list, const CheckSpec& defaults) {
    const auto items = list.items();
    if (items.size() > kMaxChecks) {
      list.problem(fmt::format("{} checks: {} at most", items.size(), kMaxChecks));
      return;
    }
    for (const YamlValue& item : items) read_one(item, defaults);
  }

  void read_one(const YamlValue& item, const CheckSpec& defaults) {
    YamlMap map(item);
    CheckSpec spec = defaults;
    spec.origin = trusted_ ? CheckOrigin::kFile : CheckOrigin::kApi;
    spec.place = fmt::format("{}:{}", file_name_, item.node().line);
    read_name(map, spec);
    map.read("type", spec.kind);
    map.read("description", spec.description);
    map.read("depends_on", spec.depends_on);
    read_common(map, spec);
    ConfiguredCheck made{.spec = std::move(spec), .check = nullptr};
    read_kind(map, made);
    map.finish();
    places_.push_back(item);
    checks_.push_back(std::move(made));
  }

  void read_name(YamlMap& map, CheckSpec& spec) {
    map.read("name", spec.name);
    if (spec.name.empty()) return map.value().problem("name is missing");
    if (!is_name(spec.name)) {
      map.field("name")->problem("no name of a check", spec.name,
                                 "up to 200 of a-z A-Z 0-9 _ . : / -");
    }
    const auto [first, fresh] = by_name_.emplace(spec.name, spec.place);
    if (!fresh) {
      map.field("name")->problem("two checks of one name", spec.name,
                                 fmt::format("the other stands at {}: rename one", first->second));
    }
  }

  void read_kind(YamlMap& map, ConfiguredCheck& made) {
    const CheckSpec& spec = made.spec;
    if (spec.kind.empty()) {
      map.value().problem("type is missing: what is to be checked, for example http");
      for (const Kind& kind : kKinds) map.known(kind.name);
      return;
    }
    const Kind* kind = find_kind(*map.field("type"), spec.kind);
    if (kind == nullptr) return map.known(spec.kind);
    if (kind->read == nullptr) return;
    if (kind->needs == Needs::kPrograms && !trusted_) {
      map.known(kind->name);
      return map.value().problem(
          "checks that start programs come from the configuration file alone");
    }
    if (kind->needs == Needs::kStore && tools_.store == nullptr) {
      map.known(kind->name);
      return map.value().problem(
          "checks of series need a store: they run in the server, ask it with --server");
    }
    const YamlNodePtr nothing = std::make_shared<const YamlNode>();
    const auto settings = map.take(kind->name);
    const YamlValue value =
        settings ? *settings
                 : YamlValue(document_, nothing, map.path_of(kind->name), map.value().node().line);
    made.check = kind->read({value, spec, tools_, trusted_});
  }

  // Names that nobody has may be checks of the API or pushed ones; only what can never work is
  // refused.
  void look_at_dependencies() {
    std::map<std::string_view, const CheckSpec*> specs;
    for (const auto& made : checks_) specs.emplace(made.spec.name, &made.spec);
    for (size_t i = 0; i < checks_.size(); ++i) {
      const CheckSpec& spec = checks_[i].spec;
      std::set<std::string_view> seen;
      std::vector<std::string_view> open(spec.depends_on.begin(), spec.depends_on.end());
      while (!open.empty()) {
        const std::string_view name = open.back();
        open.pop_back();
        if (!seen.insert(name).second) continue;
        if (const auto it = specs.find(name); it != specs.end())
          open.insert(open.end(), it->second->depends_on.begin(), it->second->depends_on.end());
      }
      if (seen.contains(spec.name))
        places_[i].problem("depends_on comes back to the check itself", spec.name,
                           "break the ring");
    }
  }

  const std::string& file_name_;
  const CheckTools& tools_;
  const bool trusted_;
  YamlDocument document_;
  std::vector<ConfiguredCheck> checks_;
  std::vector<YamlValue> places_;  // one for each of checks_
  std::map<std::string, std::string> by_name_;
};

}  // namespace

Result<std::vector<ConfiguredCheck>> read_checks(const std::string& file_name,
                                                 std::string_view yaml, const CheckTools& tools,
                                                 bool may_execute) {
  return Reader(file_name, yaml, tools, may_execute).read();
}

std::vector<std::string> check_kinds() {
  const auto names = kind_names();
  return {names.begin(), names.end()};
}

}  // namespace binnacle::watch::health
