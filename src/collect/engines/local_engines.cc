#include "collect/engines/local_engines.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include <fmt/format.h>

#include "collect/engines/alias_table.h"

namespace binnacle::collect::engines {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::json;

// How an engine is known. `words` stand in a process' name or command line. A good answer at `path`
// has `member`, a JSON pointer; without one, it is text with the engine's metrics. `only_named`:
// the answer is like others', so that the process has to speak of it too.
struct Signature {
  Engine engine;
  std::array<std::string_view, 2> words;
  std::array<uint16_t, 2> ports;
  std::string_view path;
  std::string_view member = {};
  std::string_view version_path = {};
  std::string_view version_member = {};
  bool only_named = false;
  uint16_t metrics_port = 0;  // where it is not the port of the API
};

constexpr Signature kSignatures[] = {
    {.engine = Engine::kVllm,
     .words = {"vllm"},
     .ports = {8000},
     .path = "/metrics",
     .version_path = "/version",
     .version_member = "/version"},
    {.engine = Engine::kSglang,
     .words = {"sglang"},
     .ports = {30000},
     .path = "/get_model_info",
     .member = "/model_path",
     .version_path = "/get_server_info",
     .version_member = "/version"},
    {.engine = Engine::kLlamaCpp,
     .words = {"llama-server", "llama_server"},
     .ports = {8080},
     .path = "/props",
     .member = "/total_slots",
     .version_path = "/props",
     .version_member = "/build_info"},
    {.engine = Engine::kTgi,
     .words = {"text-generation-router", "text-generation-launcher"},
     .ports = {3000, 80},
     .path = "/info",
     .member = "/router",
     .version_path = "/info",
     .version_member = "/version"},
    {.engine = Engine::kTriton,
     .words = {"tritonserver"},
     .ports = {8000},
     .path = "/v2",
     .member = "/extensions",
     .version_path = "/v2",
     .version_member = "/version",
     .metrics_port = 8002},
    {.engine = Engine::kTrtllmServe,
     .words = {"trtllm-serve", "trtllm_serve"},
     .ports = {8000},
     .path = "/prometheus/metrics",
     .version_path = "/version",
     .version_member = "/version"},
    {.engine = Engine::kLmdeploy, .words = {"lmdeploy"}, .ports = {23333}, .path = "/metrics"},
    {.engine = Engine::kRay,
     .words = {"raylet", "ray/dashboard"},
     .ports = {8080},
     .path = "/metrics"},
    {.engine = Engine::kOllama,
     .words = {"ollama"},
     .ports = {11434},
     .path = "/api/version",
     .member = "/version",
     .version_path = "/api/version",
     .version_member = "/version"},
    {.engine = Engine::kExo,
     .words = {"exo"},
     .ports = {52415},
     .path = "/state",
     .member = "/lastEventAppliedIdx"},
    {.engine = Engine::kMlxLm,
     .words = {"mlx_lm"},
     .ports = {8080},
     .path = "/health",
     .member = "/status",
     .only_named = true},
    {.engine = Engine::kDistributedLlama,
     .words = {"dllama"},
     .ports = {9990, 9999},
     .path = "/v1/models",
     .member = "/data",
     .only_named = true},
    {.engine = Engine::kBinnacle,
     .words = {"binnacle-engine"},
     .ports = {},
     .path = "/v1/models",
     .member = "/data",
     .only_named = true},
};

const Signature& signature(Engine engine) {
  return *std::ranges::find(kSignatures, engine, &Signature::engine);
}

bool is_word_byte(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// As a word of its own: "exo" is not in "/srv/alexo/server".
bool speaks_of(std::string_view text, std::string_view word) {
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !is_word_byte(text[at - 1])) &&
        (end == text.size() || !is_word_byte(text[end])))
      return true;
  }
  return false;
}

bool speaks_of(const model::LocalProcess& process, const Signature& one) {
  return std::ranges::any_of(one.words, [&](std::string_view word) {
    return !word.empty() &&
           (speaks_of(process.name, word) || speaks_of(process.command_line, word));
  });
}

bool is_usual_port(const Signature& one, uint16_t port) {
  return std::ranges::find(one.ports, port) != one.ports.end();
}

std::vector<Engine> engines_of(const model::LocalProcess& process, uint16_t port, size_t& named) {
  std::vector<Engine> likely;
  for (const Signature& one : kSignatures) {
    if (speaks_of(process, one)) likely.push_back(one.engine);
  }
  named = likely.size();
  for (const Signature& one : kSignatures) {
    if (one.only_named || !is_usual_port(one, port)) continue;
    if (std::ranges::find(likely, one.engine) == likely.end()) likely.push_back(one.engine);
  }
  return likely;
}

bool has_metrics_of(Engine engine, std::string_view text) {
  for (const AliasTable& table : alias_tables()) {
    if (table.engine != engine) continue;
    for (const char last : {'_', ':'}) {
      std::string prefix(table.prefix);
      prefix.back() = last;
      if (text.starts_with(prefix) || text.find("\n" + prefix) != text.npos) return true;
    }
  }
  return false;
}

const Json* at_pointer(const Json& json, std::string_view member) {
  const Json::json_pointer pointer{std::string(member)};
  return json.is_object() && json.contains(pointer) ? &json.at(pointer) : nullptr;
}

std::string text_at(const Json& json, std::string_view member) {
  const Json* found = at_pointer(json, member);
  return found != nullptr && found->is_string() ? found->get<std::string>() : "";
}

// The questions to one port.
class Interview {
 public:
  Interview(const Candidate& candidate, net::Client& client, const SearchLimits& limits)
      : candidate_(candidate), client_(client), limits_(limits) {}

