#include "app/agent_facts.h"

#include <algorithm>

#include "base/version.h"
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"

namespace binnacle::app {
namespace {

using collect::engines::LocalEngine;

std::string port_of(const std::string& url) {
  const size_t colon = url.rfind(':');
  return colon == std::string::npos ? url : url.substr(colon + 1);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

// "535.104.05" of "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 ...".
std::string first_version(std::string_view line) {
  for (;;) {
    const std::string_view word = collect::host::next_field(line);
    if (word.empty()) return "";
    if (word[0] >= '0' && word[0] <= '9' && word.find('.') != std::string_view::npos) {
      return std::string(word);
    }
  }
}

}  // namespace

void AgentFacts::set_engines(const std::vector<LocalEngine>& engines) {
  std::vector<const LocalEngine*> by_port;
  for (const LocalEngine& engine : engines) by_port.push_back(&engine);
  std::ranges::sort(by_port, {}, [](const LocalEngine* engine) { return engine->url; });
  std::vector<link::Fact> facts;
  for (const LocalEngine* engine : by_port) {
    const std::string suffix = by_port.size() == 1 ? "" : "/" + port_of(engine->url);
    std::string name(collect::engines::engine_name(engine->engine));
    if (!engine->version.empty()) name += " " + engine->version;
    facts.push_back({"engine" + suffix, std::move(name)});
    std::vector<std::string> models = engine->models;
    std::ranges::sort(models);
    if (!models.empty()) facts.push_back({"model" + suffix, joined(models)});
  }
  const MutexLock lock(mu_);
  engines_ = std::move(facts);
}

link::Facts AgentFacts::gather() {
  link::Facts facts;
  const auto add = [&facts](std::string name, std::string value) {
    if (!value.empty()) facts.facts.push_back({std::move(name), std::move(value)});
  };
  add("agent", std::string(version()));
  add("kernel", collect::host::read_small_file(files_, proc_path_ + '/' + "sys/kernel/osrelease")
                    .value_or(""));
  add("gpu_driver", gpu_driver());
  const MutexLock lock(mu_);
  for (const link::Fact& fact : engines_) {
    if (facts.facts.size() < link::kMaxFacts) facts.facts.push_back(fact);
  }
  return facts;
}

// From what the kernel's modules tell, so that a driver that hangs holds nothing up.
std::string AgentFacts::gpu_driver() const {
  const auto nvidia = collect::host::read_small_file(files_, proc_path_ + "/driver/nvidia/version");
  if (nvidia) {
    std::string_view rest = *nvidia;
    std::string_view line;
    if (collect::host::next_line(rest, line)) return first_version(line);
  }
  return collect::host::read_small_file(files_, sys_path_ + "/module/amdgpu/version").value_or("");
}

}  // namespace binnacle::app
