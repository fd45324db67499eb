// Finds the engines that run on this machine: processes and their ports make candidates, and each
// candidate is asked who it is before it is believed. Nothing beyond loopback is asked. Any thread;
// the questions run on the calling coroutine's executor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "collect/engines/engine.h"
#include "collect/engines/engine_poller.h"
#include "model/local_process.h"
#include "model/target.h"
#include "net/client.h"

namespace binnacle::collect::engines {

struct LocalEngine {
  Engine engine{};
  std::string url;      // "http://127.0.0.1:8000"
  std::string version;  // "" where it tells none
  std::vector<std::string> models;
  int64_t pid = 0;
  std::string process;
  // Where its metrics are; may be on another port than its API. "" of one that is polled.
  std::string metrics_url;
};

struct SearchLimits {
  int64_t timeout_ms = 1'000;  // of one question
  size_t max_candidates = 64;  // ports; further ones are left out
  size_t max_models = 64;      // of one engine
  size_t max_body_bytes = size_t{4} << 20;
};

// A port that may be an engine's. Engines in the order in which they are asked after: first those
// that the process' name or command line speaks of, then those whose usual port it is.
struct Candidate {
  uint16_t port = 0;
  std::vector<Engine> engines;
  size_t named = 0;  // how many of them the process speaks of
  int64_t pid = 0;
  std::string process;
};
std::vector<Candidate> candidates(const std::vector<model::LocalProcess>& processes,
                                  const SearchLimits& limits);

// Those that answered as their kind does, by port.
boost::asio::awaitable<std::vector<LocalEngine>> find_local_engines(
    std::vector<model::LocalProcess> processes, net::Client& client, SearchLimits limits);

// What was found, as scraping and polling take it. `common` labels go onto all.
model::TargetGroup scrape_targets(const std::vector<LocalEngine>& found,
                                  const model::Labels& common);
std::vector<PollTarget> poll_targets(const std::vector<LocalEngine>& found,
                                     const model::Labels& common);

// "vllm 0.10.1 at http://127.0.0.1:8000 (pid 4120), serving a, b": for the log.
std::string described(const LocalEngine& engine);

}  // namespace binnacle::collect::engines
