#include "engine/train/exchange_message.h"

#include <cstring>

#include "base/bytes.h"
#include "base/crc32c.h"

namespace binnacle::engine {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint64_t kMaxReportFigures = 1 << 20;
constexpr uint64_t kMaxReports = 64;

std::string_view bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

void write_report(ByteWriter& writer, const std::vector<double>& report) {
  writer.varint(report.size());
  for (const double one : report) writer.f64(one);
}

Result<std::vector<double>> read_report(ByteReader& reader) {
  const uint64_t size = reader.varint();
  if (size > kMaxReportFigures || size * sizeof(double) > reader.rest().size()) {
    return fail(Code::kInvalidArgument, "exchange: a report is longer than its message");
  }
  std::vector<double> out;
  for (uint64_t i = 0; i < size; ++i) out.push_back(reader.f64());
  return out;
}

void seal(std::string& bytes) {
  const uint32_t crc = crc32c(bytes);
  ByteWriter(bytes).u32(crc);
}

// Without the checksum, once it is right.
Result<std::string_view> unseal(std::string_view bytes) {
  if (bytes.size() < sizeof(uint32_t) + 1) {
    return fail(Code::kDataLoss, "exchange: a message is cut short");
  }
  const std::string_view body = bytes.substr(0, bytes.size() - sizeof(uint32_t));
  ByteReader tail(bytes.substr(body.size()));
  if (tail.u32() != crc32c(body)) return fail(Code::kDataLoss, "exchange: a checksum is wrong");
  if (static_cast<uint8_t>(body[0]) != kVersion) {
    return fail(Code::kFailedPrecondition,
                "exchange: the other side speaks another version; start all ranks from one build");
  }
  return body.substr(1);
}

}  // namespace

std::string encode_contribution(const Contribution& c, std::span<const float> values) {
  std::string out;
  out.reserve(values.size_bytes() + c.report.size() * sizeof(double) + 64);
  ByteWriter writer(out);
  writer.u8(kVersion);
  writer.u8(static_cast<uint8_t>(c.kind));
  writer.varint(c.rank);
  writer.varint(c.number);
  writer.u64(c.fingerprint);
  write_report(writer, c.report);
  writer.sized(bytes_of(values));
  seal(out);
  return out;
}

Result<Contribution> decode_contribution(std::string_view bytes) {
  TRY_ASSIGN(const std::string_view body, unseal(bytes));
  ByteReader reader(body);
  Contribution out;
  const uint8_t kind = reader.u8();
  out.rank = static_cast<uint32_t>(reader.varint());
  out.number = reader.varint();
  out.fingerprint = reader.u64();
  TRY_ASSIGN(out.report, read_report(reader));
  const std::string_view values = reader.sized();
  if (!reader.at_end() || values.size() % sizeof(float) != 0 ||
      (kind != static_cast<uint8_t>(ExchangeKind::kBroadcast) &&
       kind != static_cast<uint8_t>(ExchangeKind::kAverage))) {
    return fail(Code::kInvalidArgument, "exchange: a message is malformed");
  }
  out.kind = static_cast<ExchangeKind>(kind);
  out.values.resize(values.size() / sizeof(float));
  if (!values.empty()) std::memcpy(out.values.data(), values.data(), values.size());
  return out;
}

std::string encode_answer(const std::vector<std::vector<double>>& reports,
                          std::span<const float> values) {
  std::string out;
  out.reserve(values.size_bytes() + 4096);
  ByteWriter writer(out);
  writer.u8(kVersion);
  writer.varint(reports.size());
  for (const std::vector<double>& report : reports) write_report(writer, report);
  writer.sized(bytes_of(values));
  seal(out);
  return out;
}

Result<ExchangeAnswer> decode_answer(std::string_view bytes) {
  TRY_ASSIGN(const std::string_view body, unseal(bytes));
  ByteReader reader(body);
  ExchangeAnswer out;
  const uint64_t reports = reader.varint();
  if (reports > kMaxReports) return fail(Code::kInvalidArgument, "exchange: too many reports");
  for (uint64_t i = 0; i < reports; ++i) {
    TRY_ASSIGN(auto report, read_report(reader));
    out.reports.push_back(std::move(report));
  }
  out.values = reader.sized();
  if (!reader.at_end()) return fail(Code::kInvalidArgument, "exchange: a message is malformed");
  return out;
}

}  // namespace binnacle::engine
