#include "app/key_commands.h"

#include "app/key_desk.h"
#include "base/clock.h"
#include "base/config_units.h"
#include "base/data_folder.h"
#include "base/time_text.h"
#include "base/trailing_slash.h"

#include <fmt/format.h>
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <memory>
#include <utility>

namespace binnacle::app {
namespace {

using nlohmann::json;

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : "-";
}

bool has_passed(const json& time, int64_t now_ms) {
  if (!time.is_string()) return false;
  const Result<int64_t> ms = parse_rfc3339_ms(time.get<std::string>());
  return ms && *ms <= now_ms;
}

std::string state_of(const json& key, int64_t now_ms) {
  if (key.value("revoked", json()).is_string()) return "revoked";
  return has_passed(key.value("expires", json()), now_ms) ? "expired" : "good";
}

json good_keys(const json& keys, int64_t now_ms) {
  json good = json::array();
  for (const json& key : keys) {
    if (state_of(key, now_ms) == "good") good.push_back(key);
  }
  return good;
}

void print_table(const json& keys, int64_t now_ms, std::ostream& out) {
  constexpr std::string_view kRow = "{:<10}{:<24}{:<11}{:<26}{:<26}{}\n";
  out << fmt::format(kRow, "ID", "NAME", "ROLE", "EXPIRES", "LAST USED", "STATE");
  for (const json& key : keys) {
    out << fmt::format(kRow, text_of(key["id"]), text_of(key["name"]), text_of(key["role"]),
                       text_of(key["expires"]), text_of(key["last_used"]), state_of(key, now_ms));
  }
}

Status print_keys(const KeyCommand& command, KeyDesk& desk, std::ostream& out) {
  TRY_ASSIGN(const json answer, desk.list());
  const int64_t now_ms = SystemClock().wall_ms();
  const json all = answer.value("keys", json::array());
  const json keys = command.all ? all : good_keys(all, now_ms);
  if (command.json) {
    out << json{{"keys", keys}}.dump(2) << '\n';
  } else {
    print_table(keys, now_ms, out);
  }
  return {};
}

// `field` holds the secret.
void print_secret(const KeyCommand& command, const json& answer, const char* field,
                  std::ostream& out) {
  out << (command.json ? answer.dump(2) : text_of(answer.value(field, json()))) << '\n';
}

Status create(const KeyCommand& command, KeyDesk& desk, std::ostream& out) {
  json wanted{{"name", command.name}, {"role", command.role}};
  if (command.lifetime_ms > 0) wanted["expires_in_seconds"] = command.lifetime_ms / 1000;
  TRY_ASSIGN(const json answer, desk.create(wanted));
  print_secret(command, answer, "key", out);
  return {};
}

Status revoke(const KeyCommand& command, KeyDesk& desk, std::ostream& out) {
  TRY(desk.revoke(command.id));
  out << (command.json ? json{{"id", command.id}, {"revoked", true}}.dump(2)
                       : fmt::format("key {} is revoked", command.id))
      << '\n';
  return {};
}

Status login_link(const KeyCommand& command, FileSystem& files, const std::string& data_folder,
                  std::ostream& out) {
  TRY_ASSIGN(const std::string token, make_login_token(files, data_folder, command.lifetime_ms));
  const std::string url = without_trailing_slash(command.link_base) + "/login/" + token;
  out << (command.json ? json{{"url", url}}.dump(2) : url) << '\n';
  return {};
}

Status run_at_desk(const KeyCommand& command, KeyDesk& desk, std::ostream& out) {
  switch (command.action) {
    case KeyAction::kCreate:
      return create(command, desk, out);
    case KeyAction::kList:
      return print_keys(command, desk, out);
    case KeyAction::kRevoke:
      return revoke(command, desk, out);
    case KeyAction::kRotate: {
      TRY_ASSIGN(const json answer, desk.rotate(command.id, command.overlap_ms / 1000));
      print_secret(command, answer, "key", out);
      return {};
    }
    case KeyAction::kJoinToken: {
      TRY_ASSIGN(const json answer, desk.join_token(command.lifetime_ms / 1000));
      print_secret(command, answer, "token", out);
      return {};
    }
    case KeyAction::kLoginLink:
      break;  // needs no desk: see run()
  }
  return fail(Code::kInternal, "key command: no such action");
}

Status run(const KeyCommand& command, FileSystem& files, std::ostream& out) {
  const std::string folder =
      command.data_folder.empty() ? default_data_folder() : command.data_folder;
  if (command.action == KeyAction::kLoginLink) return login_link(command, files, folder, out);
  std::unique_ptr<KeyDesk> desk;
  if (!command.server.empty()) {
    desk = open_remote_key_desk(files, command.server, command.key);
  } else {
    TRY_ASSIGN(desk, open_local_key_desk(files, folder));
  }
  return run_at_desk(command, *desk, out);
}

// A duration of whole seconds, as "90d" or "12h", checked while the line is parsed.
CLI::Option* add_duration(CLI::App* command, const std::string& name, int64_t& target_ms,
                          const std::string& meaning) {
  return command->add_option_function<std::string>(
      name,
      [name, &target_ms](const std::string& text) {
        const Result<int64_t> ms = parse_duration_ms(text);
        if (!ms) throw CLI::ValidationError(name, ms.error().message);
        if (*ms < 1000 && *ms != 0) throw CLI::ValidationError(name, "at least a second, as in 1s");
        target_ms = *ms;
      },
      meaning);
}

// CLI11 keeps pointers into the command until the parse is over: hence shared with the callback.
using KeyCommandPtr = std::shared_ptr<KeyCommand>;

CLI::App* add_command(CLI::App* group, const std::string& name, const std::string& meaning,
                      const KeyCommandPtr& command, int& exit_code) {
  CLI::App* added = group->add_subcommand(name, meaning);
  added->add_option("--data", command->data_folder, "The server's data folder");
  added
      ->add_option_function<std::string>(
          "--format", [command](const std::string& format) { command->json = format == "json"; },
          "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  added->callback([command, &exit_code] {
    exit_code = run_key_command(*command, real_file_system(), std::cout, std::cerr);
  });
  return added;
}

