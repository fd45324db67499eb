#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <memory>

#include "app/alert_commands.h"
#include "app/alert_config_commands.h"

namespace binnacle::app {
namespace {

// CLI11 keeps pointers into the command until the parse is over: hence shared with the callback.
using AlertCommandPtr = std::shared_ptr<AlertCommand>;

struct Added {
  CLI::App* sub;
  AlertCommandPtr command;
};

Added add(CLI::App* group, const char* name, const char* meaning, AlertAction action,
          int& exit_code) {
  const auto command = std::make_shared<AlertCommand>();
  command->action = action;
  CLI::App* sub = group->add_subcommand(name, meaning);
  sub->add_option("--server", command->server, "The server to ask")->capture_default_str();
  sub->add_option("--key", command->key, "A viewer's key; an operator's for what changes something")
      ->envname("BINNACLE_KEY");
  sub->add_option_function<std::string>(
         "--format", [command](const std::string& format) { command->json = format == "json"; },
         "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  sub->callback([command, &exit_code] {
    exit_code = run_alert_command(*command, real_file_system(), SystemClock(), std::cin, std::cout,
                                  std::cerr);
  });
  return {sub, command};
}

void add_what(const Added& added, const char* name, const char* meaning, bool required) {
  added.sub->add_option(name, added.command->what, meaning)->required(required);
}

void add_seeing(CLI::App* group, int& exit_code) {
  const Added list =
      add(group, "list", "Alerts, what nobody looks after first", AlertAction::kList, exit_code);
  add_what(list, "MATCHER", "Only alerts that fit, as severity=critical or job=~\"api.*\"", false);
  list.sub->add_option("--receiver", list.command->receiver,
                       "Only of receivers that fit this regex");
  list.sub->add_flag("--firing", list.command->firing_only,
                     "Without what is silenced, inhibited or muted");
  const Added show =
      add(group, "show", "An alert in full, with its history", AlertAction::kShow, exit_code);
  add_what(show, "ID", "The alert's id or its beginning, or matchers", true);
  const Added history =
      add(group, "history", "What happened, newest first", AlertAction::kHistory, exit_code);
  add_what(history, "MATCHER", "Only of alerts that fit", false);
  history.sub->add_option("--kind", history.command->kind,
                          "Only this kind: firing, resolved, notified, failed, silenced, ...");
  history.sub->add_option("--receiver", history.command->receiver, "Only of this receiver");
  history.sub->add_option("--since", history.command->length, "Only the last so long, as 24h");
  history.sub->add_option("--from", history.command->start, "From this time");
  history.sub->add_option("--to", history.command->end, "Up to this time");
  history.sub->add_option("--limit", history.command->limit, "At most so many lines")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
}

void add_acknowledging(CLI::App* group, int& exit_code) {
  const Added ack = add(group, "ack", "I am on it: no repeats and no escalation while it stands",
                        AlertAction::kAck, exit_code);
  add_what(ack, "ALERT", "Ids or their beginnings, or matchers that all hold", true);
  ack.sub->add_option("--note", ack.command->text, "What others should know");
  ack.sub->add_option("--for", ack.command->length, "Ends after so long (default: with the alert)");
  ack.sub->add_option("--by", ack.command->by, "Who (default: the name of the key)");
  const Added unack =
      add(group, "unack", "Take an acknowledgement back", AlertAction::kUnack, exit_code);
  add_what(unack, "ALERT", "Ids or their beginnings, or matchers that all hold", true);
}

void add_silences(CLI::App* group, int& exit_code) {
  CLI::App* silences = group->add_subcommand("silence", "Silences: who is not told of what");
  silences->require_subcommand(1);
  const Added made = add(silences, "add", "Silence what fits, and print the silence's id",
                         AlertAction::kSilenceAdd, exit_code);
  add_what(made, "MATCHER", "Matchers that all hold, or the id of one alert", true);
  made.sub->add_option("--comment", made.command->text, "Why")->required();
  made.sub->add_option("--author", made.command->by, "Who")->envname("USER")->required();
  made.command->length = "1h";
  made.sub->add_option("--duration", made.command->length, "For so long")->capture_default_str();
  made.sub->add_option("--start", made.command->start, "From this time (default: now)");
  made.sub->add_option("--end", made.command->end, "Up to this time, instead of --duration");
  const Added list =
      add(silences, "list", "Silences that hold or will", AlertAction::kSilenceList, exit_code);
  add_what(list, "MATCHER", "Only silences that have this matcher", false);
  list.sub->add_flag("--all", list.command->all, "Expired ones too");
  const Added expire =
      add(silences, "expire", "End silences now", AlertAction::kSilenceExpire, exit_code);
  add_what(expire, "ID", "Of the silences", true);
  const Added exported = add(silences, "export", "Write silences as JSON, for import or amtool",
                             AlertAction::kSilenceExport, exit_code);
  exported.sub->add_option("FILE", exported.command->file, "Where to (default: standard output)");
  exported.sub->add_flag("--all", exported.command->all, "Expired ones too");
  const Added imported = add(silences, "import", "Read silences that export or amtool wrote",
                             AlertAction::kSilenceImport, exit_code);
  imported.sub->add_option("FILE", imported.command->file, "Where from (default: standard input)");
}

void add_receivers(CLI::App* group, int& exit_code) {
  add(group, "receivers", "Who can be told, and by what", AlertAction::kReceivers, exit_code);
  const Added test = add(group, "test-receiver", "Send a test notification to a receiver",
                         AlertAction::kTestReceiver, exit_code);
  test.sub->add_option("RECEIVER", test.command->what, "Its name")->required()->expected(1);
}

}  // namespace

void add_alert_commands(CLI::App& root, int& exit_code) {
  CLI::App* group = root.add_subcommand("alert", "Alerts, silences and who is told");
  group->require_subcommand(1);
  group->footer("Exit codes: 0 done, 1 refused or failed, 2 nobody answered.");
  add_seeing(group, exit_code);
  add_acknowledging(group, exit_code);
  add_silences(group, exit_code);
  add_receivers(group, exit_code);
  add_alert_config_commands(*group, exit_code);
}

}  // namespace binnacle::app
