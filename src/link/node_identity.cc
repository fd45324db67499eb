#include "link/node_identity.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include <fmt/format.h>

#include "base/data_folder.h"
#include "base/json_parse.h"
#include "base/random.h"
#include "link/frame.h"

namespace binnacle::link {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kTimeout{3'000};
constexpr size_t kMaxAnswerBytes = 64 * 1024;
constexpr size_t kMaxFileBytes = 4096;

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.pop_back();
  return text;
}

bool is_node_id(std::string_view text) {
  return text.size() == link::kNodeIdDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<std::string> read_or_make_id(FileSystem& files, const std::string& path) {
  if (!files.exists(path)) {
    const std::string id = secure_random_hex(link::kNodeIdDigits / 2);
    TRY(files.write_file_atomically(path, id + "\n"));
    return id;
  }
  TRY_ASSIGN(std::string id, files.read_file(path, kMaxFileBytes));
  id = trimmed(std::move(id));
  if (is_node_id(id)) return id;
  return fail(Code::kDataLoss,
              fmt::format("node id: {} does not hold {} lower-case hex digits; remove it, and the "
                          "node joins as a new one",
                          path, link::kNodeIdDigits));
}

// The server's own words where it sent them.
std::string words_of(const net::Response& response) {
  const json body = parse_json(response.body);
  const auto told = body.is_object() ? body.find("error") : body.end();
  if (body.is_object() && told != body.end() && told->is_string()) return told->get<std::string>();
  return fmt::format("answered {} {}", response.status, net::status_reason(response.status));
}

}  // namespace

Result<NodeIdentity> NodeIdentity::open(const std::string& folder, FileSystem& files) {
  TRY(prepare_data_folder(files, folder));
  NodeIdentity identity;
  identity.files_ = &files;
  identity.folder_ = folder;
  auto lock = files.lock(folder + "/lock");
  if (!lock) {
    return fail(lock.error().code,
                fmt::format("data folder {}: {}; another agent runs on it: give this one its own "
                            "with --data DIR",
                            folder, lock.error().message));
  }
  identity.lock_ = std::move(*lock);
  TRY_ASSIGN(identity.node_id_, read_or_make_id(files, folder + "/node_id"));
  if (files.exists(folder + "/agent_key")) {
    TRY_ASSIGN(std::string key, files.read_file(folder + "/agent_key", kMaxFileBytes));
    identity.key_ = trimmed(std::move(key));
  }
  return identity;
}

Status NodeIdentity::keep_key(const std::string& key) {
  constexpr uint32_t kOwnerOnly = 0600;
  TRY(files_->write_file_atomically(folder_ + "/agent_key", key + "\n", kOwnerOnly));
  key_ = key;
  return {};
}

Result<bool> key_is_accepted(net::Client& client, net::IoThreads& io, const std::string& server_url,
                             const std::string& key) {
  net::ClientRequest request;
  request.url = server_url + "/api/binnacle/v1/whoami";
  request.headers.set("Authorization", "Bearer " + key);
  request.timeout = kTimeout;
  request.max_body_bytes = kMaxAnswerBytes;
  TRY_ASSIGN(const net::Response response, client.send_blocking(io, std::move(request)));
  if (response.status == 401) return false;
  if (response.status != 200) return fail(Code::kUnavailable, words_of(response));
  return true;
}

Result<std::string> redeem_join_token(net::Client& client, net::IoThreads& io,
                                      const std::string& server_url, const std::string& token,
                                      const std::string& name) {
  net::ClientRequest request;
  request.method = net::Method::kPost;
  request.url = server_url + "/api/binnacle/v1/join";
  request.headers.set("Content-Type", "application/json");
  request.body =
      json{{"token", token}, {"name", name}}.dump(-1, ' ', false, json::error_handler_t::replace);
  request.timeout = kTimeout;
  request.max_body_bytes = kMaxAnswerBytes;
  auto response = client.send_blocking(io, std::move(request));
  if (!response) {
    // Whatever the network did: the server may come back.
    return fail(Code::kUnavailable, response.error().message);
  }
  if (response->status == 201) {
    const json body = parse_json(response->body);
    const auto key = body.is_object() ? body.find("key") : body.end();
    if (body.is_object() && key != body.end() && key->is_string()) return key->get<std::string>();
    return fail(Code::kInternal,
                server_url + ": the answer holds no key; is it a Binnacle server?");
  }
  const bool later = response->status == 429 || response->status >= 500;
  return fail(later ? Code::kUnavailable : Code::kPermissionDenied,
              fmt::format("{}: {}", server_url, words_of(*response)));
}

}  // namespace binnacle::link
