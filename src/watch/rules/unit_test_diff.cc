#include "watch/rules/unit_test_diff.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "model/labels.h"

namespace binnacle::watch::rules {
namespace {

std::string labels_text(const TextPairs& labels) {
  model::LabelsBuilder builder;
  for (const auto& [name, value] : labels) builder.set(name, value);
  return builder.build().to_string();
}

void whole_alert(char mark, const AlertText& alert, std::vector<std::string>& out) {
  out.push_back(fmt::format("{} {}", mark, labels_text(alert.labels)));
  for (const auto& [name, value] : alert.annotations)
    out.push_back(fmt::format("{}     {}: {}", mark, name, value));
}

// The pairs that one of two sorted lists lacks.
void changed_annotations(const AlertText& expected, const AlertText& got,
                         std::vector<std::string>& out) {
  out.push_back("  " + labels_text(expected.labels));
  const auto lacking = [&](char mark, const TextPairs& pairs, const TextPairs& others) {
    for (const auto& pair : pairs) {
      if (!std::ranges::binary_search(others, pair))
        out.push_back(fmt::format("{}     {}: {}", mark, pair.first, pair.second));
    }
  };
  lacking('-', expected.annotations, got.annotations);
  lacking('+', got.annotations, expected.annotations);
}

bool equal_values(double a, double b, bool fuzzy) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return a == b ||
         (fuzzy && (std::nextafter(a, -kInfinity) == b || std::nextafter(a, kInfinity) == b));
}

}  // namespace

std::vector<std::string> alert_diff(const std::vector<AlertText>& expected,
                                    const std::vector<AlertText>& got) {
  std::vector<std::string> out;
  if (expected == got) return out;
  size_t i = 0;
  size_t j = 0;
  while (i < expected.size() || j < got.size()) {
    if (j == got.size() || (i < expected.size() && expected[i].labels < got[j].labels)) {
      whole_alert('-', expected[i++], out);
    } else if (i == expected.size() || got[j].labels < expected[i].labels) {
      whole_alert('+', got[j++], out);
    } else if (expected[i] == got[j]) {
      whole_alert(' ', expected[i], out);
      ++i, ++j;
    } else {
      changed_annotations(expected[i++], got[j++], out);
    }
  }
  return out;
}

std::vector<std::string> sample_diff(std::vector<SampleExpectation> expected,
                                     std::vector<RuleSample> got, bool fuzzy) {
  // Any order will do that both have.
  const auto packed = [](const auto& sample) -> const std::string& {
    return sample.labels.packed();
  };
  std::ranges::stable_sort(expected, {}, packed);
  std::ranges::stable_sort(got, {}, packed);
  std::vector<std::string> out;
  bool differs = false;
  const auto tell = [&](char mark, const model::Labels& labels, double value) {
    differs |= mark != ' ';
    out.push_back(fmt::format("{} {} {}", mark, labels.to_string(), value));
  };
  size_t i = 0;
  size_t j = 0;
  while (i < expected.size() || j < got.size()) {
    if (j == got.size() || (i < expected.size() && packed(expected[i]) < packed(got[j]))) {
      tell('-', expected[i].labels, expected[i].value);
      ++i;
    } else if (i == expected.size() || packed(got[j]) < packed(expected[i])) {
      tell('+', got[j].labels, got[j].value);
      ++j;
    } else {
      const bool same = equal_values(expected[i].value, got[j].value, fuzzy);
      tell(same ? ' ' : '-', expected[i].labels, expected[i].value);
      if (!same) tell('+', got[j].labels, got[j].value);
      ++i, ++j;
    }
  }
  return differs ? out : std::vector<std::string>();
}

}  // namespace binnacle::watch::rules
