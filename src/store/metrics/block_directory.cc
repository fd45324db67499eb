#include "store/metrics/block_directory.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "store/metrics/block_meta.h"

namespace binnacle::store::metrics {
namespace {

constexpr int kDirectoryZstdLevel = 9;
constexpr size_t kUlidBytes = 26;
constexpr size_t kFileEndBytes = 24;
constexpr size_t kFileEndChecked = 16;  // its first bytes, under the checksum

void put_page(ByteWriter& out, const BlockPage& page) {
  out.varint(page.stored_bytes);
  out.varint(page.raw_bytes);
  out.u32(page.checksum);
}

// Reads pages that lie back to back.
class PageReader {
 public:
  PageReader(ByteReader& in, uint64_t offset, uint64_t end) : in_(in), next_(offset), end_(end) {}

  BlockPage read() {
    BlockPage page;
    const uint64_t stored = in_.varint();
    const uint64_t raw = in_.varint();
    page.checksum = in_.u32();
    page.offset = next_;
    if (stored > end_ - next_ || raw > kMaxPageBytes || stored > raw) {
      fits_ = false;
      return page;
    }
    page.stored_bytes = static_cast<uint32_t>(stored);
    page.raw_bytes = static_cast<uint32_t>(raw);
    next_ += stored;
    return page;
  }

  bool ok() const { return in_.ok() && fits_; }
  bool at_end() const { return ok() && next_ == end_; }

 private:
  ByteReader& in_;
  uint64_t next_;
  const uint64_t end_;
  bool fits_ = true;
};

// What stands behind the sizes of a page: how far it goes in what it counts.
bool append_page(std::vector<BlockPage>& pages, BlockPage page, uint64_t extent) {
  const uint64_t first = pages.empty() ? 0 : pages.back().first + pages.back().extent;
  if (extent > UINT64_MAX / 2 || first > UINT64_MAX / 2) return false;
  page.first = first;
  page.extent = extent;
  pages.push_back(std::move(page));
  return true;
}

uint64_t total(const std::vector<BlockPage>& pages) {
  return pages.empty() ? 0 : pages.back().first + pages.back().extent;
}

bool page_count_fits(const std::vector<BlockPage>& pages, uint64_t records, uint64_t per_page) {
  return pages.size() == (records + per_page - 1) / per_page;
}

bool read_extents(ByteReader& in, PageReader& pages, std::vector<BlockPage>& out) {
  const uint64_t count = in.varint();
  for (uint64_t i = 0; i < count && pages.ok(); ++i) {
    BlockPage page = pages.read();
    if (!append_page(out, std::move(page), in.varint())) return false;
  }
  return pages.ok();
}

bool read_names(ByteReader& in, BlockDirectory& out) {
  const uint64_t count = in.varint();
  uint64_t pairs = 0;
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    BlockDirectory::Name name;
    name.name = in.sized();
    const uint64_t of_name = in.varint();
    if (of_name == 0 || of_name > UINT32_MAX - pairs) return false;
    if (!out.names.empty() && out.names.back().name >= name.name) return false;
    name.first_pair = static_cast<uint32_t>(pairs);
    name.pairs = static_cast<uint32_t>(of_name);
    pairs += of_name;
    out.names.push_back(std::move(name));
  }
  out.pairs = static_cast<uint32_t>(pairs);
  return in.ok();
}

bool read_head(ByteReader& in, BlockDirectory& out) {
  out.ulid = in.raw(kUlidBytes);
  const uint64_t series = in.varint();
  out.samples = in.varint();
  out.min_ms = in.zigzag();
  const uint64_t range = in.varint();
  const uint64_t times = in.varint();
  if (!in.ok() || series > UINT32_MAX || times > UINT32_MAX) return false;
  out.series = static_cast<uint32_t>(series);
  out.time_columns = static_cast<uint32_t>(times);
  out.max_ms = static_cast<int64_t>(static_cast<uint64_t>(out.min_ms) + range);
  return out.max_ms >= out.min_ms;
}

bool read_index_pages(ByteReader& in, uint64_t end, BlockDirectory& out) {
  PageReader pages(in, kFileHeadBytes, end);
  const uint64_t count = in.varint();
  for (uint64_t i = 0; i < count && pages.ok(); ++i) {
    BlockPage page = pages.read();
    page.first_value = in.sized();
    const uint64_t left = out.pairs - std::min<uint64_t>(total(out.values), out.pairs);
    if (!append_page(out.values, std::move(page), std::min<uint64_t>(left, kPairsPerPage)))
      return false;
  }
  return read_extents(in, pages, out.postings) && read_extents(in, pages, out.times) &&
         read_extents(in, pages, out.series_pages) && pages.at_end() &&
         page_count_fits(out.values, out.pairs, kPairsPerPage) &&
         total(out.postings) == out.pairs &&
         page_count_fits(out.times, out.time_columns, kTimesPerPage) &&
         page_count_fits(out.series_pages, out.series, kSeriesPerPage);
}

bool read_column_pages(ByteReader& in, uint64_t end, BlockDirectory& out) {
  PageReader pages(in, kFileHeadBytes, end);
  const uint64_t count = in.varint();
  for (uint64_t i = 0; i < count && pages.ok(); ++i) {
    const uint8_t stream = in.u8();
    if (stream > 1) return false;
    BlockPage page = pages.read();
    const uint64_t raw = page.raw_bytes;
    if (!append_page(stream == 1 ? out.time_column_pages : out.value_columns, std::move(page), raw))
      return false;
  }
  return pages.at_end() && total(out.value_columns) == total(out.series_pages) &&
         total(out.time_column_pages) == total(out.times);
}

Unexpected broken(const std::string& path, uint64_t offset, std::string_view what) {
  return fail(Code::kDataLoss, fmt::format("open {}: {} (offset {})", path, what, offset));
}

// Where the directory lies, from the file's end.
Result<BlockPage> find_directory(std::string_view index, const std::string& path) {
  if (index.size() < kFileHeadBytes + kFileEndBytes) return broken(path, index.size(), "too short");
  const uint64_t end_offset = index.size() - kFileEndBytes;
  ByteReader end(index.substr(end_offset));
  BlockPage page;
  page.offset = end.u64();
  page.stored_bytes = end.u32();
  page.raw_bytes = end.u32();
  page.checksum = end.u32();
  if (end.raw(kIndexMagic.size()) != kIndexMagic) return broken(path, end_offset, "no end mark");
  if (page.offset < kFileHeadBytes || page.offset > end_offset ||
      page.stored_bytes != end_offset - page.offset || page.raw_bytes > kMaxPageBytes ||
      page.stored_bytes > page.raw_bytes) {
    return broken(path, end_offset, "the directory's place cannot be");
  }
  const uint32_t checksum = crc32c(index.substr(page.offset, page.stored_bytes),
                                   crc32c(index.substr(end_offset, kFileEndChecked)));
  if (checksum != page.checksum) return broken(path, page.offset, "directory fails its checksum");
  return page;
}

}  // namespace

