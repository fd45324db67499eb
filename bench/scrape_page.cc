#include "scrape_page.h"

#include <map>

#include "base/float_text.h"

namespace binnacle::bench {
namespace {

void append_series(std::string& out, const SeriesSpec& spec, double value) {
  char separator = '{';
  std::string labels;
  for (const auto& [name, text] : spec.labels) {
    if (name == "__name__") {
      out += text;
      continue;
    }
    labels += separator + name + "=\"" + text + '"';
    separator = ',';
  }
  if (!labels.empty()) out += labels + '}';
  out += ' ';
  append_float_text(out, value);
  out += '\n';
}

}  // namespace

std::string scrape_page(const ClusterData& data, size_t first, size_t count) {
  std::map<std::string, std::string> families;
  for (size_t i = first; i < first + count; ++i) {
    const SeriesSpec& spec = data.series(i);
    for (const auto& [name, text] : spec.labels) {
      if (name != "__name__") continue;
      std::string& family = families[text];
      if (family.empty())
        family = "# HELP " + text + " What " + text + " is about.\n# TYPE " + text + " untyped\n";
      append_series(family, spec, data.value(i));
    }
  }
  std::string page;
  for (const auto& [name, text] : families) page += text;
  return page;
}

}  // namespace binnacle::bench