  asio::awaitable<std::optional<LocalEngine>> run() {
    for (size_t i = 0; i < candidate_.engines.size() && !silent_; ++i) {
      const Signature& one = signature(candidate_.engines[i]);
      if (!co_await is(one)) continue;
      co_return co_await describe(one);
    }
    co_return std::nullopt;
  }

 private:
  std::string url(uint16_t port) const { return fmt::format("http://127.0.0.1:{}", port); }

  asio::awaitable<std::string> get(std::string target) {
    auto response = co_await client_.send({.url = std::move(target),
                                           .timeout = std::chrono::milliseconds(limits_.timeout_ms),
                                           .max_body_bytes = limits_.max_body_bytes});
    // Who says nothing to one question is not asked the others.
    if (!response && response.error().code == Code::kDeadlineExceeded) silent_ = true;
    if (!response || response->status != 200) co_return "";
    co_return std::move(response->body);
  }
  asio::awaitable<Json> get_json(std::string target) {
    co_return Json::parse(co_await get(std::move(target)), nullptr, false);
  }

  asio::awaitable<bool> is(const Signature& one) {
    const std::string target = url(candidate_.port).append(one.path);
    if (one.member.empty()) co_return has_metrics_of(one.engine, co_await get(target));
    const Json answer = co_await get_json(target);
    co_return at_pointer(answer, one.member) != nullptr;
  }

  asio::awaitable<LocalEngine> describe(const Signature& one) {
    LocalEngine found{.engine = one.engine,
                      .url = url(candidate_.port),
                      .pid = candidate_.pid,
                      .process = candidate_.process};
    if (traits(one.engine).exports) {
      const uint16_t port = one.metrics_port != 0 ? one.metrics_port : candidate_.port;
      found.metrics_url = url(port).append(traits(one.engine).metrics_path);
    }
    if (!one.version_path.empty()) {
      const Json answer = co_await get_json(found.url + std::string(one.version_path));
      found.version = text_at(answer, one.version_member);
    }
    const Json models = co_await get_json(found.url + "/v1/models");
    if (const Json* list = at_pointer(models, "/data"); list != nullptr && list->is_array()) {
      for (const Json& model : *list) {
        if (found.models.size() == limits_.max_models) break;
        if (std::string name = text_at(model, "/id"); !name.empty())
          found.models.push_back(std::move(name));
      }
    }
    co_return found;
  }

  const Candidate& candidate_;
  net::Client& client_;
  const SearchLimits& limits_;
  bool silent_ = false;
};

model::LabelsBuilder target_labels(const LocalEngine& engine, const model::Labels& common) {
  model::LabelsBuilder labels(common);
  return labels.set("instance", engine.url.substr(std::string_view("http://").size()));
}

}  // namespace

std::vector<Candidate> candidates(const std::vector<model::LocalProcess>& processes,
                                  const SearchLimits& limits) {
  std::vector<Candidate> found;
  for (const model::LocalProcess& process : processes) {
    for (const uint16_t port : process.ports) {
      Candidate one{.port = port, .pid = process.pid, .process = process.name};
      one.engines = engines_of(process, port, one.named);
      if (!one.engines.empty()) found.push_back(std::move(one));
    }
  }
  // Several processes may share a port; the one that speaks of an engine knows best. What is left
  // out beyond the limit are mere guesses by port.
  std::ranges::stable_sort(found, [](const Candidate& a, const Candidate& b) {
    return std::pair(a.named == 0, a.port) < std::pair(b.named == 0, b.port);
  });
  std::vector<Candidate> kept;
  for (Candidate& one : found) {
    if (kept.size() == limits.max_candidates) break;
    if (std::ranges::find(kept, one.port, &Candidate::port) == kept.end())
      kept.push_back(std::move(one));
  }
  return kept;
}

asio::awaitable<std::vector<LocalEngine>> find_local_engines(
    std::vector<model::LocalProcess> processes, net::Client& client, SearchLimits limits) {
  std::vector<LocalEngine> found;
  for (const Candidate& candidate : candidates(processes, limits)) {
    Interview interview(candidate, client, limits);
    if (auto engine = co_await interview.run()) found.push_back(std::move(*engine));
  }
  std::ranges::sort(found, {}, &LocalEngine::url);
  co_return found;
}

model::TargetGroup scrape_targets(const std::vector<LocalEngine>& found,
                                  const model::Labels& common) {
  model::TargetGroup group{.source = "local engines"};
  for (const LocalEngine& engine : found) {
    const auto url = net::Url::parse(engine.metrics_url);
    if (engine.metrics_url.empty() || !url) continue;
    group.targets.push_back(target_labels(engine, common)
                                .set("__address__", url->authority())
                                .set("__metrics_path__", url->target)
                                .set("__engine__", engine_name(engine.engine))
                                .set("__engine_version__", engine.version)
                                .build());
  }
  return group;
}

std::vector<PollTarget> poll_targets(const std::vector<LocalEngine>& found,
                                     const model::Labels& common) {
  std::vector<PollTarget> targets;
  for (const LocalEngine& engine : found) {
    if (!engine.metrics_url.empty()) continue;
    targets.push_back({.engine = engine.engine,
                       .url = engine.url,
                       .labels = target_labels(engine, common).build()});
  }
  return targets;
}

std::string described(const LocalEngine& engine) {
  std::string text(engine_name(engine.engine));
  if (!engine.version.empty()) text += " " + engine.version;
  text += " at " + engine.url;
  if (engine.pid != 0) text += fmt::format(" (pid {})", engine.pid);
  for (size_t i = 0; i < engine.models.size(); ++i) {
    text += (i == 0 ? ", serving " : ", ") + engine.models[i];
  }
  return text;
}

}  // namespace binnacle::collect::engines