const BlockDirectory::Name* BlockDirectory::find_name(std::string_view name) const {
  const auto it = std::ranges::lower_bound(names, name, {}, &Name::name);
  return it == names.end() || it->name != name ? nullptr : &*it;
}

const BlockDirectory::Name& BlockDirectory::name_of(uint32_t pair) const {
  CHECK(pair < pairs);
  return *std::prev(std::ranges::upper_bound(names, pair, {}, &Name::first_pair));
}

std::string file_head(std::string_view magic, int format) {
  std::string head(magic);
  ByteWriter out(head);
  out.u16(static_cast<uint16_t>(format));
  out.u16(0);
  return head;
}

Status check_file_head(std::string_view bytes, std::string_view magic, const std::string& path) {
  ByteReader in(bytes);
  if (in.raw(magic.size()) != magic) return broken(path, 0, "not a file of this kind");
  const int format = in.u16();
  const int reserved = in.u16();
  if (!in.ok() || format == 0) return broken(path, 4, "broken head");
  if (auto known = check_format(format); !known)
    return fail(std::move(known).error().with_context("open " + path));
  if (reserved != 0) return broken(path, 4, "broken head");
  return {};
}

const BlockPage* find_page(const std::vector<BlockPage>& pages, uint64_t position) {
  const auto after = std::ranges::upper_bound(pages, position, {}, &BlockPage::first);
  if (after == pages.begin()) return nullptr;
  const BlockPage& page = *std::prev(after);
  return position - page.first < page.extent ? &page : nullptr;
}

std::string encode_directory(const BlockDirectory& directory,
                             const std::vector<ColumnPage>& columns, uint64_t offset) {
  std::string raw;
  ByteWriter out(raw);
  CHECK(directory.ulid.size() == kUlidBytes);
  out.raw(directory.ulid);
  out.varint(directory.series);
  out.varint(directory.samples);
  out.zigzag(directory.min_ms);
  out.varint(static_cast<uint64_t>(directory.max_ms) - static_cast<uint64_t>(directory.min_ms));
  out.varint(directory.time_columns);
  out.varint(directory.names.size());
  for (const auto& name : directory.names) {
    out.sized(name.name);
    out.varint(name.pairs);
  }
  out.varint(directory.values.size());
  for (const BlockPage& page : directory.values) {
    put_page(out, page);
    out.sized(page.first_value);
  }
  for (const auto* section : {&directory.postings, &directory.times, &directory.series_pages}) {
    out.varint(section->size());
    for (const BlockPage& page : *section) {
      put_page(out, page);
      out.varint(page.extent);
    }
  }
  out.varint(columns.size());
  for (const auto& [page, in_times] : columns) {
    out.u8(in_times ? 1 : 0);
    put_page(out, page);
  }

  BlockPage page;
  std::string bytes = pack_page(std::move(raw), kDirectoryZstdLevel, page);
  std::string end;
  ByteWriter tail(end);
  tail.u64(offset);
  tail.u32(page.stored_bytes);
  tail.u32(page.raw_bytes);
  tail.u32(crc32c(bytes, crc32c(end)));
  return bytes + end + std::string(kIndexMagic);
}

Result<BlockDirectory> parse_directory(std::string_view index, uint64_t columns_bytes,
                                       const std::string& path) {
  TRY(check_file_head(index.substr(0, kFileHeadBytes), kIndexMagic, path));
  TRY_ASSIGN(const BlockPage page, find_directory(index, path));
  std::string buffer;
  const auto raw = unpack_page(index, page, buffer);
  if (!raw) return broken(path, page.offset, raw.error().message);
  ByteReader in(*raw);
  BlockDirectory out;
  if (!read_head(in, out) || !read_names(in, out) || !read_index_pages(in, page.offset, out) ||
      columns_bytes < kFileHeadBytes || !read_column_pages(in, columns_bytes, out) ||
      !in.at_end()) {
    return broken(path, page.offset, "the directory does not fit the files");
  }
  return out;
}

}  // namespace binnacle::store::metrics
