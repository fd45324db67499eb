// The kinds of values that Alertmanager's templates work with: lists with methods, pairs, and
// structs whose fields have a name in JSON too. Immutable.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/template.h"

namespace binnacle::watch::alerts {

using TemplateItems = std::vector<std::pair<TemplateValue, TemplateValue>>;

// A value that knows its own JSON.
class JsonObject : public TemplateObject {
 public:
  virtual Status append_json(std::string& out, int depth) const = 0;
};

// kInvalidArgument: NaN, an infinity, nested too deep.
Status append_template_json(std::string& out, const TemplateValue& value, int depth);

struct TemplateField {
  std::string name;
  std::string json_name;
  TemplateValue value;
};
TemplateValue make_template_struct(std::vector<TemplateField> fields);

// []string, with .Join.
TemplateValue make_template_strings(std::vector<std::string> texts);

// A list of structs with .Name and .Value, with .Names and .Values; prints "a=b, c=d".
using TextPair = std::pair<std::string, std::string>;
TemplateValue make_template_pairs(std::vector<TextPair> pairs);
std::string template_pairs_text(const std::vector<TextPair>& pairs);

// Alerts, each a struct, with .Firing and .Resolved.
TemplateValue make_template_alerts(TemplateValue::List firing, TemplateValue::List resolved,
                                   TemplateValue::List all);

}  // namespace binnacle::watch::alerts
