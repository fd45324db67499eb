// The OpenAI-compatible face of the engine: /v1/models, /v1/completions, /v1/chat/completions.
// Turns a request into generations and their tokens into answers. Handlers run on the server's I/O
// threads; set_model() may be called from any thread; the rest by the owner.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/instruments.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/thread_pool.h"
#include "engine/model/model_config.h"
#include "engine/model/tokenizer.h"
#include "engine/pipeline/orchestrator.h"
#include "net/router.h"

namespace binnacle::engine {

// What the front knows of a checkpoint. Immutable.
struct ServedModel {
  std::string name;  // that requests may ask for
  ModelConfig config;
  std::unique_ptr<Tokenizer> tokenizer;
  std::string chat_family;
  int32_t context = 0;  // positions that prompt and answer have together
  int64_t created_s = 0;
};

struct FrontOptions {
  std::chrono::milliseconds request_timeout{600'000};
  size_t max_body_bytes = size_t{8} << 20;
  size_t max_concurrent = 1024;
};

class OpenAiFront {
 public:
  // References outlive it.
  OpenAiFront(FrontOptions options, std::shared_ptr<const ServedModel> model,
              Orchestrator& orchestrator, ThreadPool& pool, Registry& registry, const Clock& clock,
              Random& random);
  ~OpenAiFront();
  OpenAiFront(const OpenAiFront&) = delete;
  OpenAiFront& operator=(const OpenAiFront&) = delete;

  Status register_routes(net::Router& router);
  void set_model(std::shared_ptr<const ServedModel> model);

  // New requests are refused from now on.
  void drain();
  int64_t in_flight() const;

 private:
  struct Impl;
  const std::shared_ptr<Impl> impl_;  // shared with handlers under way
};

}  // namespace binnacle::engine
