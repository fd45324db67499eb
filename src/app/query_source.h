// Where `binnacle query` gets its answers: a server's Prometheus API, or a store folder on which no
// server runs. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "model/labels.h"

namespace binnacle::app {

struct AskedQuery {
  std::string expr;
  bool instant = true;
  int64_t start_ms = 0;  // of an instant query its time, as the end
  int64_t end_ms = 0;
  int64_t step_ms = 0;
};

struct AnsweredSeries {
  model::Labels labels;
  std::vector<int64_t> times_ms;
  std::vector<double> values;
};

struct AnsweredQuery {
  std::string type;                    // vector, matrix, scalar, string
  std::vector<AnsweredSeries> series;  // a scalar is one without labels
  std::string text;                    // of a string
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
};

// kUnavailable: nobody answered the question, whatever the query; all others: the query failed, and
// the message is the engine's.
Result<AnsweredQuery> ask_server(FileSystem& files, std::string url, const std::string& key,
                                 const AskedQuery& query);
Result<AnsweredQuery> ask_folder(FileSystem& files, const std::string& data_folder,
                                 const AskedQuery& query);

}  // namespace binnacle::app
