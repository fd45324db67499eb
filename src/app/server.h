// The composition of `binnacle server`: makes every room's objects, hands them to each other,
// starts and stops them in order. One object a process; all calls from the main thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace binnacle::app {

struct ServerArgs {
  std::string config_file;          // empty: defaults alone
  std::string data_dir;             // empty: server.data_dir
  std::string prometheus_config;    // empty: collect.prometheus_config
  std::vector<std::string> listen;  // empty: server.listen
  bool insecure = false;
};

class ServerProcess {
 public:
  // Everything bound and ready to start; nothing is served yet.
  static Result<std::unique_ptr<ServerProcess>> create(const ServerArgs& args);
  ~ServerProcess();  // stop()

  // Serves at once; returns when the metric store is loaded. kCancelled after call_off().
  Status start();
  void call_off();  // from another thread while start() runs, which then ends soon
  // Drains, then stops every part. Fine when it was never started.
  void stop();
  // Once a second: readiness, own series, certificates, retention.
  void tick();
  void reload();

  // "http://127.0.0.1:8080", one for each listener.
  std::vector<std::string> urls() const;

 private:
  struct Parts;
  explicit ServerProcess(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// Runs until SIGTERM or SIGINT; reloads on SIGHUP. The process' exit code.
int run_server(const ServerArgs& args);

}  // namespace binnacle::app
