#include "watch/alerts/template_objects.h"

#include <fmt/format.h>

#include <cmath>

#include "base/float_text.h"
#include "base/json_text.h"
#include "base/template_format.h"
#include "base/template_time.h"

namespace binnacle::watch::alerts {
namespace {

using Args = std::span<const TemplateValue>;
using List = TemplateValue::List;
using Map = TemplateValue::Map;

constexpr int kMaxJsonDepth = 50;

TemplateValue object(std::shared_ptr<const TemplateObject> value) {
  return TemplateValue(std::move(value));
}

Unexpected no_field(std::string_view field) {
  return fail(Code::kNotFound, fmt::format("there is no field or method {}", field));
}

class Struct final : public JsonObject {
 public:
  explicit Struct(std::vector<TemplateField> fields) : fields_(std::move(fields)) {}

  Result<TemplateValue> get(std::string_view name, Args args) const override {
    if (!args.empty())
      return fail(Code::kInvalidArgument,
                  fmt::format("{} is no method, it takes no argument", name));
    for (const TemplateField& field : fields_) {
      if (field.name == name) return field.value;
    }
    return no_field(name);
  }
  std::string text() const override {
    std::string out = "{";
    for (const TemplateField& field : fields_) {
      if (out.size() > 1) out += ' ';
      out += template_value_text(field.value);
    }
    return out + '}';
  }
  Status append_json(std::string& out, int depth) const override {
    out += '{';
    for (const TemplateField& field : fields_) {
      if (out.back() != '{') out += ',';
      append_json_string(out, field.json_name);
      out += ':';
      TRY(append_template_json(out, field.value, depth + 1));
    }
    out += '}';
    return {};
  }

 private:
  std::vector<TemplateField> fields_;
};

// What all lists with methods share.
class Sequence : public JsonObject {
 public:
  explicit Sequence(List list) : list_(std::move(list)) {}

  std::string text() const override { return TemplateValue(list_).text(); }
  bool truth() const override { return !list_.empty(); }
  Result<TemplateValue> index(const TemplateValue& key) const override {
    const auto* at = std::get_if<int64_t>(&key.data());
    if (!at || *at < 0 || static_cast<uint64_t>(*at) >= list_.size())
      return fail(Code::kInvalidArgument,
                  fmt::format("index: {} is out of range", template_value_text(key)));
    return list_[static_cast<size_t>(*at)];
  }
  Result<TemplateItems> items() const override {
    TemplateItems out;
    for (const TemplateValue& item : list_)
      out.emplace_back(static_cast<int64_t>(out.size()), item);
    return out;
  }
  Status append_json(std::string& out, int depth) const override {
    return append_template_json(out, TemplateValue(list_), depth);
  }

 protected:
  const List& list() const { return list_; }

 private:
  List list_;
};

class Strings final : public Sequence {
 public:
  using Sequence::Sequence;
  Result<TemplateValue> get(std::string_view name, Args args) const override {
    const auto* separator = args.size() == 1 ? std::get_if<std::string>(&args[0].data()) : nullptr;
    if (name != "Join") return no_field(name);
    if (!separator) return fail(Code::kInvalidArgument, "Join: wants a separator");
    std::string out;
    for (const TemplateValue& item : list()) {
      if (&item != list().data()) out += *separator;
      out += item.text();
    }
    return TemplateValue(std::move(out));
  }
};

class Pairs final : public Sequence {
 public:
  Pairs(List list, std::vector<TextPair> pairs)
      : Sequence(std::move(list)), pairs_(std::move(pairs)) {}
  Result<TemplateValue> get(std::string_view name, Args args) const override {
    if (!args.empty() || (name != "Names" && name != "Values" && name != "String"))
      return no_field(name);
    if (name == "String") return TemplateValue(text());
    std::vector<std::string> out;
    for (const TextPair& pair : pairs_) out.push_back(name == "Names" ? pair.first : pair.second);
    return make_template_strings(std::move(out));
  }
  std::string text() const override { return template_pairs_text(pairs_); }

