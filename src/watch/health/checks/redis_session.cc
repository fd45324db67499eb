#include "watch/health/checks/redis_session.h"

#include <hiredis/hiredis.h>

#include <array>
#include <charconv>

#include "net/http_config_yaml.h"
#include "net/oauth2_token.h"

namespace binnacle::watch::health {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr uint16_t kRedisPort = 6379;

struct FreeReader {
  void operator()(redisReader* reader) const { redisReaderFree(reader); }
};
struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

Error error_of(std::string_view text) {
  const std::string_view word = text.substr(0, text.find(' '));
  Code code = Code::kFailedPrecondition;
  if (word == "WRONGPASS" || word == "NOAUTH" || text.find("invalid password") != text.npos)
    code = Code::kUnauthenticated;
  if (word == "NOPERM") code = Code::kPermissionDenied;
  if (word == "LOADING" || word == "MASTERDOWN" || word == "BUSY") code = Code::kFailedPrecondition;
  return {code, "Redis says: " + std::string(text.substr(0, 200))};
}

// hiredis bounds the nesting.
RedisReply reply_of(const redisReply& raw) {
  RedisReply out;
  switch (raw.type) {
    case REDIS_REPLY_INTEGER:
      out.kind = RedisReply::Kind::kNumber;
      out.number = raw.integer;
      break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      out.kind = RedisReply::Kind::kText;
      out.text.assign(raw.str, static_cast<size_t>(raw.len));
      break;
    case REDIS_REPLY_ARRAY:
      out.kind = RedisReply::Kind::kList;
      for (size_t i = 0; i < raw.elements; ++i) out.items.push_back(reply_of(*raw.element[i]));
      break;
    default:
      break;
  }
  return out;
}

Result<std::string> request_of(const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* made = nullptr;
  const int size =
      redisFormatCommandArgv(&made, static_cast<int>(words.size()), texts.data(), sizes.data());
  if (size < 0) return fail(Code::kResourceExhausted, "Redis: no memory for the command");
  std::string out(made, static_cast<size_t>(size));
  redisFreeCommand(made);
  return out;
}

}  // namespace

RedisSettings read_redis_settings(YamlMap& map, const KindInput& input) {
  RedisSettings out;
  out.address = read_address(map, kRedisPort);
  map.read("username", out.username);
  map.read("password", out.password);
  map.file("password_file", out.password_file);
  map.read("database", out.database);
  map.read("tls", out.tls);
  if (const auto field = map.field("tls_config")) {
    out.tls = true;
    out.tls_options = net::read_tls_config(*field);
  }
  const net::TlsClientOptions& tls = out.tls_options;
  const bool files = !out.password_file.empty() || !tls.ca_file.empty() ||
                     !tls.certificate_file.empty() || !tls.key_file.empty();
  if (files && !input.trusted)
    map.value().problem("files are named in the configuration file alone: give the value itself");
  if (!out.password.empty() && !out.password_file.empty())
    map.value().problem("password and password_file are both given: keep one");
  if (out.database < 0) map.value().problem("database is below zero");
  return out;
}

struct RedisServer::Session::Reader {
  std::unique_ptr<redisReader, FreeReader> hiredis{redisReaderCreate()};
};

RedisServer::Session::Session(std::unique_ptr<net::Transport> transport, net::Deadline& deadline)
    : transport_(std::move(transport)), deadline_(deadline), reader_(std::make_unique<Reader>()) {
  deadline_.on_expiry([this] { transport_->close(); });
}

RedisServer::Session::~Session() { deadline_.on_expiry(nullptr); }

asio::awaitable<Result<RedisReply>> RedisServer::Session::command(std::vector<std::string> words) {
  const auto request = request_of(words);
  if (!request) co_return fail(request.error());
  auto [error, written] = co_await transport_->write(asio::buffer(*request), {});
  std::array<char, 16 * 1024> piece;
  size_t received = 0;
  while (!error) {
    void* raw = nullptr;
    if (redisReaderGetReply(reader_->hiredis.get(), &raw) != REDIS_OK) {
      co_return fail(Code::kDataLoss, "no Redis: " + std::string(reader_->hiredis->errstr));
    }
    if (raw != nullptr) {
      const std::unique_ptr<redisReply, FreeReply> reply(static_cast<redisReply*>(raw));
      if (reply->type == REDIS_REPLY_ERROR)
        co_return fail(error_of({reply->str, static_cast<size_t>(reply->len)}));
      co_return reply_of(*reply);
    }
    if (received > kMaxRedisReplyBytes)
      co_return fail(Code::kDataLoss, "no Redis: an answer of more than 1 MiB to " + words.front());
    const auto [failed, size] = co_await transport_->read_some(asio::buffer(piece));
    error = failed;
    received += size;
    redisReaderFeed(reader_->hiredis.get(), piece.data(), size);
  }
  if (deadline_.expired())
    co_return fail(Code::kDeadlineExceeded, "no answer to " + words.front() + " in time");
  co_return fail(Code::kUnavailable,
                 "connection lost at " + words.front() + ": " + error.message());
}

RedisServer::RedisServer(RedisSettings settings, FileSystem& files)
    : settings_(std::move(settings)), files_(files), tls_(files, settings_.tls_options) {}

asio::awaitable<Result<std::unique_ptr<RedisServer::Session>>> RedisServer::connect(
    milliseconds timeout, net::Deadline& deadline) {
  net::DialPlan plan;
  plan.connect_to = settings_.address;
  if (settings_.tls) {
    plan.tls = &tls_;
    const std::string& name = settings_.tls_options.server_name;
    plan.server_name = name.empty() ? settings_.address.host : name;
  }
  auto transport = co_await net::dial(plan, timeout, deadline);
  if (!transport) co_return fail(std::move(transport).error());
  auto session = std::make_unique<Session>(std::move(*transport), deadline);
  std::string password = settings_.password;
  if (!settings_.password_file.empty()) {
    auto read = net::read_secret_file(files_, settings_.password_file);
    if (!read) co_return fail(std::move(read).error());
    password = std::move(*read);
  }
  if (!password.empty()) {
    std::vector<std::string> words{"AUTH"};
    if (!settings_.username.empty()) words.push_back(settings_.username);
    words.push_back(password);
    const auto reply = co_await session->command(std::move(words));
    if (!reply) co_return fail(reply.error());
  }
  if (settings_.database > 0) {
    const auto reply = co_await session->command({"SELECT", std::to_string(settings_.database)});
    if (!reply) co_return fail(reply.error());
  }
  co_return session;
}

std::optional<std::string_view> info_field(std::string_view info, std::string_view name) {
  while (!info.empty()) {
    const size_t end = std::min(info.find('\n'), info.size());
    std::string_view line = info.substr(0, end);
    info.remove_prefix(std::min(end + 1, info.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':')
      return line.substr(name.size() + 1);
  }
  return std::nullopt;
}

std::optional<double> info_number(std::string_view info, std::string_view name) {
  const auto text = info_field(info, name);
  double value = 0;
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

}  // namespace binnacle::watch::health
