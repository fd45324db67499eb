#include "store/state/objects.h"

#include <fmt/format.h>

#include <algorithm>

namespace binnacle::store::state {
namespace {

Object api_object(const std::string& kind, const Statement& row) {
  return {.kind = kind,
          .name = row.text(0),
          .origin = ObjectOrigin::kApi,
          .file = {},
          .data = row.text(1),
          .updated_ms = row.integer(2)};
}

Status owned_by_file(std::string_view verb, const Object& owner) {
  return fail(Code::kFailedPrecondition,
              fmt::format("{} {} \"{}\": it belongs to {}; change it there and reload", verb,
                          owner.kind, owner.name, owner.file));
}

}  // namespace

std::string_view object_origin_name(ObjectOrigin origin) {
  return origin == ObjectOrigin::kFile ? "file" : "api";
}

Status ObjectStore::put_api(const std::string& kind, const std::string& name,
                            const std::string& data) {
  if (kind.empty() || name.empty()) {
    return fail(Code::kInvalidArgument, "store object: kind and name must not be empty");
  }
  MutexLock changing(change_mu_);
  if (const auto owner = find_in_files(kind, name)) return owned_by_file("store", *owner);
  const int64_t now_ms = clock_.wall_ms();
  return store_.write([&](Database& database) {
    return database.run(
        "INSERT INTO objects(kind, name, data, updated_ms) VALUES (?, ?, ?, ?)"
        " ON CONFLICT(kind, name) DO UPDATE SET data = excluded.data,"
        " updated_ms = excluded.updated_ms",
        kind, name, data, now_ms);
  });
}

Status ObjectStore::remove_api(const std::string& kind, const std::string& name) {
  MutexLock changing(change_mu_);
  if (const auto owner = find_in_files(kind, name)) return owned_by_file("remove", *owner);
  return store_.write([&](Database& database) -> Status {
    TRY(database.run("DELETE FROM objects WHERE kind = ? AND name = ?", kind, name));
    if (database.changes() > 0) return {};
    return fail(Code::kNotFound, fmt::format("remove {} \"{}\": there is none", kind, name));
  });
}

Status ObjectStore::check_files(const std::vector<Object>& objects) {
  MutexLock changing(change_mu_);
  if (auto files = checked(objects); !files) return fail(std::move(files).error());
  return {};
}

Status ObjectStore::set_files(std::vector<Object> objects) {
  MutexLock changing(change_mu_);
  TRY_ASSIGN(FileObjects files, checked(std::move(objects)));
  MutexLock lock(mu_);
  files_ = std::move(files);
  return {};
}

Result<ObjectStore::FileObjects> ObjectStore::checked(std::vector<Object> objects) {
  FileObjects files;
  for (Object& object : objects) {
    object.origin = ObjectOrigin::kFile;
    TRY_ASSIGN(const std::optional<Object> made, find_in_api(object.kind, object.name));
    if (made) {
      return fail(
          Code::kAlreadyExists,
          fmt::format("{} \"{}\" in {} clashes with the one made over the API ({}); rename "
                      "one, or delete the API's",
                      object.kind, object.name, object.file, format_rfc3339(made->updated_ms)));
    }
    Key key{object.kind, object.name};
    if (const auto it = files.find(key); it != files.end()) {
      return fail(Code::kAlreadyExists,
                  fmt::format("{} \"{}\" in {} clashes with the one in {}; rename one", object.kind,
                              object.name, object.file, it->second.file));
    }
    files.emplace(std::move(key), std::move(object));
  }
  return files;
}

Result<std::vector<Object>> ObjectStore::list(const std::string& kind) {
  std::vector<Object> objects;
  TRY(store_.read([&](Database& database) -> Status {
    TRY_ASSIGN(Statement rows,
               database.query("SELECT name, data, updated_ms FROM objects WHERE kind = ?", kind));
    for (;;) {
      TRY_ASSIGN(const bool row, rows.step());
      if (!row) return {};
      objects.push_back(api_object(kind, rows));
    }
  }));
  {
    MutexLock lock(mu_);
    for (auto it = files_.lower_bound({kind, ""}); it != files_.end() && it->first.first == kind;
         ++it) {
      objects.push_back(it->second);
    }
  }
  std::sort(objects.begin(), objects.end(),
            [](const Object& a, const Object& b) { return a.name < b.name; });
  return objects;
}

Result<std::optional<Object>> ObjectStore::find(const std::string& kind, const std::string& name) {
  if (auto object = find_in_files(kind, name)) return object;
  return find_in_api(kind, name);
}

std::optional<Object> ObjectStore::find_in_files(const std::string& kind, const std::string& name) {
  MutexLock lock(mu_);
  const auto it = files_.find({kind, name});
  if (it == files_.end()) return std::nullopt;
  return it->second;
}

Result<std::optional<Object>> ObjectStore::find_in_api(const std::string& kind,
                                                       const std::string& name) {
  std::optional<Object> found;
  TRY(store_.read([&](Database& database) -> Status {
    TRY_ASSIGN(Statement rows, database.query("SELECT name, data, updated_ms FROM objects"
                                              " WHERE kind = ? AND name = ?",
                                              kind, name));
    TRY_ASSIGN(const bool row, rows.step());
    if (row) found = api_object(kind, rows);
    return {};
  }));
  return found;
}

}  // namespace binnacle::store::state
