// Calls of a server's JSON API by the tools beside it. One thread; each call waits for its answer.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file_system.h"
#include "net/client.h"
#include "net/io_threads.h"

namespace binnacle::app {

class ServerCaller {
 public:
  // `key` may be empty. `files` outlives the caller.
  ServerCaller(FileSystem& files, std::string url, std::string key);
  ~ServerCaller();
  ServerCaller(const ServerCaller&) = delete;
  ServerCaller& operator=(const ServerCaller&) = delete;

  // `body` null: none. Null for an answer without a body. Errors have the server's own words where
  // it sent some; kUnavailable: nobody answered, or not in JSON.
  Result<nlohmann::json> call(net::Method method, std::string_view target,
                              const nlohmann::json& body);
  Result<nlohmann::json> get(std::string_view target);

 private:
  std::string url_;
  const std::string key_;
  net::IoThreads io_;
  net::Client client_;
};

}  // namespace binnacle::app
