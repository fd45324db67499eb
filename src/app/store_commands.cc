#include "app/store_commands.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/data_folder.h"
#include "base/time_text.h"
#include "query/promql/parser.h"
#include "show/export_api.h"
#include "show/time_params.h"
#include "store/metrics/block_folder.h"
#include "store/metrics/metric_store.h"
#include "store/metrics/store_check.h"

namespace binnacle::app {
namespace {

using nlohmann::json;
using store::metrics::check_store;
using store::metrics::CheckedBlock;
using store::metrics::CheckedLog;
using store::metrics::MetricStore;
using store::metrics::StoreCheck;

std::string store_folder(const StoreCommand& command) {
  return (command.data_folder.empty() ? default_data_folder() : command.data_folder) + "/metrics";
}

int refuse(const Error& error, std::ostream& err) {
  err << error.message << '\n';
  return 1;
}

json block_json(const CheckedBlock& block) {
  return {{"ulid", block.name},
          {"min_time", format_rfc3339(block.meta.min_ms)},
          {"max_time", format_rfc3339(block.meta.max_ms)},
          {"level", block.meta.level},
          {"series", block.meta.series},
          {"samples", block.meta.samples},
          {"bytes", block.bytes},
          {"problem", block.problem}};
}

json log_json(const CheckedLog& log) {
  return {{"path", log.path},
          {"records", log.records},
          {"bytes", log.bytes},
          {"problem", log.problem},
          {"torn_tail", log.torn_tail}};
}

std::string check_json(const StoreCheck& check) {
  json out = {{"blocks", json::array()},
              {"snapshots", json::array()},
              {"wal", log_json(check.wal)},
              {"set_aside", check.set_aside},
              {"problems", check.problems()}};
  for (const CheckedBlock& block : check.blocks) out["blocks"].push_back(block_json(block));
  for (const CheckedLog& log : check.snapshots) out["snapshots"].push_back(log_json(log));
  return out.dump(2) + "\n";
}

void print_blocks(const StoreCheck& check, std::ostream& out) {
  uint64_t samples = 0;
  uint64_t bytes = 0;
  out << fmt::format("{:<26}  {:<20}  {:<20}  {:>5}  {:>9}  {:>12}  {:>12}  {:>8}\n", "block",
                     "from", "to", "level", "series", "samples", "bytes", "B/sample");
  for (const CheckedBlock& block : check.blocks) {
    samples += block.meta.samples;
    bytes += block.bytes;
    const double each = static_cast<double>(block.bytes) /
                        static_cast<double>(std::max<uint64_t>(1, block.meta.samples));
    out << fmt::format("{:<26}  {:<20.19}  {:<20.19}  {:>5}  {:>9}  {:>12}  {:>12}  {:>8.3f}\n",
                       block.name, format_rfc3339(block.meta.min_ms),
                       format_rfc3339(block.meta.max_ms), block.meta.level, block.meta.series,
                       block.meta.samples, block.bytes, each);
  }
  out << fmt::format("{} blocks, {} samples, {} bytes\n", check.blocks.size(), samples, bytes);
}

void print_problems(const StoreCheck& check, std::ostream& out) {
  for (const CheckedBlock& block : check.blocks) {
    if (!block.problem.empty()) out << "damaged: " << block.name << ": " << block.problem << '\n';
  }
  for (const CheckedLog& log : check.snapshots) {
    if (!log.problem.empty()) out << "damaged: " << log.path << ": " << log.problem << '\n';
  }
  if (!check.wal.problem.empty())
    out << "damaged: " << check.wal.path << ": " << check.wal.problem << '\n';
  for (const std::string& part : check.set_aside)
    out << "set aside by an earlier start: " << part << '\n';
}

void print_logs(const StoreCheck& check, std::ostream& out) {
  for (const CheckedLog& log : check.snapshots)
    out << fmt::format("head snapshot {}: {} records, {} bytes\n", log.path, log.records,
                       log.bytes);
  out << fmt::format("write-ahead log: {} records, {} bytes{}\n", check.wal.records,
                     check.wal.bytes, check.wal.torn_tail ? ", its tail cut short by a crash" : "");
}

Result<std::unique_ptr<MetricStore>> open_store(const StoreCommand& command, FileSystem& files,
                                                const Clock& clock, Random& random,
                                                Registry& registry) {
  const std::string folder = store_folder(command);
  if (!files.exists(folder))
    return fail(Code::kNotFound, "metric store " + folder + ": there is none");
  return MetricStore::open(folder, {}, files, clock, random, registry);
}

Result<int64_t> bound(const std::string& text, int64_t if_absent) {
  if (text.empty()) return if_absent;
  return parse_time_ms(text);
}

Status dump_series(const StoreDump& dump, FileSystem& files, std::ostream& out) {
  const SystemClock clock;
  SystemRandom random;
  Registry registry;
  TRY_ASSIGN(const int64_t start_ms, bound(dump.start, show::kBeginningMs));
  TRY_ASSIGN(const int64_t end_ms, bound(dump.end, show::kEndMs));
  std::vector<model::Matchers> selectors(1);
  if (!dump.selectors.empty()) {
    const std::vector<std::string_view> texts(dump.selectors.begin(), dump.selectors.end());
    TRY_ASSIGN(selectors, query::promql::parse_selectors(texts));
  }
  TRY_ASSIGN(const auto store, open_store(dump.command, files, clock, random, registry));
  TRY_ASSIGN(const auto querier, store->querier(start_ms, end_ms));
  std::string line;
  for (const model::Matchers& matchers : selectors) {
    TRY_ASSIGN(const auto set, querier->select(matchers, {}));
    for (model::SeriesColumns series; set->next(series);) {
      line.clear();
      show::append_export_line(line, series);
      out << line;
    }
    TRY(set->status());
  }
  return {};
}

}  // namespace

int run_store_stats(const StoreCommand& command, FileSystem& files, std::ostream& out,
                    std::ostream& err) {
  const auto check = check_store(files, store_folder(command), false);
  if (!check) return refuse(check.error(), err);
  if (command.json) {
    out << check_json(*check);
    return 0;
  }
  print_blocks(*check, out);
  print_logs(*check, out);
  print_problems(*check, out);
  return 0;
}

int run_store_verify(const StoreCommand& command, FileSystem& files, std::ostream& out,
                     std::ostream& err) {
  const auto check = check_store(files, store_folder(command), true);
  if (!check) return refuse(check.error(), err);
  if (command.json) {
    out << check_json(*check);
  } else {
    print_problems(*check, out);
    if (check->problems() == 0) out << store_folder(command) << ": good\n";
  }
  return check->problems() == 0 ? 0 : 1;
}

int run_store_repair(const StoreCommand& command, FileSystem& files, std::ostream& out,
                     std::ostream& err) {
  const std::string folder = store_folder(command);
  const auto before = check_store(files, folder, true);
  if (!before) return refuse(before.error(), err);
  print_problems(*before, out);
  {
    // Held while files are moved, and by the start that does the rest.
    const auto lock = files.lock(folder + "/lock");
    if (!lock) return refuse(lock.error(), err);
    for (const CheckedBlock& block : before->blocks) {
      if (block.problem.empty()) continue;
      if (const auto moved = store::metrics::set_block_aside(files, folder + "/blocks", block.name);
          !moved)
        return refuse(moved.error(), err);
    }
  }
  const SystemClock clock;
  SystemRandom random;
  Registry registry;
  if (const auto store = open_store(command, files, clock, random, registry); !store)
    return refuse(store.error(), err);
  out << folder << ": usable; what was damaged lies beside it, nothing was deleted\n";
  return 0;
}

int run_store_dump(const StoreDump& dump, FileSystem& files, std::ostream& out, std::ostream& err) {
  const Status done = dump_series(dump, files, out);
  return done ? 0 : refuse(done.error(), err);
}

void add_store_commands(CLI::App& root, int& exit_code) {
  CLI::App* store =
      root.add_subcommand("store", "Look at the metric store while no server runs on it");
  store->require_subcommand(1);
  const auto add = [&](const char* name, const char* what, auto run) {
    CLI::App* sub = store->add_subcommand(name, what);
    const auto command = std::make_shared<StoreCommand>();
    const auto format = std::make_shared<std::string>("text");
    sub->add_option("--data", command->data_folder, "The server's data folder");
    sub->add_option("--format", *format, "text or json")->check(CLI::IsMember({"text", "json"}));
    sub->callback([command, format, run, &exit_code] {
      command->json = *format == "json";
      exit_code = run(*command, real_file_system(), std::cout, std::cerr);
    });
  };
  add("stats", "Blocks, head snapshot and log, with sizes", run_store_stats);
  add("verify", "Check every checksum; exit 1 when something is damaged", run_store_verify);
  add("repair", "Set aside what is damaged, so that a server starts on the rest", run_store_repair);

  CLI::App* sub = store->add_subcommand("dump", "Write samples as JSON lines");
  const auto dump = std::make_shared<StoreDump>();
  sub->add_option("--data", dump->command.data_folder, "The server's data folder");
  sub->add_option("--match", dump->selectors, "Series selector, may be repeated; none: all");
  sub->add_option("--start", dump->start, "Unix seconds or RFC 3339");
  sub->add_option("--end", dump->end, "Unix seconds or RFC 3339");
  sub->callback([dump, &exit_code] {
    exit_code = run_store_dump(*dump, real_file_system(), std::cout, std::cerr);
  });
}

}  // namespace binnacle::app
