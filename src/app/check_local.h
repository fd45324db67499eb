// Runs the checks of files on this machine, without a server: what `binnacle check --config` does.
// Checks of series are asked of this machine's own figures, collected while it runs. Owner's thread
// but where said.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"

namespace binnacle::app {

struct LocalCheckOptions {
  std::vector<std::string> files;
  std::vector<std::string> only;  // patterns of names; empty: all
  bool continuous = false;        // else one reading decides, whatever `rise` and `fall` say
  int64_t interval_ms = 30'000;   // of a continuous run
};

class LocalChecks {
 public:
  // kInvalidArgument: what is wrong in the files, or nothing to run; kNotFound: no such file.
  static Result<std::unique_ptr<LocalChecks>> create(const LocalCheckOptions& options,
                                                     FileSystem& files, const Clock& clock);
  ~LocalChecks();
  LocalChecks(const LocalChecks&) = delete;
  LocalChecks& operator=(const LocalChecks&) = delete;

  void start();
  size_t total() const;  // checks that run here
  size_t done() const;   // that have had a reading since start() or again(); any thread
  std::vector<std::string> waiting_for() const;  // names; any thread
  void again();                                  // the next round
  // As of now, in the shape of /api/health.
  nlohmann::json tree() const;

 private:
  struct Parts;
  explicit LocalChecks(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace binnacle::app