CLI::App* add_desk_command(CLI::App* group, const std::string& name, const std::string& meaning,
                           const KeyCommandPtr& command, int& exit_code) {
  CLI::App* added = add_command(group, name, meaning, command, exit_code);
  added->add_option("--server", command->server,
                    "Ask this server (http://host:port) instead of opening the data folder");
  added->add_option("--key", command->key, "Admin key for --server")->envname("BINNACLE_KEY");
  return added;
}

KeyCommandPtr command_of(KeyAction action, int64_t lifetime_ms = 0) {
  auto command = std::make_shared<KeyCommand>();
  command->action = action;
  command->lifetime_ms = lifetime_ms;
  return command;
}

void add_changes_of_one_key(CLI::App* group, int& exit_code) {
  const KeyCommandPtr revoke = command_of(KeyAction::kRevoke);
  add_desk_command(group, "revoke", "Make a key worthless, at once and for good", revoke, exit_code)
      ->add_option("ID", revoke->id, "The key's id, as `key list` shows it")
      ->required();
  const KeyCommandPtr rotate = command_of(KeyAction::kRotate);
  CLI::App* added =
      add_desk_command(group, "rotate", "Give a key a new secret and print it", rotate, exit_code);
  added->add_option("ID", rotate->id, "The key's id, as `key list` shows it")->required();
  add_duration(added, "--overlap", rotate->overlap_ms,
               "How long the old secret stays good (default: not at all)");
}

void add_tokens(CLI::App* group, int& exit_code) {
  const KeyCommandPtr join = command_of(KeyAction::kJoinToken, int64_t{24} * 3600 * 1000);
  add_duration(add_desk_command(group, "join-token",
                                "Print a one-use token with which an agent gets its own key", join,
                                exit_code),
               "--expires", join->lifetime_ms, "Good for so long (default: 24h)");
  const KeyCommandPtr link = command_of(KeyAction::kLoginLink, int64_t{15} * 60 * 1000);
  CLI::App* added =
      add_command(group, "login-link",
                  "Print a one-use address that logs a browser in with the newest admin key; works "
                  "beside a running server",
                  link, exit_code);
  added->add_option("--url", link->link_base, "The server's address, http://host:port")->required();
  add_duration(added, "--expires", link->lifetime_ms, "Good for so long (default: 15m)");
}

}  // namespace

int run_key_command(const KeyCommand& command, FileSystem& files, std::ostream& out,
                    std::ostream& err) {
  const Status status = run(command, files, out);
  if (status) return 0;
  err << "binnacle key: " << status.error().message << '\n';
  return 1;
}

void add_key_commands(CLI::App& root, int& exit_code) {
  CLI::App* group = root.add_subcommand("key", "Keys of users, programs and agents");
  group->require_subcommand(1);
  const KeyCommandPtr create = command_of(KeyAction::kCreate);
  CLI::App* added =
      add_desk_command(group, "create", "Make a key and print it, this once", create, exit_code);
  added->add_option("--name", create->name, "Who or what uses it")->required();
  added->add_option("--role", create->role, "admin, operator, viewer, ingest, agent or inference")
      ->required()
      ->check(CLI::IsMember({"admin", "operator", "viewer", "ingest", "agent", "inference"}));
  add_duration(added, "--expires", create->lifetime_ms,
               "Good for so long, as 90d (default: for ever)");
  const KeyCommandPtr list = command_of(KeyAction::kList);
  add_desk_command(group, "list", "Show the keys, never their secrets", list, exit_code)
      ->add_flag("--all", list->all, "Revoked and expired ones too");
  add_changes_of_one_key(group, exit_code);
  add_tokens(group, exit_code);
}

}  // namespace binnacle::app
