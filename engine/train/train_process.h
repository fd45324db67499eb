// One process of a run, composed: texts, model, trainer on a thread of its own, HTTP, the link.
// The main thread constructs it and calls run() once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/pipeline/pipeline_tls.h"
#include "engine/train/text_corpus.h"
#include "engine/train/train_metrics.h"
#include "engine/train/train_settings.h"

namespace binnacle::engine {

struct TrainArgs {
  TrainSettings settings;
  CorpusOptions corpus;
  std::string data;
  std::string out;
  NumberType export_type = NumberType::kFloat32;
  int threads = 0;     // 0: as many as there are processors
  std::string http;    // "": none
  std::string server;  // "": no link
  std::string token;
  std::string name = "trainer";
  std::string cluster = "default";
  std::string coordinator;  // host:port of rank 0, of a run of several ranks; port 0 picks
  PipelineTls tls;          // between ranks
  bool insecure = false;    // other addresses than loopback without keys
};

// Called on the trainer's thread; quick.
struct TrainView {
  std::function<void(const std::string& line)> say;  // what there is, once
  std::function<void(const StepFigures&)> step;
  std::function<void(double loss)> validated;
  // In rank 0 of several, once others may come: where to.
  std::function<Status(const std::string& address)> start_others;
};

// Until the last step, SIGTERM or SIGINT (true: that), or an error. Signals are blocked.
Result<bool> run_training(const TrainArgs& args, const TrainView& view);

}  // namespace binnacle::engine
