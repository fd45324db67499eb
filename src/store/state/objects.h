// Who owns a named object (target, rule, receiver, key, check): a configuration file or the API.
// API objects are rows here; file objects are held in memory as the last reload gave them and are
// read-only to the API. No two objects of a kind share a name. Any thread but I/O threads.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "store/state/state_store.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace binnacle::store::state {

enum class ObjectOrigin : uint8_t { kFile, kApi };
std::string_view object_origin_name(ObjectOrigin origin);  // "file"

struct Object {
  std::string kind;  // "rule"
  std::string name;
  ObjectOrigin origin = ObjectOrigin::kApi;
  std::string file;  // "rules/disk.yml:12"; empty for the API's
  std::string data;  // JSON
  int64_t updated_ms = 0;
};

class ObjectStore {
 public:
  ObjectStore(StateStore& store, const Clock& clock) : store_(store), clock_(clock) {}

  // Makes or replaces. kFailedPrecondition when a file owns the name (says which), kInvalidArgument
  // when `data` is not JSON.
  Status put_api(const std::string& kind, const std::string& name, const std::string& data)
      EXCLUDES(change_mu_, mu_);
  // kNotFound, or kFailedPrecondition when a file owns it.
  Status remove_api(const std::string& kind, const std::string& name) EXCLUDES(change_mu_, mu_);

  // Refuses, with a message that names both, a set that clashes within itself or with the API's
  // objects; nothing changes. For `config check` and the first half of a reload.
  Status check_files(const std::vector<Object>& objects) EXCLUDES(change_mu_);
  // All file objects from now on; the old set stays when the new one is refused.
  Status set_files(std::vector<Object> objects) EXCLUDES(change_mu_, mu_);

  // By name, both origins.
  Result<std::vector<Object>> list(const std::string& kind) EXCLUDES(mu_);
  Result<std::optional<Object>> find(const std::string& kind, const std::string& name)
      EXCLUDES(mu_);

 private:
  using Key = std::pair<std::string, std::string>;  // kind, name
  using FileObjects = std::map<Key, Object>;
  Result<FileObjects> checked(std::vector<Object> objects) REQUIRES(change_mu_);
  std::optional<Object> find_in_files(const std::string& kind, const std::string& name)
      EXCLUDES(mu_);
  Result<std::optional<Object>> find_in_api(const std::string& kind, const std::string& name);

  // Fixed after construction.
  StateStore& store_;
  const Clock& clock_;

  Mutex change_mu_;  // held over disk writes: the checks of one change hold until it is done;
                     // before mu_
  Mutex mu_;
  FileObjects files_ GUARDED_BY(mu_);
};

}  // namespace binnacle::store::state
