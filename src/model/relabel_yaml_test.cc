#include "model/relabel_yaml.h"

#include <gmock/gmock.h>

namespace binnacle::model {
namespace {

using testing::HasSubstr;

// What is wrong with a list of rules, "" for nothing.
std::string problem_of(std::string_view yaml) {
  YamlDocument document("r.yml", yaml);
  (void)read_relabel_rules(document.root());
  const Status status = document.status();
  return status ? "" : status.error().message;
}

TEST(RelabelYaml, ReadsRulesThatWork) {
  YamlDocument document("r.yml", R"(
- source_labels: [a, b]
  separator: "-"
  regex: (.*)-(.*)
  target_label: c
  replacement: $2$1
- {action: LabelDrop, regex: a}
- {action: hashmod, source_labels: [b], modulus: 1, target_label: shard}
)");
  const auto rules = read_relabel_rules(document.root());
  ASSERT_TRUE(document.status()) << document.status().error().message;
  ASSERT_EQ(rules.size(), 3U);
  EXPECT_EQ(relabel(rules, Labels{{"a", "1"}, {"b", "2"}}),
            (Labels{{"b", "2"}, {"c", "21"}, {"shard", "0"}}));
}

TEST(RelabelYaml, RefusesWhatPrometheusRefuses) {
  EXPECT_THAT(problem_of("- {action: foo}"),
              HasSubstr("r.yml:1: [0].action: unknown action (foo)"));
  EXPECT_THAT(problem_of("- {action: replace}"),
              HasSubstr("[0]: relabel rule: action replace needs"));
  EXPECT_THAT(problem_of("- {action: hashmod, target_label: x}"), HasSubstr("modulus"));
  EXPECT_THAT(problem_of("- {target_label: x, regex: '('}"), HasSubstr("regex"));
  EXPECT_THAT(problem_of("- {action: labeldrop, source_labels: [a]}"), HasSubstr("regex alone"));
  EXPECT_THAT(problem_of("- {action: keepequal, source_labels: [a], target_label: b, regex: c}"),
              HasSubstr("alone"));
  EXPECT_THAT(problem_of("- {action: lowercase, source_labels: [a], target_label: b, "
                         "replacement: c}"),
              HasSubstr("no replacement"));
  EXPECT_THAT(problem_of("- {target_lable: x}"), HasSubstr("did you mean target_label?"));
  EXPECT_THAT(problem_of("- ~"), HasSubstr("empty relabelling rule"));
  EXPECT_THAT(problem_of("- {source_labels: [''], target_label: x}"), HasSubstr("label name"));
}

}  // namespace
}  // namespace binnacle::model
