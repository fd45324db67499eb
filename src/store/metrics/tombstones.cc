#include "store/metrics/tombstones.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "store/metrics/block_directory.h"

namespace binnacle::store::metrics {
namespace {

constexpr std::string_view kMagic = "BNTB";
constexpr size_t kMaxFileBytes = size_t{256} << 20;
constexpr size_t kChecksumBytes = 4;

Unexpected broken(const std::string& path, std::string_view what) {
  return fail(Code::kDataLoss, fmt::format("read {}: {} (offset 0)", path, what));
}

std::string path_in(const std::string& folder) { return folder + "/tombstones"; }

}  // namespace

void Tombstones::add(const Tombstone& tombstone) {
  CHECK(tombstone.min_ms <= tombstone.max_ms);
  Range merged{tombstone.min_ms, tombstone.max_ms};
  std::vector<Range>& ranges = by_series_[tombstone.series];
  const auto first = std::ranges::lower_bound(ranges, merged.min_ms, {}, &Range::max_ms);
  auto last = first;
  for (; last != ranges.end() && last->min_ms <= merged.max_ms; ++last) {
    merged.min_ms = std::min(merged.min_ms, last->min_ms);
    merged.max_ms = std::max(merged.max_ms, last->max_ms);
  }
  ranges.insert(ranges.erase(first, last), merged);
}

std::span<const Tombstones::Range> Tombstones::of(uint32_t series) const {
  const auto it = by_series_.find(series);
  return it == by_series_.end() ? std::span<const Range>() : it->second;
}

void Tombstones::apply(uint32_t series, std::vector<int64_t>& times_ms,
                       std::vector<double>& values) const {
  const auto ranges = of(series);
  if (ranges.empty()) return;
  auto range = ranges.begin();
  size_t kept = 0;
  for (size_t i = 0; i < times_ms.size(); ++i) {
    while (range != ranges.end() && range->max_ms < times_ms[i]) ++range;
    if (range != ranges.end() && range->min_ms <= times_ms[i]) continue;
    times_ms[kept] = times_ms[i];
    values[kept++] = values[i];
  }
  times_ms.resize(kept);
  values.resize(kept);
}

std::string Tombstones::encode(int format) const {
  std::string bytes = file_head(kMagic, format);
  ByteWriter out(bytes);
  size_t count = 0;
  for (const auto& [series, ranges] : by_series_) count += ranges.size();
  out.varint(count);
  uint32_t last = 0;
  for (const auto& [series, ranges] : by_series_) {
    for (const Range& range : ranges) {
      out.varint(series - last);
      out.zigzag(range.min_ms);
      out.varint(static_cast<uint64_t>(range.max_ms) - static_cast<uint64_t>(range.min_ms));
      last = series;
    }
  }
  out.u32(crc32c(bytes));
  return bytes;
}

Result<Tombstones> Tombstones::parse(std::string_view bytes, const std::string& path) {
  TRY(check_file_head(bytes.substr(0, kFileHeadBytes), kMagic, path));
  if (bytes.size() < kFileHeadBytes + kChecksumBytes) return broken(path, "too short");
  const std::string_view body = bytes.substr(0, bytes.size() - kChecksumBytes);
  if (ByteReader(bytes.substr(body.size())).u32() != crc32c(body))
    return broken(path, "it fails its checksum");
  ByteReader in(body.substr(kFileHeadBytes));
  Tombstones out;
  uint64_t series = 0;
  for (uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    series += in.varint();
    Tombstone tombstone;
    tombstone.min_ms = in.zigzag();
    tombstone.max_ms = static_cast<int64_t>(static_cast<uint64_t>(tombstone.min_ms) + in.varint());
    if (!in.ok() || series > UINT32_MAX || tombstone.max_ms < tombstone.min_ms) break;
    tombstone.series = static_cast<uint32_t>(series);
    out.add(tombstone);
    if (left == 1 && in.at_end()) return out;
  }
  if (!in.at_end() || !out.empty()) return broken(path, "broken records");
  return out;
}

Result<Tombstones> Tombstones::load(FileSystem& files, const std::string& folder) {
  const std::string path = path_in(folder);
  if (!files.exists(path)) return Tombstones{};
  TRY_ASSIGN(const std::string bytes, files.read_file(path, kMaxFileBytes));
  return parse(bytes, path);
}

Status add_tombstones(FileSystem& files, const std::string& folder, int format,
                      std::span<const Tombstone> tombstones) {
  TRY_ASSIGN(Tombstones all, Tombstones::load(files, folder));
  for (const Tombstone& tombstone : tombstones) all.add(tombstone);
  return files.write_file_atomically(path_in(folder), all.encode(format));
}

}  // namespace binnacle::store::metrics
