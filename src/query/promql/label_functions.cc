#include "query/promql/label_functions.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "base/utf8.h"
#include "query/promql/function_table.h"
#include "query/promql/held_rows.h"

namespace binnacle::query::promql {
namespace {

// One regex of a query never costs more memory than this.
constexpr int64_t kMaxRegexMemory = int64_t{8} << 20;
constexpr size_t kBytesOfInstruction = 32;

bool is_label_name(std::string_view name) { return !name.empty() && is_valid_utf8(name); }

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

// `$1`, `$name`, `${name}` and `$$` of a replacement, read once: literal texts and groups in turn.
class Template {
 public:
  Template(std::string_view text, const RE2& regex) {
    while (!text.empty()) {
      const size_t dollar = text.find('$');
      literal(text.substr(0, dollar));
      if (dollar == std::string_view::npos) return;
      text.remove_prefix(dollar + 1);
      if (text.starts_with('$')) {
        literal("$");
        text.remove_prefix(1);
      } else if (const auto name = take_name(text)) {
        parts_.push_back({"", group_index(regex, *name)});
      } else {
        literal("$");
      }
    }
  }

  void expand(const std::vector<re2::StringPiece>& groups, std::string& out) const {
    out.clear();
    for (const Part& part : parts_) {
      out += part.text;
      const re2::StringPiece group = group_of(part, groups);
      if (group.data() != nullptr) out.append(group.data(), group.size());
    }
  }

  // How long expand() makes it.
  size_t size(const std::vector<re2::StringPiece>& groups) const {
    size_t bytes = 0;
    for (const Part& part : parts_) bytes += part.text.size() + group_of(part, groups).size();
    return bytes;
  }

  // Groups from 0 on that it can ask for.
  int groups() const {
    int most = 0;
    for (const Part& part : parts_) most = std::max(most, part.group + 1);
    return most;
  }

 private:
  struct Part {
    std::string text;
    int group = -1;  // put after the text; -1: none
  };

  static re2::StringPiece group_of(const Part& part, const std::vector<re2::StringPiece>& groups) {
    if (part.group < 0 || part.group >= static_cast<int>(groups.size())) return {};
    return groups[static_cast<size_t>(part.group)];
  }

  void literal(std::string_view text) {
    if (!text.empty()) parts_.push_back({std::string(text), -1});
  }

  // The longest name that stands after a '$', which it is taken from. Nothing: the '$' is literal.
  static std::optional<std::string_view> take_name(std::string_view& rest) {
    const size_t start = rest.starts_with('{') ? 1 : 0;
    size_t end = start;
    while (end < rest.size() && is_name_byte(static_cast<unsigned char>(rest[end]))) ++end;
    if (end == start) return std::nullopt;
    if (start == 1 && (end == rest.size() || rest[end] != '}')) return std::nullopt;
    const std::string_view name = rest.substr(start, end - start);
    rest.remove_prefix(end + start);
    return name;
  }

  // Letters beyond ASCII count.
  static bool is_name_byte(unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c >= 0x80;
  }

  // A number has no leading zeros, else it is a name. A group that is not there is empty.
  static int group_index(const RE2& regex, std::string_view name) {
    const bool number = name.find_first_not_of("0123456789") == std::string_view::npos &&
                        (name.size() == 1 || name[0] != '0') && name.size() < 9;
    if (number) return std::stoi(std::string(name));
    const auto& names = regex.NamedCapturingGroups();
    const auto it = names.find(std::string(name));
    return it == names.end() ? -1 : it->second;
  }

  std::vector<Part> parts_;
};

// What label_replace and label_join share: a label gets a new value, and rows of equal labels meet.
class RelabeledRows : public MadeRows {
 public:
  RelabeledRows(RowSourcePtr rows, std::string target, EvalContext& context)
      : rows_(std::move(rows)), target_(std::move(target)), held_(context.meter) {}

 protected:
  // False: the row stays as it is. A value may be many times as long as what it is made of: it is
  // made after may_make() has charged it.
  virtual Result<bool> new_value(model::LabelsView labels, std::string& value) = 0;
  Status may_make(size_t bytes) { return bytes > kSmall ? held_.add(bytes) : Status{}; }

 private:
  static constexpr size_t kSmall = 4096;

