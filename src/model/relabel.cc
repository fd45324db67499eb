#include "model/relabel.h"

#include <openssl/evp.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

#include <fmt/format.h>

#include "base/check.h"
#include "base/regex_replace.h"

namespace binnacle::model {
namespace {

constexpr std::array<std::string_view, 11> kActions = {
    "replace",  "keep",      "drop",      "keepequal", "dropequal", "hashmod",
    "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase"};

bool needs_target(RelabelAction action) {
  switch (action) {
    case RelabelAction::kReplace:
    case RelabelAction::kHashMod:
    case RelabelAction::kLowercase:
    case RelabelAction::kUppercase:
    case RelabelAction::kKeepEqual:
    case RelabelAction::kDropEqual:
      return true;
    default:
      return false;
  }
}

// Prometheus takes the last eight bytes of the MD5 sum, big endian; shards must agree with it.
uint64_t hash_of(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) == 1);
  CHECK(size == 16);
  uint64_t value = 0;
  for (unsigned i = 8; i < 16; ++i) value = value << 8 | digest[i];
  return value;
}

std::string with_case(std::string text, int (*change)(int)) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x80) c = static_cast<char>(change(c));
  }
  return text;
}

// Whether a regex has a \C, which takes a single byte out of a character.
bool matches_bytes(std::string_view regex) {
  bool quoted = false;
  for (size_t i = 0; i + 1 < regex.size(); ++i) {
    if (regex[i] != '\\') continue;
    const char c = regex[++i];
    if (quoted) {
      quoted = c != 'E';
      if (quoted) --i;
    } else if (c == 'C') {
      return true;
    } else {
      quoted = c == 'Q';
    }
  }
  return false;
}

// False: too long.
bool set_bounded(LabelsBuilder& labels, std::string_view name, std::string_view value) {
  if (std::max(name.size(), value.size()) > kMaxRelabelledBytes) return false;
  labels.set(name, value);
  return true;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::optional<RelabelAction> relabel_action_from_name(std::string_view name) {
  for (size_t i = 0; i < kActions.size(); ++i) {
    if (kActions[i] == name) return static_cast<RelabelAction>(i);
  }
  return std::nullopt;
}

Result<RelabelRule> RelabelRule::create(RelabelSpec spec) {
  const std::string_view action = kActions[static_cast<size_t>(spec.action)];
  if (needs_target(spec.action) && spec.target_label.empty()) {
    return fail(Code::kInvalidArgument,
                fmt::format("relabel rule: action {} needs a target_label", action));
  }
  if (spec.action == RelabelAction::kHashMod && spec.modulus == 0) {
    return fail(Code::kInvalidArgument, "relabel rule: action hashmod needs a modulus above 0");
  }
  if (matches_bytes(spec.regex)) {
    return fail(Code::kInvalidArgument,
                fmt::format("relabel rule: parse regex: \\C is not supported, a label's text is "
                            "never cut within a character ({})",
                            spec.regex));
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  auto regex = std::make_shared<RE2>("^(?s:" + spec.regex + ")$", options);
  if (!regex->ok()) {
    return fail(Code::kInvalidArgument,
                fmt::format("relabel rule: parse regex: {} ({})", regex->error(), spec.regex));
  }
  RelabelRule rule(std::move(spec));
  rule.regex_ = std::move(regex);
  return rule;
}

std::optional<std::string> RelabelRule::source_value(const LabelsBuilder& labels) const {
  std::string joined;
  for (size_t i = 0; i < spec_.source_labels.size(); ++i) {
    if (i > 0) joined += spec_.separator;
    joined += labels.get(spec_.source_labels[i]);
    if (joined.size() > kMaxRelabelledBytes) return std::nullopt;
  }
  return joined;
}

std::string RelabelRule::expand(const std::string& text, std::string_view subject) const {
  std::vector<re2::StringPiece> groups(static_cast<size_t>(regex_->NumberOfCapturingGroups()) + 1);
  regex_->Match(piece(subject), 0, subject.size(), RE2::ANCHOR_BOTH, groups.data(),
                static_cast<int>(groups.size()));
  std::string out;
  append_replacement(out, text, *regex_, groups, kMaxRelabelledBytes);
  return out;
}

bool RelabelRule::replace(LabelsBuilder& labels, const std::string& value) const {
  if (!RE2::FullMatch(piece(value), *regex_)) return true;
  const std::string target = expand(spec_.target_label, value);
  return target.empty() || set_bounded(labels, target, expand(spec_.replacement, value));
}

bool RelabelRule::map_names(LabelsBuilder& labels) const {
  const Labels before = labels.build();
  size_t count = before.view().size();
  for (const Label& label : before) {
    const bool matched = RE2::FullMatch(piece(label.name), *regex_);
    switch (spec_.action) {
      case RelabelAction::kLabelMap:
        if (!matched) break;
        if (const std::string name = expand(spec_.replacement, label.name); !name.empty()) {
          if (++count > kMaxRelabelledLabels || !set_bounded(labels, name, label.value))
            return false;
        }
        break;
      case RelabelAction::kLabelDrop:
        if (matched) labels.remove(label.name);
        break;
      default:
        if (!matched) labels.remove(label.name);
        break;
    }
  }
  return true;
}

bool RelabelRule::apply(LabelsBuilder& labels) const {
  const auto source = source_value(labels);
  if (!source) return false;
  const std::string& value = *source;
  switch (spec_.action) {
    case RelabelAction::kReplace:
      return replace(labels, value);
    case RelabelAction::kKeep:
      return RE2::FullMatch(piece(value), *regex_);
    case RelabelAction::kDrop:
      return !RE2::FullMatch(piece(value), *regex_);
    case RelabelAction::kKeepEqual:
      return labels.get(spec_.target_label) == value;
    case RelabelAction::kDropEqual:
      return labels.get(spec_.target_label) != value;
    case RelabelAction::kHashMod:
      labels.set(spec_.target_label, fmt::to_string(hash_of(value) % spec_.modulus));
      return true;
    case RelabelAction::kLowercase:
      return set_bounded(labels, spec_.target_label, with_case(value, std::tolower));
    case RelabelAction::kUppercase:
      return set_bounded(labels, spec_.target_label, with_case(value, std::toupper));
    case RelabelAction::kLabelMap:
    case RelabelAction::kLabelDrop:
    case RelabelAction::kLabelKeep:
      return map_names(labels);
  }
  return true;
}

std::optional<Labels> relabel(const std::vector<RelabelRule>& rules, LabelsView labels) {
  LabelsBuilder builder(labels);
  for (const RelabelRule& rule : rules) {
    if (!rule.apply(builder)) return std::nullopt;
  }
  return builder.build();
}

}  // namespace binnacle::model
