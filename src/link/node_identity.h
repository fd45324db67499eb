// Who this node is, kept in the agent's data folder: `node_id`, made once, and `agent_key`, got for
// a join token. One process has the folder at a time. Main thread.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/file_system.h"
#include "net/client.h"
#include "net/io_threads.h"

namespace binnacle::link {

class NodeIdentity {
 public:
  // Makes the folder and the id where there are none. kAlreadyExists: another agent has the folder.
  static Result<NodeIdentity> open(const std::string& folder, FileSystem& files);

  const std::string& node_id() const { return node_id_; }
  const std::string& key() const { return key_; }  // "": none yet
  Status keep_key(const std::string& key);

 private:
  NodeIdentity() = default;

  FileSystem* files_ = nullptr;
  std::string folder_;
  std::unique_ptr<FileLock> lock_;
  std::string node_id_;
  std::string key_;
};

// Whether the server takes `key`. An error: it cannot be asked.
Result<bool> key_is_accepted(net::Client& client, net::IoThreads& io, const std::string& server_url,
                             const std::string& key);

// Trades the token for a key. kUnavailable and kResourceExhausted: try again later; any other
// error: the token does not do.
Result<std::string> redeem_join_token(net::Client& client, net::IoThreads& io,
                                      const std::string& server_url, const std::string& token,
                                      const std::string& name);

}  // namespace binnacle::link
