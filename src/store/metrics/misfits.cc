#include "store/metrics/misfits.h"

#include "base/check.h"

namespace binnacle::store::metrics {
namespace {

uint64_t bits_of(double v) { return std::bit_cast<uint64_t>(v); }

struct Head {
  uint64_t size = 0;
  bool same = false;  // one value stands for all
};

Head read_head(ByteReader& reader) {
  const uint64_t head = reader.varint();
  return {head >> 1, (head & 1) != 0};
}

}  // namespace

void encode_misfits(std::span<const double> values, std::span<const uint32_t> misfits,
                    std::string& out) {
  CHECK(!misfits.empty() && misfits.back() < values.size());
  const uint64_t first = bits_of(values[misfits[0]]);
  const bool same = std::all_of(misfits.begin(), misfits.end(),
                                [&](uint32_t i) { return bits_of(values[i]) == first; });
  ByteWriter writer(out);
  writer.varint(misfits.size() << 1 | (same ? 1 : 0));
  uint32_t next = 0;
  for (const uint32_t i : misfits) {
    writer.varint(i - next);
    next = i + 1;
  }
  for (const uint32_t i : misfits.first(same ? 1 : misfits.size())) writer.u64(bits_of(values[i]));
}

bool skip_misfits(ByteReader& reader, size_t count) {
  const Head head = read_head(reader);
  if (!reader.ok() || head.size == 0 || head.size > count) return false;
  uint64_t next = 0;
  for (uint64_t n = 0; n < head.size; ++n) {
    const uint64_t gap = reader.varint();
    if (gap >= count - next || !reader.ok()) return false;
    next += gap + 1;
    if (next >= count && n + 1 < head.size) return false;
  }
  reader.raw((head.same ? 1 : head.size) * sizeof(uint64_t));
  return reader.ok();
}

void place_misfits(ByteReader reader, std::span<double> values) {
  const Head head = read_head(reader);
  ByteReader bits = reader;
  for (uint64_t n = 0; n < head.size; ++n) bits.varint();
  double value = 0;
  uint64_t next = 0;
  for (uint64_t n = 0; n < head.size; ++n) {
    next += reader.varint();
    if (n == 0 || !head.same) value = bits.f64();
    CHECK(next < values.size());
    values[next++] = value;
  }
}

}  // namespace binnacle::store::metrics
