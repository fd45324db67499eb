// A block whose index, columns and tombstones are whatever a disk gives back, checksums made right:
// reading it may fail, and does so in bounds, in bounded memory and with an error of ours. The
// input is four lengths (u16: meta.json, index, columns, tombstones) and the files' bytes; the
// folder has the name that meta.json gives, so that a broken one ends the run early.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "base/fault_file_system.h"
#include "store/metrics/block.h"
#include "store/metrics/block_directory.h"
#include "store/metrics/index_pages.h"
#include "store/metrics/tombstones.h"

namespace {

using namespace binnacle;
using namespace binnacle::store::metrics;

constexpr size_t kMaxInput = size_t{1} << 14;

// The decoders of pages alone: the first byte says which.
void parse_pages(uint8_t which, std::string_view bytes) {
  BlockDirectory directory;
  directory.series = 40;
  directory.pairs = 100;
  directory.time_columns = 10;
  BlockPage page;
  page.extent = which * 8;
  directory.series_pages = {page};
  switch (which % 6) {
    case 0:
      if (const auto series = SeriesPage::parse(bytes, directory, 0)) {
        for (uint32_t i = 0; i < directory.series; ++i) {
          for (const uint32_t pair : series->pairs(i)) CHECK(pair < directory.pairs);
          for (const ChunkRecord& chunk : series->chunks(i))
            CHECK(chunk.position + chunk.bytes <= page.extent &&
                  chunk.time_column < directory.time_columns &&
                  chunk.other_series < directory.series);
        }
      }
      break;
    case 1:
      if (const auto times = parse_times(bytes, page, 3)) {
        for (const TimeColumnRecord& record : *times)
          CHECK(record.samples <= kMaxChunkSamples &&
                record.position + record.bytes <= page.extent);
      }
      break;
    case 2:
      if (const auto values = ValuePage::parse(bytes, 5)) {
        for (size_t i = 0; i < 5; ++i) CHECK(!values->at(i).empty());
      }
      break;
    case 3:
      for_each_run(bytes, 1000,
                   [](uint32_t begin, uint32_t end) { CHECK(begin < end && end <= 1000); });
      break;
    case 4:
      (void)parse_postings(bytes, 4);
      break;
    default:
      (void)Tombstones::parse(bytes, "tombstones");
  }
}

Status read_all(const Block& block) {
  model::Labels labels;
  std::vector<int64_t> times;
  std::vector<double> values;
  TRY(block.select({*model::Matcher::create(model::MatchOp::kRegex, "__name__", ".*a.*")}));
  TRY(block.label_names({}));
  for (uint32_t series = 0; series < block.series_count() && series < 200; ++series) {
    TRY(block.labels(series, labels));
    TRY(block.read(series, INT64_MIN, INT64_MAX, times, values));
    CHECK(times.size() == values.size());
  }
  return block.verify();
}

void read_block(std::string_view input) {
  ByteReader in(input);
  size_t sizes[4];
  for (size_t& size : sizes) size = in.u16();
  FaultFileSystem files;
  const std::string folder = "/01HF7YAT00T49661V0ZGRZPA49";
  CHECK(files.create_directories(folder));
  const char* const names[] = {"meta.json", "index", "columns", "tombstones"};
  for (size_t i = 0; i < 4; ++i) {
    const std::string_view bytes = in.raw(sizes[i]);
    if (i == 3 && bytes.empty()) continue;
    CHECK(files.write_file_atomically(folder + "/" + names[i], bytes));
  }
  const auto block = Block::open(files, folder);
  if (!block) {
    CHECK(!block.error().message.empty());
    return;
  }
  if (const auto read = read_all(**block); !read) CHECK(!read.error().message.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > kMaxInput) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] >= 0x80) {
    read_block(input);
  } else {
    parse_pages(data[0], input);
  }
  return 0;
}
