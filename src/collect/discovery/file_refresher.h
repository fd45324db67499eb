// Targets from files (`file_sd_configs`): YAML or JSON lists of target groups. Files are read on
// the pool; a file that cannot be read or parsed keeps its last good groups, one that is gone loses
// them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/thread_pool.h"
#include "collect/discovery/refresh_source.h"
#include "collect/discovery/source_config.h"

namespace binnacle::collect::discovery {

// A file beyond it is refused: YAML is bounded more tightly by its reader.
inline constexpr size_t kMaxTargetFileBytes = size_t{16} << 20;

// How often files are looked at, whatever longer refresh_interval is set: a change must not wait
// for minutes.
inline constexpr int64_t kFileLookMs = 5'000;

class FileRefresher final : public Refresher {
 public:
  // All outlive it.
  FileRefresher(FileSdConfig config, FileSystem& files, ThreadPool& pool);

  boost::asio::awaitable<Result<Refreshed>> refresh() override;
  Refreshed read_files();  // the work of a refresh

 private:
  struct File {
    std::string text;  // as last parsed
    std::vector<model::TargetGroup> groups;
  };
  Status read_file(const std::string& path, File& file);

  const FileSdConfig config_;
  FileSystem& files_;
  ThreadPool& pool_;
  std::map<std::string, File> known_;  // by path; of the refresh that runs
};

}  // namespace binnacle::collect::discovery
