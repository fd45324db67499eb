// Remote-write bodies of a hostile sender, taken as protobuf of either version and as a snappy
// block. Whatever goes in: every refused or stored sample is counted once, sent again the body
// gets the same answer (now through the cache), and nothing is stored of a malformed one.
#include <snappy.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/random.h"
#include "base/utf8.h"
#include "collect/receive/snappy_block.h"
#include "collect/receive/write_batch.h"

namespace {

using namespace binnacle;
using namespace binnacle::collect::receive;

constexpr size_t kMaxBytes = size_t{1} << 16;

// Holds what it was given to the promises of the seam.
class CheckingStore final : public model::Appendable {
 public:
  std::unique_ptr<model::Appender> appender() override { return std::make_unique<Batch>(*this); }
  size_t stored = 0;

 private:
  class Batch final : public model::Appender {
   public:
    explicit Batch(CheckingStore& store) : store_(store) {}
    Result<model::SeriesRef> append(model::SeriesRef ref, model::LabelsView labels,
                                    model::Sample) override {
      CHECK(ref != model::kNoSeries || !labels.metric_name().empty());
      std::string_view before;
      for (const model::Label& label : labels) {
        CHECK(label.name > before && !label.value.empty());
        CHECK(is_valid_utf8(label.name) && is_valid_utf8(label.value));
        before = label.name;
      }
      ++appended_;
      return ref == model::kNoSeries ? labels.hash() | 1 : ref;
    }
    Result<model::CommitReport> commit() override {
      store_.stored += appended_;
      return model::CommitReport{appended_, {}};
    }
    void rollback() override { appended_ = 0; }

   private:
    CheckingStore& store_;
    size_t appended_ = 0;
  };
};

// What became of it, as text.
std::string take(WriteRequest& request) {
  SeededRandom random(1);
  SeriesCache cache(100, random);
  WriteBatch batch(cache);
  std::string first;
  for (int round = 0; round < 2; ++round) {
    CheckingStore store;
    const auto outcome = batch.store(request, {}, store);
    if (!outcome) {
      CHECK(outcome.error().code == Code::kInvalidArgument && store.stored == 0);
      return "malformed";
    }
    size_t sent = 0;
    for (const SeriesEntry& series : request.series)
      sent += series.sample_count + series.histogram_count;
    CHECK(outcome->stored + outcome->report.refused() == sent);
    const std::string text = outcome->report.text(outcome->stored);
    CHECK(is_valid_utf8(text));
    CHECK(round == 0 || text == first);
    first = text;
  }
  return first;
}

void take(std::string_view body) {
  WriteRequest request;
  const std::string careful = request.decode(body) ? take(request) : "malformed";
  WriteRequest guessed;
  CHECK((guessed.decode_by_guess(body) ? take(guessed) : "malformed") == careful);
  if (request.decode_v2(body, kMaxBytes)) take(request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  take(bytes);
  SnappyBuffer buffer;
  if (const auto body = buffer.decompress(bytes, kMaxBytes)) {
    CHECK(body->size() <= kMaxBytes);
    take(*body);
  }
  return 0;
}
