// A data folder and a state store in it for tests of every room that keeps rows. One thread; the
// folder is removed with the fixture.
#pragma once

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/instruments.h"
#include "store/state/state_store.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace binnacle::store::state {

class TempFolder {
 public:
  TempFolder() {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/binnacle-test-XXXXXX";
    CHECK(mkdtemp(path_.data()) != nullptr);
  }
  ~TempFolder() { CHECK(real_file_system().remove_all(path_)); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::vector<Migration> with_state_migrations(std::vector<Migration> more) {
  for (const Migration& migration : state_migrations()) more.push_back(migration);
  return more;
}

// Opens and reopens the store of one folder with one set of migrations.
struct StateFixture {
  explicit StateFixture(std::vector<Migration> more = {})
      : migrations(with_state_migrations(std::move(more))) {
    reopen();
  }

  Result<std::unique_ptr<StateStore>> open() {
    return StateStore::open({.path = path(), .migrations = migrations, .write_limits = limits},
                            real_file_system(), system_clock, registry);
  }
  void reopen() {
    store.reset();
    auto opened = open();
    CHECK(opened);
    store = std::move(*opened);
  }
  std::string path() const { return folder.path() + "/state.db"; }

  TempFolder folder;
  SystemClock
      system_clock;  // deadlines of waits are real; what tests decide by time has its own clock
  Registry registry;
  std::vector<Migration> migrations;
  WriteLimits limits;
  std::unique_ptr<StateStore> store;
};

}  // namespace binnacle::store::state
