// Metrics that programs leave in a folder as *.prom files, in the text format, as node_exporter's
// textfile collector reads them: a file is taken whole or not at all, and one that is broken costs
// the others nothing.
#include <map>
#include <utility>

#include <fmt/format.h>

#include "collect/exposition/exposition.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

namespace exposition = collect::exposition;

constexpr int64_t kPeriodMs = 10'000;
constexpr std::string_view kFileLabel[] = {"file"};
constexpr Metric kModified = gauge("node_textfile_mtime_seconds",
                                   "Unixtime mtime of textfiles successfully read.", kFileLabel);
constexpr Metric kScrapeError = gauge(
    "node_textfile_scrape_error", "1 if there was an error opening or reading a file, 0 otherwise");

struct Described {
  std::string help;
  model::MetricType type = model::MetricType::kUnknown;
};

struct Content {
  std::vector<std::pair<model::Labels, double>> samples;
  std::map<std::string, Described> families;
};

class TextfilePart final : public Part {
 public:
  TextfilePart(FileSystem& files, const TextfileOptions& options)
      : files_(files), options_(options) {}

  std::string_view name() const override { return "textfile"; }
  int64_t period_ms() const override { return kPeriodMs; }

  Status collect(Emitter& emitter) override {
    Faults faults;
    const auto entries = files_.list(options_.folder);
    if (!entries) {
      faults.add(fail(entries.error()));
    } else {
      size_t taken = 0;
      for (const DirEntry& entry : *entries) {
        if (entry.is_directory || !entry.name.ends_with(".prom")) continue;
        if (++taken > options_.max_files) {
          faults.add(fail(Code::kResourceExhausted,
                          fmt::format("{}: more than {} files; the rest is not read",
                                      options_.folder, options_.max_files)));
          break;
        }
        faults.add(take(options_.folder + "/" + entry.name, emitter));
      }
    }
    emitter.emit(kScrapeError, faults.any() ? 1 : 0);
    return faults.take();
  }

 private:
  Status take(const std::string& path, Emitter& emitter) {
    auto content = read(path);
    if (!content) return fail(std::move(content).error().with_context(path));
    for (const auto& [family, described] : content->families) {
      emitter.describe(family, described.help, described.type);
    }
    for (const auto& [labels, value] : content->samples) emitter.emit_labels(labels, value);
    if (const auto modified = files_.modified_ms(path)) {
      emitter.emit(kModified, {path}, static_cast<double>(*modified) / 1000);
    }
    return {};
  }

  Result<Content> read(const std::string& path) {
    TRY_ASSIGN(const std::string text, files_.read_file(path, options_.max_file_bytes));
    Content content;
    reader_.begin(text, exposition::Format::kText);
    using Kind = exposition::Entry::Kind;
    for (exposition::Entry entry;;) {
      TRY(reader_.next(entry));
      if (entry.kind == Kind::kEnd) return content;
      if (entry.kind == Kind::kHelp) {
        content.families[std::string(entry.family)].help = entry.text;
      } else if (entry.kind == Kind::kType) {
        content.families[std::string(entry.family)].type = entry.type;
      } else if (entry.kind == Kind::kSample) {
        if (entry.timestamp_ms) {
          return fail(Code::kInvalidArgument,
                      fmt::format("line {}: a time stands behind the value; leave it out, the "
                                  "time of collection counts",
                                  reader_.line()));
        }
        TRY(reader_.read_labels(builder_));
        content.samples.emplace_back(builder_.build(), entry.value);
      }
    }
  }

  // Fixed after construction.
  FileSystem& files_;
  const TextfileOptions options_;

  exposition::Reader reader_;
  model::LabelsBuilder builder_;
};

}  // namespace

std::unique_ptr<Part> textfile_part(FileSystem& files, const TextfileOptions& options) {
  return std::make_unique<TextfilePart>(files, options);
}

}  // namespace binnacle::collect::host
