#include "engine/train/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/json_parse.h"

namespace binnacle::engine {
namespace {

using nlohmann::json;

constexpr std::string_view kMagic = "BNTRAIN1";
constexpr std::string_view kPrefix = "checkpoint-";
constexpr std::string_view kUnfinished = ".unfinished";
constexpr size_t kPieceBytes = size_t{1} << 20;

json ranges_json(const std::vector<ParameterRange>& ranges) {
  json out = json::array();
  for (const ParameterRange& range : ranges) out.push_back({range.name, range.shape, range.offset});
  return out;
}

std::string header_of(const CheckpointView& state) {
  const TrainProgress& p = state.progress;
  return json{{"step", p.step},
              {"updates", p.updates},
              {"tokens", p.tokens},
              {"corpus", p.corpus},
              {"settings", p.settings},
              {"productive_seconds", p.productive_seconds},
              {"elapsed_seconds", p.elapsed_seconds},
              {"wall_ms", p.wall_ms},
              {"clean", p.clean},
              {"skipped_in_a_row", p.skipped_in_a_row},
              {"losses", p.losses},
              {"norms", p.norms},
              {"floats", state.parameters.size()},
              {"tensors", ranges_json(*state.ranges)}}
      .dump();
}

// May throw what nlohmann throws.
TrainProgress progress_of(const json& header) {
  TrainProgress p;
  header.at("step").get_to(p.step);
  header.at("updates").get_to(p.updates);
  header.at("tokens").get_to(p.tokens);
  header.at("corpus").get_to(p.corpus);
  header.at("settings").get_to(p.settings);
  header.at("productive_seconds").get_to(p.productive_seconds);
  header.at("elapsed_seconds").get_to(p.elapsed_seconds);
  header.at("wall_ms").get_to(p.wall_ms);
  header.at("clean").get_to(p.clean);
  header.at("skipped_in_a_row").get_to(p.skipped_in_a_row);
  header.at("losses").get_to(p.losses);
  header.at("norms").get_to(p.norms);
  return p;
}

std::string_view bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

Status append_array(WritableFile& file, std::string_view bytes) {
  uint32_t crc = 0;
  for (size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    const std::string_view piece = bytes.substr(at, kPieceBytes);
    crc = crc32c(piece, crc);
    TRY(file.append(piece));
  }
  std::string tail;
  ByteWriter(tail).u32(crc);
  return file.append(tail);
}

Status torn(const std::string& what) { return fail(Code::kDataLoss, what); }

Status read_array(ByteReader& reader, std::span<float> out, const char* name) {
  const std::string_view bytes = reader.raw(out.size_bytes());
  const uint32_t crc = reader.u32();
  if (!reader.ok()) return torn(fmt::format("{} is cut short", name));
  if (crc32c(bytes) != crc) return torn(fmt::format("the checksum of {} is wrong", name));
  if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  return {};
}

Status read_header(ByteReader& reader, CheckpointView& state) {
  if (reader.raw(kMagic.size()) != kMagic) return torn("it is no checkpoint of this version");
  const std::string_view text = reader.raw(reader.u32());
  const uint32_t crc = reader.u32();
  if (!reader.ok()) return torn("the header is cut short");
  if (crc32c(text) != crc) return torn("the checksum of the header is wrong");
  try {
    const json header = parse_json(text);
    if (header.at("tensors") != ranges_json(*state.ranges) ||
        header.at("floats") != state.parameters.size()) {
      return fail(Code::kFailedPrecondition,
                  "it is of a model of another shape. Give the shape that it was begun with, or "
                  "another --out");
    }
    state.progress = progress_of(header);
  } catch (const json::exception& e) {
    return torn(std::string("the header is not as it should be: ") + e.what());
  }
  return {};
}

}  // namespace

Result<CheckpointFolder> CheckpointFolder::open(FileSystem& files, const std::string& folder) {
  CheckpointFolder out;
  out.files_ = &files;
  out.folder_ = folder;
  TRY(files.create_directories(folder));
  TRY_ASSIGN(out.lock_, files.lock(folder + "/lock"));
  return out;
}

Result<std::vector<std::string>> CheckpointFolder::names() {
  TRY_ASSIGN(const auto entries, files_->list(folder_));
  std::vector<std::string> out;
  for (const DirEntry& entry : entries) {
    if (entry.name.starts_with(kPrefix) && !entry.name.ends_with(kUnfinished)) {
      out.push_back(entry.name);
    }
  }
  return out;
}

Status CheckpointFolder::write(const CheckpointView& state, int64_t kept) {
  // Twelve digits, so that the order of names is that of steps.
  const std::string path = fmt::format("{}/{}{:012}", folder_, kPrefix, state.progress.step);
  const std::string aside = path + std::string(kUnfinished);
  auto written = write_file(aside, state);
  if (written) written = files_->rename(aside, path);
  if (written) written = files_->sync_dir(folder_);
  if (!written) {
    if (files_->exists(aside)) (void)files_->remove(aside);
    return fail(std::move(written).error().with_context("write checkpoint " + path));
  }
  TRY_ASSIGN(const auto all, names());
  for (size_t i = 0; i + static_cast<size_t>(kept) < all.size(); ++i) {
    TRY(files_->remove(folder_ + "/" + all[i]));
  }
  return {};
}

Status CheckpointFolder::write_file(const std::string& path, const CheckpointView& state) {
  TRY_ASSIGN(const auto file, files_->open_writable(path, FileSystem::Create::kTruncate));
  const std::string header = header_of(state);
  std::string head(kMagic);
  ByteWriter writer(head);
  writer.u32(static_cast<uint32_t>(header.size()));
  writer.raw(header);
  writer.u32(crc32c(header));
  TRY(file->append(head));
  for (const auto values : {state.parameters, state.first, state.second}) {
    TRY(append_array(*file, bytes_of(values)));
  }
  TRY(file->sync());
  return file->close();
}

Result<std::optional<CheckpointFolder::Loaded>> CheckpointFolder::load(CheckpointView& state) {
  TRY_ASSIGN(const auto all, names());
  if (all.empty()) return std::nullopt;
  Loaded loaded;
  for (auto name = all.rbegin(); name != all.rend(); ++name) {
    const std::string path = folder_ + "/" + *name;
    auto status = read_file(path, state);
    if (status) {
      loaded.path = path;
      return loaded;
    }
    Error error = std::move(status).error().with_context("read checkpoint " + path);
    if (error.code == Code::kFailedPrecondition) return fail(std::move(error));
    loaded.broken.push_back(std::move(error.message));
  }
  return fail(Code::kDataLoss,
              fmt::format("{}. None of {} checkpoints is whole: start with another "
                          "--out, or put a good copy there",
                          loaded.broken.front(), all.size()));
}

Status CheckpointFolder::read_file(const std::string& path, CheckpointView& state) {
  TRY_ASSIGN(const auto file, files_->map(path));
  ByteReader reader(file->bytes());
  TRY(read_header(reader, state));
  TRY(read_array(reader, state.parameters, "the parameters"));
  TRY(read_array(reader, state.first, "the first moments"));
  TRY(read_array(reader, state.second, "the second moments"));
  return reader.at_end() ? Status() : torn("something follows its end");
}

}  // namespace binnacle::engine
