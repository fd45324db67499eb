// A few read-only connections, lent to one reader each, so that readers never wait for the writer
// and at most that many read at once. Any thread but I/O threads.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "store/state/database.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace binnacle::store::state {

class ReaderPool {
 public:
  static Result<std::unique_ptr<ReaderPool>> open(const std::string& path, size_t connections,
                                                  const Clock& clock);

  // `look` sees one state of the file over all its statements. kUnavailable when every connection
  // stayed busy for ten seconds.
  Status read(const std::function<Status(Database&)>& look) EXCLUDES(mu_);

 private:
  ReaderPool(std::vector<std::unique_ptr<Database>> connections, const Clock& clock);
  Result<std::unique_ptr<Database>> borrow() EXCLUDES(mu_);
  void give_back(std::unique_ptr<Database> connection) EXCLUDES(mu_);

  // Fixed after construction.
  const Clock& clock_;

  Mutex mu_;
  CondVar returned_;
  std::vector<std::unique_ptr<Database>> idle_ GUARDED_BY(mu_);
};

}  // namespace binnacle::store::state
