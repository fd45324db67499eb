// Parts that are nothing but files with one number each: entropy and connection tracking. A file
// that this kernel does not offer is left out.
#include "collect/host/linux/kernel_file.h"
#include "collect/host/linux/kernel_text.h"
#include "collect/host/linux/parts.h"

namespace binnacle::collect::host {
namespace {

struct ValueFile {
  std::string_view path;  // below /proc
  Metric metric;
};

constexpr ValueFile kEntropy[] = {
    {"sys/kernel/random/entropy_avail",
     gauge("node_entropy_available_bits", "Bits of available entropy.")},
    {"sys/kernel/random/poolsize", gauge("node_entropy_pool_size_bits", "Bits of entropy pool.")},
};

constexpr ValueFile kConntrack[] = {
    {"sys/net/netfilter/nf_conntrack_count",
     gauge("node_nf_conntrack_entries",
           "Number of currently allocated flow entries for connection tracking.")},
    {"sys/net/netfilter/nf_conntrack_max",
     gauge("node_nf_conntrack_entries_limit", "Maximum size of connection tracking table.")},
};

class ValueFilesPart final : public Part {
 public:
  ValueFilesPart(const Source& source, std::string_view name, std::span<const ValueFile> values)
      : name_(name), values_(values) {
    for (const ValueFile& value : values)
      files_.emplace_back(source.files, source.proc(value.path));
  }

  std::string_view name() const override { return name_; }
  int64_t period_ms() const override { return 10'000; }

  Status collect(Emitter& emitter) override {
    Faults faults;
    for (size_t i = 0; i < values_.size(); ++i) {
      auto text = files_[i].read_if_offered();
      if (!text) {
        faults.add(fail(std::move(text).error()));
        continue;
      }
      if (!*text) continue;
      if (const auto value = parse_number(trim(**text))) {
        emitter.emit(values_[i].metric, *value);
      } else {
        faults.bad(files_[i].path(), "the value", trim(**text));
      }
    }
    return faults.take();
  }

 private:
  const std::string_view name_;
  const std::span<const ValueFile> values_;
  std::vector<KernelFile> files_;  // as values_
};

}  // namespace

std::unique_ptr<Part> entropy_part(const Source& source) {
  return std::make_unique<ValueFilesPart>(source, "entropy", kEntropy);
}

std::unique_ptr<Part> conntrack_part(const Source& source) {
  return std::make_unique<ValueFilesPart>(source, "conntrack", kConntrack);
}

}  // namespace binnacle::collect::host
