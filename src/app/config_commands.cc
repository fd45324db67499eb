#include "app/config_commands.h"

#include "app/config_keys.h"
#include "app/prometheus_file.h"
#include "app/rules_part.h"
#include "base/config.h"
#include "base/config_docs.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <iostream>
#include <memory>
#include <ostream>

namespace binnacle::app {
namespace {

int refuse(const ConfigProblems& problems, std::ostream& err) {
  for (const std::string& line : problems.lines()) err << line << '\n';
  return 1;
}

}  // namespace

int run_config_check(const std::string& file, const ConfigSources& sources, std::ostream& out,
                     std::ostream& err) {
  const auto config = Config::load(config_schema(), file, sources);
  if (!config) return refuse(config.error(), err);
  out << file << ": good\n";
  return 0;
}

int run_prometheus_check(const std::string& file, std::ostream& out, std::ostream& err) {
  const auto read = load_prometheus_file(real_file_system(), file, process_environment());
  if (!read) {
    err << read.error().message << '\n';
    return 1;
  }
  for (const std::string& warning : read->warnings) err << "warning: " << warning << '\n';
  if (const auto groups = prometheus_groups(*read, real_file_system()); !groups) {
    err << groups.error().message << '\n';
    return 1;
  }
  out << file << ": good\n";
  return 0;
}

int run_config_print(const ConfigPrintOptions& options, const ConfigSources& sources,
                     std::ostream& out, std::ostream& err) {
  const auto config = Config::load(config_schema(), options.file, sources);
  if (!config) return refuse(config.error(), err);
  out << (options.json ? config->print_json(true) + "\n" : config->print(true));
  return 0;
}

std::string config_docs() { return config_markdown(config_schema(), config_docs_intro()); }

void add_config_commands(CLI::App& root, int& exit_code) {
  CLI::App* config = root.add_subcommand("config", "Check, show and document binnacle.yaml");
  config->require_subcommand(1);

  CLI::App* check = config->add_subcommand(
      "check", "Name everything that is wrong with a file; exit 0 when nothing is, else 1");
  const auto file = std::make_shared<std::string>();
  check->add_option("FILE", *file, "The file to check")->required();
  const auto prometheus = std::make_shared<bool>(false);
  check->add_flag("--prometheus", *prometheus,
                  "FILE is a prometheus.yml; what has no effect here is named as a warning");
  check->callback([file, prometheus, &exit_code] {
    exit_code = *prometheus
                    ? run_prometheus_check(*file, std::cout, std::cerr)
                    : run_config_check(*file, process_config_sources(), std::cout, std::cerr);
  });

  CLI::App* print = config->add_subcommand("print", "Show the values that hold, secrets masked");
  const auto options = std::make_shared<ConfigPrintOptions>();
  const auto format = std::make_shared<std::string>("text");
  print->add_option("--config", options->file, "The file; without it, the defaults");
  print->add_option("--format", *format, "text (YAML) or json")
      ->check(CLI::IsMember({"text", "json"}));
  print->callback([options, format, &exit_code] {
    options->json = *format == "json";
    exit_code = run_config_print(*options, process_config_sources(), std::cout, std::cerr);
  });

  CLI::App* docs = config->add_subcommand("docs", "Print docs/configuration.md");
  docs->callback([&exit_code] {
    std::cout << config_docs();
    exit_code = 0;
  });
}

}  // namespace binnacle::app
