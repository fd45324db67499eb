// OTLP bodies of a hostile sender, taken as protobuf and as JSON. Whatever goes in: what reaches
// the store is a good label set, a refused point is counted once and no more points are refused
// than there are, and the answer is valid UTF-8.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "collect/receive/otlp_batch.h"

namespace {

using namespace binnacle;
using namespace binnacle::collect::receive;

constexpr size_t kMaxBytes = size_t{1} << 16;

// Holds what it was given to the promises of the seam.
class CheckingStore final : public model::Appendable {
 public:
  std::unique_ptr<model::Appender> appender() override { return std::make_unique<Batch>(); }

 private:
  class Batch final : public model::Appender {
   public:
    Result<model::SeriesRef> append(model::SeriesRef, model::LabelsView labels,
                                    model::Sample) override {
      CHECK(!labels.metric_name().empty());
      std::string_view before;
      for (const model::Label& label : labels) {
        CHECK(label.name > before && !label.value.empty());
        CHECK(is_valid_utf8(label.name) && is_valid_utf8(label.value));
        before = label.name;
      }
      ++appended_;
      return labels.hash() | 1;
    }
    void append_metadata(std::string_view metric, const model::MetricMetadata& word) override {
      CHECK(is_valid_utf8(metric) && is_valid_utf8(word.help) && is_valid_utf8(word.unit));
    }
    Result<model::CommitReport> commit() override { return model::CommitReport{appended_, {}}; }
    void rollback() override {}

   private:
    size_t appended_ = 0;
  };
};

void take(const OtlpMetrics& metrics, OtlpTranslation translation) {
  OtlpOptions options;
  options.translation = translation;
  options.promote_all_resource_attributes = translation == OtlpTranslation::kNoTranslation;
  const LabelLimits limits;
  CheckingStore store;
  const auto outcome = OtlpBatch(metrics, options, limits, store).store();
  CHECK(outcome.has_value());
  CHECK(outcome->refused_points() <= outcome->points);
  CHECK(is_valid_utf8(outcome->message()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > kMaxBytes) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const auto decode : {decode_otlp_protobuf, decode_otlp_json}) {
    OtlpMetrics metrics(4 * kMaxBytes);
    if (!decode(body, metrics)) continue;
    take(metrics, OtlpTranslation::kUnderscoreEscapingWithSuffixes);
    take(metrics, OtlpTranslation::kNoTranslation);
  }
  return 0;
}