 private:
  std::vector<TextPair> pairs_;
};

class Alerts final : public Sequence {
 public:
  Alerts(List firing, List resolved, List all)
      : Sequence(std::move(all)), firing_(std::move(firing)), resolved_(std::move(resolved)) {}
  Result<TemplateValue> get(std::string_view name, Args args) const override {
    if (!args.empty()) return no_field(name);
    if (name == "Firing") return TemplateValue(firing_);
    if (name == "Resolved") return TemplateValue(resolved_);
    return no_field(name);
  }

 private:
  List firing_;
  List resolved_;
};

Status append_number(std::string& out, double value) {
  if (!std::isfinite(value))
    return fail(Code::kInvalidArgument, "toJson: NaN and infinities have no JSON");
  append_float_json(out, value);
  return {};
}

Status append_map(std::string& out, const Map& map, int depth) {
  out += '{';
  for (const auto& [name, value] : map) {
    if (out.back() != '{') out += ',';
    append_json_string(out, name);
    out += ':';
    TRY(append_template_json(out, value, depth + 1));
  }
  out += '}';
  return {};
}

Status append_list(std::string& out, const List& list, int depth) {
  out += '[';
  for (const TemplateValue& value : list) {
    if (&value != list.data()) out += ',';
    TRY(append_template_json(out, value, depth + 1));
  }
  out += ']';
  return {};
}

// A map of texts of another room is one of string keys; what has no elements is its text.
Status append_object(std::string& out, const TemplateObject& value, int depth) {
  if (const auto* json = dynamic_cast<const JsonObject*>(&value))
    return json->append_json(out, depth);
  const auto items = value.items();
  if (!items) {
    append_json_string(out, value.text());
    return {};
  }
  Map map;
  for (const auto& [key, item] : *items) map.emplace(key.text(), item);
  return append_map(out, map, depth);
}

}  // namespace

Status append_template_json(std::string& out, const TemplateValue& value, int depth) {
  if (depth > kMaxJsonDepth || out.size() > kMaxTemplateTextBytes)
    return fail(Code::kResourceExhausted, "toJson: the value is too large");
  const auto& data = value.data();
  if (const auto* b = std::get_if<bool>(&data)) {
    out += *b ? "true" : "false";
  } else if (const auto* i = std::get_if<int64_t>(&data)) {
    out += fmt::format("{}", *i);
  } else if (const auto* d = std::get_if<double>(&data)) {
    return append_number(out, *d);
  } else if (const auto* s = std::get_if<std::string>(&data)) {
    append_json_string(out, *s);
  } else if (const auto* t = std::get_if<TemplateTime>(&data)) {
    TRY_ASSIGN(const std::string text,
               format_template_time(*t, "2006-01-02T15:04:05.999999999Z07:00"));
    append_json_string(out, text);
  } else if (const auto* list = std::get_if<std::shared_ptr<const List>>(&data)) {
    return append_list(out, **list, depth);
  } else if (const auto* map = std::get_if<std::shared_ptr<const Map>>(&data)) {
    return append_map(out, **map, depth);
  } else if (const auto* o = std::get_if<std::shared_ptr<const TemplateObject>>(&data)) {
    return append_object(out, **o, depth);
  } else {
    out += "null";
  }
  return {};
}

TemplateValue make_template_struct(std::vector<TemplateField> fields) {
  return object(std::make_shared<Struct>(std::move(fields)));
}

TemplateValue make_template_strings(std::vector<std::string> texts) {
  return object(std::make_shared<Strings>(List(texts.begin(), texts.end())));
}

TemplateValue make_template_pairs(std::vector<TextPair> pairs) {
  List list;
  for (const auto& [name, value] : pairs)
    list.push_back(make_template_struct({{"Name", "Name", name}, {"Value", "Value", value}}));
  return object(std::make_shared<Pairs>(std::move(list), std::move(pairs)));
}

std::string template_pairs_text(const std::vector<TextPair>& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs)
    out += fmt::format("{}{}={}", out.empty() ? "" : ", ", name, value);
  return out;
}

TemplateValue make_template_alerts(List firing, List resolved, List all) {
  return object(std::make_shared<Alerts>(std::move(firing), std::move(resolved), std::move(all)));
}

}  // namespace binnacle::watch::alerts
