// `binnacle-engine serve` as one object: a checkpoint, an orchestrator, the OpenAI front and the
// probes behind one HTTP server, and the link to Binnacle's server where there is one. Main thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/pipeline/openai_front.h"
#include "engine/pipeline/orchestrator.h"
#include "engine/pipeline/pipeline_tls.h"

namespace binnacle::engine {

struct ServingOptions {
  std::string model_folder;
  std::string model_name;  // that requests ask for; "": the model's own
  std::string listen = "127.0.0.1:8090";
  std::string key_file;   // of the bearer key that requests bring; "": none is asked
  bool insecure = false;  // another address than loopback without a key
  std::vector<std::string> workers;
  PipelineTls worker_tls;
  bool local = false;              // this process computes beside the workers
  bool local_fallback = true;      // and when none is left
  int64_t local_memory_bytes = 0;  // 0: what is free
  int threads = 1;                 // of local computing
  bool emulated = false;           // without weights
  double emulated_seconds = 0.0008;
  std::string server_url;  // of Binnacle's server: finds workers, beats, tells events
  std::string server_key;
  std::string server_token;  // one-use; where there is no key
  std::string data_folder;   // of this node's identity; "": engine below the usual one
  std::string node_name = "engine";
  std::string cluster = "default";
  std::chrono::milliseconds watch_every{0};  // the folder for a new checkpoint; 0: not
  std::chrono::milliseconds drain{30'000};
  OrchestratorOptions orchestrator;
  FrontOptions front;
};

class Serving {
 public:
  static Result<std::unique_ptr<Serving>> open(ServingOptions options);
  ~Serving();  // stop()
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  // An error: the join token does not do.
  Status start();
  // Takes the checkpoint that the folder holds now. An error: it is not fit, the old one stays.
  Status reload();
  // Once a tick of the main loop: watches the folder, joins the server.
  void tick();
  // No new requests; those under way have until the drain limit.
  void stop();
  std::string address() const;

 private:
  struct Parts;
  explicit Serving(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace binnacle::engine
