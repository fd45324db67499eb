#include "collect/discovery/file_refresher.h"

#include <set>

#include "base/glob.h"
#include "collect/discovery/target_groups.h"
#include "net/run_on_pool.h"

namespace binnacle::collect::discovery {
namespace {

Result<std::vector<model::TargetGroup>> parse(const std::string& path, const std::string& text) {
  if (path.ends_with(".json") || path.ends_with(".JSON")) {
    auto groups = parse_target_groups(text, path);
    if (!groups) return fail(std::move(groups).error().with_context(path));
    return groups;
  }
  YamlDocument document(path, text);
  auto groups = read_target_groups(document.root(), path);
  TRY(document.status());
  return groups;
}

}  // namespace

FileRefresher::FileRefresher(FileSdConfig config, FileSystem& files, ThreadPool& pool)
    : config_(std::move(config)), files_(files), pool_(pool) {}

boost::asio::awaitable<Result<Refreshed>> FileRefresher::refresh() {
  Refreshed found;
  const Status ran = co_await net::run_on_pool(pool_, [&] { found = read_files(); });
  if (!ran) co_return fail(ran.error());
  co_return found;
}

Refreshed FileRefresher::read_files() {
  Refreshed found;
  std::set<std::string> paths;
  for (const std::string& pattern : config_.files) {
    for (std::string& path : expand_glob(files_, pattern)) paths.insert(std::move(path));
  }
  std::erase_if(known_, [&paths](const auto& entry) { return !paths.contains(entry.first); });
  for (const std::string& path : paths) {
    File& file = known_[path];
    if (Status read = read_file(path, file); !read && !found.problem) found.problem = read.error();
    found.groups.insert(found.groups.end(), file.groups.begin(), file.groups.end());
  }
  return found;
}

Status FileRefresher::read_file(const std::string& path, File& file) {
  TRY_ASSIGN(std::string text, files_.read_file(path, kMaxTargetFileBytes));
  if (!file.text.empty() && text == file.text) return {};
  TRY_ASSIGN(auto groups, parse(path, text));
  add_group_label(groups, "__meta_filepath", path);
  file = {std::move(text), std::move(groups)};
  return {};
}

}  // namespace binnacle::collect::discovery
