// Where `binnacle key` does its work: in the data folder itself while no server runs there, or at a
// server by its API. Both answer the API's JSON (docs/access.md), so that one printer serves both.
// One thread.
#pragma once

#include "base/error.h"
#include "base/file_system.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace binnacle::app {

class KeyDesk {
 public:
  virtual ~KeyDesk() = default;

  // The body of POST /api/binnacle/v1/keys.
  virtual Result<nlohmann::json> create(const nlohmann::json& key) = 0;
  virtual Result<nlohmann::json> list() = 0;
  virtual Status revoke(const std::string& id) = 0;
  virtual Result<nlohmann::json> rotate(const std::string& id, int64_t overlap_s) = 0;
  virtual Result<nlohmann::json> join_token(int64_t lifetime_s) = 0;
};

// Opens the state file. While a server runs on the folder: kFailedPrecondition, with what to do
// instead.
Result<std::unique_ptr<KeyDesk>> open_local_key_desk(FileSystem& files,
                                                     const std::string& data_folder);

// `url` is the server's address, "http://127.0.0.1:8080"; `key` an admin key, empty where none
// exists yet.
std::unique_ptr<KeyDesk> open_remote_key_desk(FileSystem& files, std::string url, std::string key);

// A one-use login token for the newest admin key, "bnl_..."; also beside a running server.
Result<std::string> make_login_token(FileSystem& files, const std::string& data_folder,
                                     int64_t lifetime_ms);

}  // namespace binnacle::app