  Result<std::vector<OwnedRow>> make() final {
    RowsByLabels out;
    std::string value;
    Row row;
    for (;;) {
      TRY_ASSIGN(const bool more, rows_->next(row));
      if (!more) return out.take();
      TRY(held_.add(bytes_of(row)));
      OwnedRow owned{{}, row.drop_name, {row.values.begin(), row.values.end()}};
      TRY_ASSIGN(const bool changed, new_value(row.labels, value));
      if (changed) {
        TRY(held_.add(value.size() + target_.size()));
        owned.labels = model::LabelsBuilder(row.labels).set(target_, value).build();
        // A name that was just given is to stay.
        if (target_ == model::kMetricName) owned.drop_name = false;
      } else {
        owned.labels = model::Labels(row.labels);
      }
      TRY(held_.add(bytes_of_key(owned.labels)));
      TRY(out.add(std::move(owned)));
    }
  }

  RowSourcePtr rows_;
  const std::string target_;
  HeldBytes held_;
};

class LabelReplace final : public RelabeledRows {
 public:
  LabelReplace(std::vector<Argument>& args, std::unique_ptr<RE2> regex, EvalContext& context)
      : RelabeledRows(std::move(args[0].rows), std::move(args[1].text), context),
        source_(std::move(args[3].text)),
        regex_(std::move(regex)),
        template_(args[2].text, *regex_),
        groups_(static_cast<size_t>(
            std::min(template_.groups(), regex_->NumberOfCapturingGroups() + 1))) {}

 private:
  Result<bool> new_value(model::LabelsView labels, std::string& value) override {
    const std::string_view from = labels.get(source_);
    // Never a null piece: RE2 takes that for a group that did not match.
    const re2::StringPiece subject = from.empty() ? re2::StringPiece("") : piece(from);
    if (!regex_->Match(subject, 0, subject.size(), RE2::ANCHOR_BOTH, groups_.data(),
                       static_cast<int>(groups_.size()))) {
      return false;
    }
    TRY(may_make(template_.size(groups_)));
    template_.expand(groups_, value);
    return true;
  }

  const std::string source_;
  const std::unique_ptr<RE2> regex_;
  const Template template_;
  std::vector<re2::StringPiece> groups_;  // those that are asked for: each costs time
};

class LabelJoin final : public RelabeledRows {
 public:
  LabelJoin(std::vector<Argument>& args, EvalContext& context)
      : RelabeledRows(std::move(args[0].rows), std::move(args[1].text), context),
        separator_(std::move(args[2].text)) {
    for (size_t i = 3; i < args.size(); ++i) sources_.push_back(std::move(args[i].text));
  }

 private:
  Result<bool> new_value(model::LabelsView labels, std::string& value) override {
    size_t size = separator_.size() * sources_.size();
    for (const std::string& source : sources_) size += labels.get(source).size();
    TRY(may_make(size));
    value.clear();
    for (size_t i = 0; i < sources_.size(); ++i) {
      if (i > 0) value += separator_;
      value += labels.get(sources_[i]);
    }
    return true;
  }

  const std::string separator_;
  std::vector<std::string> sources_;
};

Result<RowSourcePtr> label_replace(std::vector<Argument>& args, EvalContext& context) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_max_mem(kMaxRegexMemory);
  auto regex = std::make_unique<RE2>("^(?s:" + args[4].text + ")$", options);
  if (!regex->ok()) {
    return fail(Code::kOutOfRange,
                fmt::format("invalid regular expression in label_replace(): {}", args[4].text));
  }
  if (!is_label_name(args[1].text)) {
    return fail(Code::kOutOfRange,
                fmt::format("invalid destination label name in label_replace(): {}", args[1].text));
  }
  // The query holds it, forwards and, to find groups, backwards.
  TRY(context.meter.charge_bytes(static_cast<size_t>(regex->ProgramSize()) * kBytesOfInstruction));
  return std::make_unique<LabelReplace>(args, std::move(regex), context);
}

Result<RowSourcePtr> label_join(std::vector<Argument>& args, EvalContext& context) {
  for (size_t i = 3; i < args.size(); ++i) {
    if (!is_label_name(args[i].text)) {
      return fail(Code::kOutOfRange,
                  fmt::format("invalid source label name in label_join(): {}", args[i].text));
    }
  }
  if (!is_label_name(args[1].text)) {
    return fail(Code::kOutOfRange,
                fmt::format("invalid destination label name in label_join(): {}", args[1].text));
  }
  return std::make_unique<LabelJoin>(args, context);
}

}  // namespace

Result<RowSourcePtr> labels_on_rows(const Call& call, std::vector<Argument>& args,
                                    EvalContext& context) {
  if (call.function->name == "label_replace") return label_replace(args, context);
  if (call.function->name == "label_join") return label_join(args, context);
  return nullptr;
}

}  // namespace binnacle::query::promql
