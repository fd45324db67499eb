// A block whose pages are hostile though every checksum is right: reading it may fail, and does so
// in bounds, in bounded memory and with an error of ours. An input whose first byte is below 0x80
// goes to one decoder of pages; otherwise it is four counts (u8: series, pairs of the first name,
// of the second, time columns), six sizes (u16) and the raw pages: label values, postings, time
// columns, series, the values' stream, the times' stream.
#include <algorithm>
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

struct Pages {
  BlockDirectory directory;
  std::string index = file_head(kIndexMagic, kNewestFormat);
  std::string columns = file_head(kColumnsMagic, kNewestFormat);
  std::vector<ColumnPage> column_pages;

  void add(std::vector<BlockPage>& section, std::string_view raw, uint64_t extent) {
    BlockPage page;
    page.extent = extent;
    index += pack_page(std::string(raw), kNoCompression, page);
    if (extent > 0) section.push_back(std::move(page));
  }
  void add_columns(std::string_view raw, bool in_times) {
    ColumnPage page;
    page.in_times = in_times;
    columns += pack_page(std::string(raw), kNoCompression, page.page);
    column_pages.push_back(std::move(page));
  }
};

Pages make_pages(ByteReader& in) {
  Pages out;
  BlockDirectory& directory = out.directory;
  directory.series = in.u8();
  const uint32_t first = in.u8() + 1u, second = in.u8() / 2u + 1;
  directory.time_columns = in.u8();
  directory.names = {{"__name__", 0, first}, {"le", first, second}};
  directory.pairs = std::min(first + second, kPairsPerPage);
  directory.names[1].pairs = directory.pairs - std::min(first, directory.pairs - 1);
  directory.names[0].pairs = directory.pairs - directory.names[1].pairs;
  size_t sizes[6];
  for (size_t& size : sizes) size = in.u16();
  const std::string_view values = in.raw(sizes[0]);
  out.add(directory.values, values, directory.pairs);
  ByteReader first_value(values);
  (void)first_value.varint();
  directory.values[0].first_value = first_value.sized();
  out.add(directory.postings, in.raw(sizes[1]), directory.pairs);
  out.add(directory.times, in.raw(sizes[2]), sizes[5]);
  out.add(directory.series_pages, in.raw(sizes[3]), sizes[4]);
  out.add_columns(in.raw(sizes[4]), false);
  out.add_columns(in.raw(sizes[5]), true);
  return out;
}

void read_block(std::string_view input) {
  ByteReader in(input);
  Pages pages = make_pages(in);
  if (!in.ok()) return;
  BlockMeta meta;
  meta.ulid = "01HF7YAT00T49661V0ZGRZPA49";
  meta.series = pages.directory.series;
  meta.max_ms = 1;
  pages.directory.ulid = meta.ulid;
  pages.directory.max_ms = meta.max_ms;
  pages.index += encode_directory(pages.directory, pages.column_pages, pages.index.size());

  FaultFileSystem files;
  const std::string folder = "/" + meta.ulid;
  CHECK(files.create_directories(folder));
  CHECK(files.write_file_atomically(folder + "/meta.json", block_meta_json(meta)));
  CHECK(files.write_file_atomically(folder + "/index", pages.index));
  CHECK(files.write_file_atomically(folder + "/columns", pages.columns));
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
