// Callbacks on events: an HTTP POST or a program for each event whose kind a hook asks for. Each
// hook has a cursor in the event store and a thread of the bus: events come in order and at least
// once, also after a crash, and a slow hook delays no other. Hooks come from the configuration file
// alone. Any thread but I/O threads.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "model/event.h"
#include "net/io_threads.h"

namespace binnacle::watch::health {

struct HookSpec {
  std::string name;
  std::vector<std::string> events;  // prefixes of kinds; empty: all
  // Either an address to POST the event to as JSON ...
  std::string url;
  std::string bearer_token_file;
  std::string ca_file;
  std::vector<std::pair<std::string, std::string>> headers;
  // ... or a program, which finds the event in BINNACLE_EVENT_* of its environment.
  std::vector<std::string> command;
  int64_t timeout_ms = 10'000;
  int64_t retry_for_ms = 3'600'000;  // an event that fails so long is given up
  friend bool operator==(const HookSpec&, const HookSpec&) = default;
};

// Runs a program to its end; an error when it fails, or does not end in time.
using RunHookProgram = std::function<boost::asio::awaitable<Status>(
    std::vector<std::string> argv, std::vector<std::pair<std::string, std::string>> environment,
    std::chrono::milliseconds timeout)>;

// All outlive the hooks.
struct HookTools {
  net::IoThreads& io;
  FileSystem& files;
  const Clock& clock;
  Registry& registry;
  model::EventBus& events;
  RunHookProgram run_program;  // null: hooks with a command are refused
};

class Hooks {
 public:
  explicit Hooks(HookTools tools);
  ~Hooks();  // stop()
  Hooks(const Hooks&) = delete;
  Hooks& operator=(const Hooks&) = delete;

  // What is wrong with a set: names twice, neither or both of url and command.
  Status check(const std::vector<HookSpec>& specs) const;
  // These from now on; those that did not change go on undisturbed.
  Status set(std::vector<HookSpec> specs) EXCLUDES(mu_);
  void stop() EXCLUDES(mu_);  // the I/O threads still run

 private:
  class Hook;

  const HookTools tools_;  // Fixed after construction

  Mutex mu_;
  std::map<std::string, std::unique_ptr<Hook>> hooks_ GUARDED_BY(mu_);
};

}  // namespace binnacle::watch::health
